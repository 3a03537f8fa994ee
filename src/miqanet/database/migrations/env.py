"""Run by Alembic: applies the revisions over the connection that `miqanet.database.store` hands on."""

from alembic import context

from miqanet.database import study_schema  # noqa: F401  its tables are of the same base
from miqanet.database.schema import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_as_batch=True,
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()

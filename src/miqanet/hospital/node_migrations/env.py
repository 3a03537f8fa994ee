"""Run by Alembic: applies the revisions over the connection that `miqanet.hospital.node_database` hands on."""

from alembic import context

from miqanet.hospital.node_schema import NodeBase

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=NodeBase.metadata,
    render_as_batch=True,
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()

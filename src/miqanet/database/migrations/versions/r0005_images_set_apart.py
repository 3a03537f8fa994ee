"""Images that are set apart: collected for their artifact, and of no site."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; of images that are there already, none is set apart."""
    op.add_column("images", sa.Column("set_apart", sa.Boolean(), nullable=False, server_default=sa.false()))

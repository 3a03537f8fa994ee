"""The subjective study: protocol, participants, presentations and readings."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "protocols",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("version", sa.String(), nullable=False, unique=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
    )
    op.create_table(
        "participants",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("name", sa.String(), nullable=False, unique=True),
        sa.Column("rater_id", sa.Integer(), sa.ForeignKey("raters.id"), unique=True),
        sa.Column("invitation_hash", sa.String(), nullable=False, unique=True),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("reached", sa.Integer(), nullable=False),
    )
    purpose = sa.Enum(
        "training", "rating", "repeat", name="purpose", native_enum=False, create_constraint=True, length=8
    )
    op.create_table(
        "presentations",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("participant_id", sa.Integer(), sa.ForeignKey("participants.id"), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("image_id", sa.Integer(), sa.ForeignKey("images.id"), nullable=False),
        sa.Column("purpose", purpose, nullable=False),
        sa.UniqueConstraint("participant_id", "position"),
    )
    op.create_table(
        "readings",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column(
            "presentation_id", sa.Integer(), sa.ForeignKey("presentations.id"), nullable=False, index=True
        ),
        sa.Column("protocol_id", sa.Integer(), sa.ForeignKey("protocols.id"), nullable=False),
        sa.Column("vote_id", sa.Integer(), sa.ForeignKey("votes.id"), unique=True),
        sa.Column("submission", sa.String(), nullable=False, unique=True),
        sa.Column("category", sa.String(), nullable=False),
        sa.Column("tags", sa.JSON(), nullable=False),
        sa.Column("confidence", sa.Integer()),
        sa.Column("dwell_ms", sa.Integer(), nullable=False),
        sa.Column("view", sa.JSON(), nullable=False),
        sa.Column("cast_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_table(
        "study_sessions",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column(
            "participant_id", sa.Integer(), sa.ForeignKey("participants.id"), nullable=False, index=True
        ),
        sa.Column("token_hash", sa.String(), nullable=False, unique=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
    )

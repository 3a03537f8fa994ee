"""The first tables: series, received images, their verdicts, documents on their way, audit messages."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_SERIES_COUNTS = ("received_images", "done_images", "judged", "low", "review", "undisputed", "doubtful")


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "properties",
        sa.Column("key", sa.String(), primary_key=True),
        sa.Column("value", sa.String(), nullable=False),
    )
    op.create_table(
        "series",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("study_instance_uid", sa.String(), nullable=False),
        sa.Column("series_instance_uid", sa.String(), nullable=False),
        sa.Column("series_number", sa.Integer(), nullable=False),
        sa.Column("series_description", sa.String(), nullable=False),
        sa.Column("accession_number", sa.String(), nullable=False, index=True),
        sa.Column("scanner", sa.String(), nullable=False),
        sa.Column("patient_study", sa.LargeBinary(), nullable=False),
        sa.Column("first_received", sa.Double(), nullable=False),
        sa.Column("last_received", sa.Double(), nullable=False, index=True),
        _choice("state", "open", "reported"),
        sa.Column("revision", sa.Integer(), nullable=False),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in _SERIES_COUNTS),
        _choice("grade", "diagnostic", "limited", "non-diagnostic", nullable=True),
        sa.Column("worst_verdict_id", sa.Integer(), nullable=True),
        sa.Column("worst_probability", sa.Double(), nullable=True),
        sa.UniqueConstraint("study_instance_uid", "series_instance_uid"),
    )
    for column in ("state", "grade", "scanner"):
        op.create_index(None, "series", [column, "last_received"])
    op.create_table(
        "images",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("series_id", sa.Integer(), sa.ForeignKey("series.id"), nullable=False, index=True),
        sa.Column("sop_class_uid", sa.String(), nullable=False),
        sa.Column("sop_instance_uid", sa.String(), nullable=False, unique=True),
        sa.Column("instance_number", sa.Integer(), nullable=False),
        sa.Column("path", sa.String(), nullable=True),
        sa.Column("received", sa.Double(), nullable=False, index=True),
        sa.Column("revision", sa.Integer(), nullable=True),
        *_work(),
    )
    op.create_index(None, "images", ["state", "due"])
    op.create_table(
        "verdicts",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("image_id", sa.Integer(), sa.ForeignKey("images.id"), nullable=False),
        sa.Column("frame", sa.Integer(), nullable=False),
        _choice("quality", "low", "high", nullable=True),
        sa.Column("probability_low", sa.Double(), nullable=True),
        sa.Column("review", sa.Boolean(), nullable=False),
        sa.Column("findings", sa.JSON(), nullable=False),
        sa.Column("model_version", sa.String(), nullable=False),
        sa.Column("threshold", sa.Double(), nullable=True),
        sa.Column("reason", sa.String(), nullable=False),
        sa.UniqueConstraint("image_id", "frame"),
    )
    op.create_index(None, "verdicts", ["quality", "id"])
    op.create_table(
        "score_counts",
        sa.Column("day", sa.String(), primary_key=True),
        sa.Column("scanner", sa.String(), primary_key=True),
        sa.Column("bin", sa.Integer(), primary_key=True),
        sa.Column("judged", sa.Integer(), nullable=False),
        sa.Column("low", sa.Integer(), nullable=False),
        sa.Column("review", sa.Integer(), nullable=False),
    )
    op.create_table(
        "documents",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("series_id", sa.Integer(), sa.ForeignKey("series.id"), nullable=False),
        _choice("kind", "report", "key_objects", "heat_map"),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("verdict_id", sa.Integer(), sa.ForeignKey("verdicts.id"), nullable=True),
        sa.Column("sop_instance_uid", sa.String(), nullable=False, unique=True),
        sa.Column("series_instance_uid", sa.String(), nullable=False),
        sa.Column("series_number", sa.Integer(), nullable=False),
        sa.Column("created", sa.String(), nullable=False),
        sa.Column("station_name", sa.String(), nullable=False),
        sa.Column("software_version", sa.String(), nullable=False),
        sa.UniqueConstraint("series_id", "kind", "revision"),
    )
    op.create_table(
        "sends",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("document_id", sa.Integer(), sa.ForeignKey("documents.id"), nullable=False),
        sa.Column("archive", sa.String(), nullable=False),
        sa.Column("error", sa.String(), nullable=False),
        *_work(),
        sa.UniqueConstraint("document_id", "archive"),
    )
    op.create_index(None, "sends", ["state", "due"])
    op.create_table(
        "audit_messages",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("created", sa.Double(), nullable=False),
        sa.Column("content", sa.String(), nullable=False),
        *_work(),
    )
    op.create_index(None, "audit_messages", ["state", "due"])


def downgrade() -> None:
    """Drop the tables."""
    for table in (
        "audit_messages",
        "sends",
        "documents",
        "score_counts",
        "verdicts",
        "images",
        "series",
        "properties",
    ):
        op.drop_table(table)


def _choice(name: str, *values: str, nullable: bool = False) -> sa.Column[str]:
    kind = sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=16)
    return sa.Column(name, kind, nullable=nullable)


def _work() -> tuple[sa.Column[str], sa.Column[float], sa.Column[int]]:
    return (
        _choice("state", "waiting", "done"),
        sa.Column("due", sa.Double(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
    )

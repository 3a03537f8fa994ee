"""Raters and every vote; images that lead to their subject themselves, so that real ones need no clean source."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_NEW_IN_IMAGES = (
    ("subject_id", sa.Integer),
    ("series_id", sa.Integer),
    ("body_part", sa.String),
    ("contrast", sa.String),
    ("sop_instance_uid", sa.String),
    ("frame", sa.Integer),
    ("repetition_time_ms", sa.Double),
    ("echo_time_ms", sa.Double),
    ("inversion_time_ms", sa.Double),
    ("flip_angle_degrees", sa.Double),
    ("provenance", sa.String),
    ("ssim", sa.Double),
    ("nrmse", sa.Double),
)


def upgrade() -> None:
    """Create the new tables, and let images take over from their sources what they now hold themselves."""
    op.create_table(
        "studies",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("subject_id", sa.Integer(), sa.ForeignKey("subjects.id"), nullable=False, index=True),
        sa.Column("study_instance_uid", sa.String(), nullable=False, unique=True),
    )
    op.create_table(
        "series",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("study_id", sa.Integer(), sa.ForeignKey("studies.id"), nullable=False, index=True),
        sa.Column("series_instance_uid", sa.String(), nullable=False, unique=True),
        sa.Column("manufacturer", sa.String(), nullable=False),
        sa.Column("model", sa.String(), nullable=False),
        sa.Column("field_strength_t", sa.Double()),
    )
    for name, kind in _NEW_IN_IMAGES:
        op.add_column("images", sa.Column(name, kind()))
    op.execute(
        "UPDATE images SET"
        " subject_id = (SELECT subject_id FROM sources WHERE sources.id = images.source_id),"
        " body_part = (SELECT body_part FROM sources WHERE sources.id = images.source_id),"
        " contrast = (SELECT contrast FROM sources WHERE sources.id = images.source_id),"
        " provenance = 'simulated by ' || COALESCE("
        "(SELECT value FROM metadata WHERE key = 'created_by'), 'miqanet')"
    )
    with op.batch_alter_table("images") as images:
        for name in ("subject_id", "body_part", "contrast", "provenance"):
            images.alter_column(name, nullable=False)
        for name in ("source_id", "seed", "draw"):
            images.alter_column(name, nullable=True)
        for column, table in (("subject_id", "subjects"), ("series_id", "series")):
            images.create_foreign_key(None, table, [column], ["id"])
    for column in ("subject_id", "series_id", "sha256", "sop_instance_uid"):
        op.create_index(op.f(f"ix_images_{column}"), "images", [column])
    op.create_table(
        "raters",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("name", sa.String(), nullable=False, unique=True),
        sa.Column("simulated", sa.Boolean(), nullable=False),
        sa.Column("parameters", sa.JSON()),
    )
    quality = sa.Enum("low", "high", name="quality", native_enum=False, create_constraint=True, length=8)
    op.create_table(
        "votes",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("image_id", sa.Integer(), sa.ForeignKey("images.id"), nullable=False),
        sa.Column("rater_id", sa.Integer(), sa.ForeignKey("raters.id"), nullable=False, index=True),
        sa.Column("quality", quality, nullable=False),
        sa.Column("cast_at", sa.DateTime(timezone=True)),
    )
    op.create_index(op.f("ix_votes_image_id_rater_id"), "votes", ["image_id", "rater_id"])
    for name in ("votes_for_low", "votes_in_all"):
        op.add_column("labels", sa.Column(name, sa.Integer()))

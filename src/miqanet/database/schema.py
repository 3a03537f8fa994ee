"""The tables, as typed SQLAlchemy 2 models; a change here comes with a revision in `migrations/versions`."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    DateTime,
    Double,
    Enum,
    ForeignKey,
    Index,
    MetaData,
    UniqueConstraint,
    false,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from miqanet.verdict import Quality

NAMING_CONVENTION = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}
"""Named constraints: without names, SQLite's tables cannot be altered by a later revision."""


QUALITY = Enum(
    Quality,
    name="quality",
    native_enum=False,
    create_constraint=True,
    length=8,
    values_callable=lambda kinds: [str(kind) for kind in kinds],
)


class Base(DeclarativeBase):
    """Of all tables."""

    metadata = MetaData(naming_convention=NAMING_CONVENTION)


class Property(Base):
    """What holds for the whole database: seed, counts asked for, version that made it."""

    __tablename__ = "metadata"

    key: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[str]


class Dataset(Base):
    """A collection of images that were made together: a study, a site."""

    __tablename__ = "datasets"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    subjects: Mapped[list[Subject]] = relationship(back_populates="dataset")


class Subject(Base):
    """A person, under a pseudonym."""

    __tablename__ = "subjects"
    __table_args__ = (UniqueConstraint("dataset_id", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    dataset_id: Mapped[int] = mapped_column(ForeignKey("datasets.id"))
    name: Mapped[str]
    dataset: Mapped[Dataset] = relationship(back_populates="subjects")
    sources: Mapped[list[Source]] = relationship(back_populates="subject")
    images: Mapped[list[Image]] = relationship(back_populates="subject")


class Study(Base):
    """One visit of a subject to a scanner."""

    __tablename__ = "studies"

    id: Mapped[int] = mapped_column(primary_key=True)
    subject_id: Mapped[int] = mapped_column(ForeignKey("subjects.id"), index=True)
    study_instance_uid: Mapped[str] = mapped_column(unique=True)
    """Replaced by a keyed hash, as all UIDs are."""
    subject: Mapped[Subject] = relationship()


class Series(Base):
    """One scan of a study, and the scanner that made it."""

    __tablename__ = "series"

    id: Mapped[int] = mapped_column(primary_key=True)
    study_id: Mapped[int] = mapped_column(ForeignKey("studies.id"), index=True)
    series_instance_uid: Mapped[str] = mapped_column(unique=True)
    manufacturer: Mapped[str]
    model: Mapped[str]
    field_strength_t: Mapped[float | None] = mapped_column(Double)
    study: Mapped[Study] = relationship()


class Source(Base):
    """A clean slice, kept as a 16-bit PNG."""

    __tablename__ = "sources"

    id: Mapped[int] = mapped_column(primary_key=True)
    subject_id: Mapped[int] = mapped_column(ForeignKey("subjects.id"), index=True)
    path: Mapped[str] = mapped_column(unique=True)
    """Below the database's folder, with forward slashes."""
    sha256: Mapped[str] = mapped_column(unique=True)
    """Of the file at `path`, hexadecimal. Unique: the same picture under two subjects would break a split."""
    origin: Mapped[str]
    """Where it was read from, below the folder of clean images."""
    frame: Mapped[int]
    rows: Mapped[int]
    columns: Mapped[int]
    body_part: Mapped[str]
    """One of `miqanet.database.body_parts.BODY_PARTS`."""
    body_part_text: Mapped[str]
    """As the manifest or the file has it."""
    contrast: Mapped[str]
    subject: Mapped[Subject] = relationship(back_populates="sources")
    images: Mapped[list[Image]] = relationship(back_populates="source")


class Image(Base):
    """An image to be judged, simulated or real, kept as a 16-bit PNG at its own matrix."""

    __tablename__ = "images"

    id: Mapped[int] = mapped_column(primary_key=True)
    subject_id: Mapped[int] = mapped_column(ForeignKey("subjects.id"), index=True)
    series_id: Mapped[int | None] = mapped_column(ForeignKey("series.id"), index=True)
    """Known of real images out of DICOM."""
    source_id: Mapped[int | None] = mapped_column(ForeignKey("sources.id"), index=True)
    """The clean slice that a simulated image was made from; a real one has none."""
    path: Mapped[str] = mapped_column(unique=True)
    sha256: Mapped[str] = mapped_column(index=True)
    """Of the file at `path`, hexadecimal."""
    rows: Mapped[int]
    columns: Mapped[int]
    body_part: Mapped[str]
    """One of `miqanet.database.body_parts.BODY_PARTS`."""
    contrast: Mapped[str]
    sop_instance_uid: Mapped[str | None] = mapped_column(index=True)
    frame: Mapped[int | None]
    """Slice or frame of the file that a real image was read from, counted from 0."""
    repetition_time_ms: Mapped[float | None] = mapped_column(Double)
    echo_time_ms: Mapped[float | None] = mapped_column(Double)
    inversion_time_ms: Mapped[float | None] = mapped_column(Double)
    flip_angle_degrees: Mapped[float | None] = mapped_column(Double)
    simulated: Mapped[bool]
    set_apart: Mapped[bool] = mapped_column(default=False, server_default=false())
    """Whether it was collected for its artifact, and so stands for no site."""
    provenance: Mapped[str]
    """How the image came here, and by which miqanet."""
    seed: Mapped[int | None] = mapped_column(BigInteger)
    """`simulate(source, numpy.random.default_rng(seed))` makes a simulated image again."""
    draw: Mapped[int | None] = mapped_column(unique=True)
    """Number of the draw that was accepted as this image."""
    ssim: Mapped[float | None] = mapped_column(Double)
    """Structural similarity to the same acquisition without artifacts; real images have no such reference."""
    nrmse: Mapped[float | None] = mapped_column(Double)
    """Root mean square difference from that reference, over the reference's own."""
    subject: Mapped[Subject] = relationship(back_populates="images")
    series: Mapped[Series | None] = relationship()
    source: Mapped[Source | None] = relationship(back_populates="images")
    artifacts: Mapped[list[Artifact]] = relationship(back_populates="image")
    votes: Mapped[list[Vote]] = relationship(back_populates="image", order_by="Vote.id")
    labels: Mapped[list[Label]] = relationship(back_populates="image")


class Artifact(Base):
    """An artifact that was put into an image."""

    __tablename__ = "artifacts"

    id: Mapped[int] = mapped_column(primary_key=True)
    image_id: Mapped[int] = mapped_column(ForeignKey("images.id"), index=True)
    kind: Mapped[str] = mapped_column(index=True)
    severity: Mapped[float] = mapped_column(Double)
    parameters: Mapped[dict[str, Any]] = mapped_column(JSON)
    harm: Mapped[float] = mapped_column(Double)
    """Measured change over the level of the kind's rule: at 1, half of the simulated raters should say low."""
    image: Mapped[Image] = relationship(back_populates="artifacts")


class Rater(Base):
    """Someone who judges images, under a pseudonym, or a simulation of one."""

    __tablename__ = "raters"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    simulated: Mapped[bool]
    parameters: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    """Of a simulated rater: the fields of `miqanet.database.raters.SimulatedRater`."""
    votes: Mapped[list[Vote]] = relationship(back_populates="rater")


class Vote(Base):
    """One judgement of one image. Votes are only ever added, which triggers see to: a rater's latest one counts."""

    __tablename__ = "votes"
    __table_args__ = (Index(None, "image_id", "rater_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    """Rises in the order in which votes were cast."""
    image_id: Mapped[int] = mapped_column(ForeignKey("images.id"))
    rater_id: Mapped[int] = mapped_column(ForeignKey("raters.id"), index=True)
    quality: Mapped[Quality] = mapped_column(QUALITY)
    cast_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    """UTC; unknown of simulated and of imported votes."""
    image: Mapped[Image] = relationship(back_populates="votes")
    rater: Mapped[Rater] = relationship(back_populates="votes")


class Label(Base):
    """An image's class, and how it was derived."""

    __tablename__ = "labels"
    __table_args__ = (UniqueConstraint("image_id", "provenance"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    image_id: Mapped[int] = mapped_column(ForeignKey("images.id"))
    quality: Mapped[Quality] = mapped_column(QUALITY)
    provenance: Mapped[str]
    votes_for_low: Mapped[int | None]
    """Of the votes that the label was derived from; nothing where it comes from none."""
    votes_in_all: Mapped[int | None]
    image: Mapped[Image] = relationship(back_populates="labels")

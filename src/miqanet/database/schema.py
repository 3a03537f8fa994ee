"""The tables, as typed SQLAlchemy 2 models; a change here comes with a revision in `migrations/versions`."""

from __future__ import annotations

from typing import Any

from sqlalchemy import JSON, BigInteger, Double, Enum, ForeignKey, MetaData, UniqueConstraint
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
    """An image to be judged, kept as a 16-bit PNG at its own matrix."""

    __tablename__ = "images"

    id: Mapped[int] = mapped_column(primary_key=True)
    source_id: Mapped[int] = mapped_column(ForeignKey("sources.id"), index=True)
    path: Mapped[str] = mapped_column(unique=True)
    sha256: Mapped[str]
    rows: Mapped[int]
    columns: Mapped[int]
    seed: Mapped[int] = mapped_column(BigInteger)
    """`simulate(source, numpy.random.default_rng(seed))` makes this image again."""
    draw: Mapped[int] = mapped_column(unique=True)
    """Number of the draw that was accepted as this image."""
    simulated: Mapped[bool]
    source: Mapped[Source] = relationship(back_populates="images")
    artifacts: Mapped[list[Artifact]] = relationship(back_populates="image")
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
    """Measured change divided by the kind's threshold: from 1 on the image is low."""
    image: Mapped[Image] = relationship(back_populates="artifacts")


class Label(Base):
    """An image's class, and who or what says so."""

    __tablename__ = "labels"
    __table_args__ = (UniqueConstraint("image_id", "provenance"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    image_id: Mapped[int] = mapped_column(ForeignKey("images.id"))
    quality: Mapped[Quality] = mapped_column(
        Enum(
            Quality,
            name="quality",
            native_enum=False,
            create_constraint=True,
            length=8,
            values_callable=lambda kinds: [str(kind) for kind in kinds],
        )
    )
    provenance: Mapped[str]
    image: Mapped[Image] = relationship(back_populates="labels")

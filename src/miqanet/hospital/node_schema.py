"""The tables of the node's own database, as typed SQLAlchemy 2 models.

There is no queue beside them: what is to be done is a row that waits. The database holds patients'
identifiers and is never the image database; images reach that one only through `miqanet database import`.

A change here comes with a revision in `node_migrations/versions`. Times are seconds since 1970 (UTC).
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, Double, Enum, ForeignKey, Index, LargeBinary, MetaData, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from miqanet.database.schema import NAMING_CONVENTION
from miqanet.hospital.records import Grade
from miqanet.verdict import Quality


def _choice(names: type[StrEnum], name: str) -> Enum:
    """Return the type of a column that holds one of a few names, which the database checks."""
    return Enum(
        names,
        name=name,
        native_enum=False,
        create_constraint=True,
        length=16,
        values_callable=lambda members: [str(member) for member in members],
    )


class WorkState(StrEnum):
    """Whether something is still to be done about a row."""

    WAITING = "waiting"
    DONE = "done"


class SeriesState(StrEnum):
    """Whether a report says all that has come in."""

    OPEN = "open"
    REPORTED = "reported"


class DocumentKind(StrEnum):
    """What is written about a series."""

    REPORT = "report"
    KEY_OBJECTS = "key_objects"
    HEAT_MAP = "heat_map"


class NodeBase(DeclarativeBase):
    """Of all tables of the node."""

    metadata = MetaData(naming_convention=NAMING_CONVENTION)


class Work:
    """Columns of a row that is to be worked on until it is done."""

    state: Mapped[WorkState] = mapped_column(_choice(WorkState, "state"), default=WorkState.WAITING)
    due: Mapped[float] = mapped_column(Double)
    """When it may be taken next: whoever takes it moves this on, so that it comes back if the taker dies."""
    attempts: Mapped[int] = mapped_column(default=0)


class Property(NodeBase):
    """What holds for the whole installation: its device's UID."""

    __tablename__ = "properties"

    key: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[str]


class SeriesCounts:
    """Columns that `miqanet.hospital.tallies` keeps in step with a series' images and verdicts.

    A page that counted them anew would take longer with every image that the node has ever had.
    """

    received_images: Mapped[int] = mapped_column(default=0)
    done_images: Mapped[int] = mapped_column(default=0)
    """With verdicts, or with a reason why there is none."""
    judged: Mapped[int] = mapped_column(default=0)
    """Verdicts; an image of several frames has several."""
    low: Mapped[int] = mapped_column(default=0)
    review: Mapped[int] = mapped_column(default=0)
    undisputed: Mapped[int] = mapped_column(default=0)
    doubtful: Mapped[int] = mapped_column(default=0)
    grade: Mapped[Grade | None] = mapped_column(_choice(Grade, "grade"))
    """Of all that are judged so far; None before the first."""
    worst_verdict_id: Mapped[int | None]
    """Of the verdict with the greatest probability of low."""
    worst_probability: Mapped[float | None] = mapped_column(Double)


class Series(SeriesCounts, NodeBase):
    """A series of which at least one image has come in."""

    __tablename__ = "series"
    __table_args__ = (
        UniqueConstraint("study_instance_uid", "series_instance_uid"),
        Index("ix_series_state_last_received", "state", "last_received"),
        Index("ix_series_grade_last_received", "grade", "last_received"),
        Index("ix_series_scanner_last_received", "scanner", "last_received"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    study_instance_uid: Mapped[str]
    series_instance_uid: Mapped[str]
    series_number: Mapped[int]
    """0 where the images state none."""
    series_description: Mapped[str]
    accession_number: Mapped[str] = mapped_column(index=True)
    scanner: Mapped[str]
    """Station name, or the AE title that sent the first image."""
    patient_study: Mapped[bytes] = mapped_column(LargeBinary)
    """See `miqanet.hospital.patient_study`."""
    first_received: Mapped[float] = mapped_column(Double)
    last_received: Mapped[float] = mapped_column(Double, index=True)
    state: Mapped[SeriesState] = mapped_column(_choice(SeriesState, "state"))
    revision: Mapped[int]
    """Number of reports written so far."""
    images: Mapped[list[Image]] = relationship(back_populates="series")
    documents: Mapped[list[Document]] = relationship(back_populates="series")


class Image(Work, NodeBase):
    """A received object, waiting for its verdict or done."""

    __tablename__ = "images"
    __table_args__ = (Index("ix_images_state_due", "state", "due"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    series_id: Mapped[int] = mapped_column(ForeignKey("series.id"), index=True)
    sop_class_uid: Mapped[str]
    sop_instance_uid: Mapped[str] = mapped_column(unique=True)
    instance_number: Mapped[int]
    """0 where the image states none."""
    path: Mapped[str | None]
    """Below the spool folder, with forward slashes; None after retention."""
    received: Mapped[float] = mapped_column(Double, index=True)
    revision: Mapped[int | None]
    """The report that was the first to have it."""
    series: Mapped[Series] = relationship(back_populates="images")
    verdicts: Mapped[list[Verdict]] = relationship(back_populates="image", order_by="Verdict.frame")


class Verdict(NodeBase):
    """The verdict on an image or on one frame of it, or why there is none."""

    __tablename__ = "verdicts"
    __table_args__ = (
        UniqueConstraint("image_id", "frame"),
        Index("ix_verdicts_quality_id", "quality", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    image_id: Mapped[int] = mapped_column(ForeignKey("images.id"))
    frame: Mapped[int]
    """Counted from 1; 0 for an image that has no frames, or as a whole."""
    quality: Mapped[Quality | None] = mapped_column(_choice(Quality, "quality"))
    probability_low: Mapped[float | None] = mapped_column(Double)
    review: Mapped[bool]
    findings: Mapped[list[Any]] = mapped_column(JSON)
    """Pairs of kind and probability."""
    model_version: Mapped[str]
    threshold: Mapped[float | None] = mapped_column(Double)
    reason: Mapped[str]
    """Why there is no verdict; empty where there is one."""
    image: Mapped[Image] = relationship(back_populates="verdicts")


class ScoreCount(NodeBase):
    """How many images of a scanner and a day have a probability of low in one interval of it."""

    __tablename__ = "score_counts"

    day: Mapped[str] = mapped_column(primary_key=True)
    """Of receipt, by the node's wall clock: YYYY-MM-DD."""
    scanner: Mapped[str] = mapped_column(primary_key=True)
    bin: Mapped[int] = mapped_column(primary_key=True)
    """The n-th of `miqanet.hospital.tallies.BINS` equal ones, from 0."""
    judged: Mapped[int]
    low: Mapped[int]
    review: Mapped[int]


class Document(NodeBase):
    """A DICOM object about a series, fixed before it is first sent."""

    __tablename__ = "documents"
    __table_args__ = (UniqueConstraint("series_id", "kind", "revision"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    series_id: Mapped[int] = mapped_column(ForeignKey("series.id"))
    kind: Mapped[DocumentKind] = mapped_column(_choice(DocumentKind, "kind"))
    revision: Mapped[int]
    """It is about the images up to this revision."""
    verdict_id: Mapped[int | None] = mapped_column(ForeignKey("verdicts.id"))
    """What a heat map shows."""
    sop_instance_uid: Mapped[str] = mapped_column(unique=True)
    series_instance_uid: Mapped[str]
    """Of the series that it goes to."""
    series_number: Mapped[int]
    created: Mapped[str]
    """ISO 8601, with the offset of the wall clock."""
    station_name: Mapped[str]
    software_version: Mapped[str]
    series: Mapped[Series] = relationship(back_populates="documents")
    sends: Mapped[list[Send]] = relationship(back_populates="document")


class Send(Work, NodeBase):
    """A document on its way to an archive, until that has it."""

    __tablename__ = "sends"
    __table_args__ = (
        UniqueConstraint("document_id", "archive"),
        Index("ix_sends_state_due", "state", "due"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    document_id: Mapped[int] = mapped_column(ForeignKey("documents.id"))
    archive: Mapped[str]
    """Its name in the configuration."""
    error: Mapped[str]
    """Of the last attempt; empty where there was none."""
    document: Mapped[Document] = relationship(back_populates="sends")


class AuditMessage(Work, NodeBase):
    """A DICOM PS3.15 audit message, kept until its target has it."""

    __tablename__ = "audit_messages"
    __table_args__ = (Index("ix_audit_messages_state_due", "state", "due"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    created: Mapped[float] = mapped_column(Double)
    content: Mapped[str]
    """XML."""

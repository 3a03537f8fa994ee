"""What the REST API answers: the shapes that its OpenAPI description states."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime

from pydantic import BaseModel, Field

from miqanet.hospital.records import Grade, ImageResult
from miqanet.hospital.rest_rows import ArchiveRow, Cursor, ImageRow, SeriesRow, VerdictRow
from miqanet.verdict import Quality


class FindingModel(BaseModel):
    """An artifact that an image is suspected to show."""

    kind: str
    probability: float


class VerdictModel(BaseModel):
    """The verdict on an image or on one frame of it."""

    frame: int | None = Field(description="Counted from 1; null where the image has no frames.")
    quality: Quality | None = Field(default=None, description="Null where there is no verdict.")
    probability_low: float | None = None
    review: bool = Field(default=False, description="Whether a person should look.")
    findings: list[FindingModel] = []
    model_version: str = ""
    reason: str = Field(default="", description="Why there is no verdict; empty where there is one.")

    @classmethod
    def of(cls, result: ImageResult) -> VerdictModel:
        """Return what a record says."""
        verdict = result.verdict
        if verdict is None:
            return cls(frame=result.image.frame, reason=result.reason)
        return cls(
            frame=result.image.frame,
            quality=verdict.quality,
            probability_low=verdict.probability_low,
            review=verdict.review,
            findings=[
                FindingModel(kind=each.kind, probability=each.probability) for each in verdict.findings
            ],
            model_version=verdict.model_version,
        )


class ImageModel(BaseModel):
    """An image."""

    sop_instance_uid: str
    instance_number: int = Field(description="0 where the image states none.")
    received: datetime
    verdicts: list[VerdictModel] = Field(description="Empty while the image waits.")

    @classmethod
    def of(cls, row: ImageRow) -> ImageModel:
        """Return what a row says."""
        return cls(
            sop_instance_uid=row.sop_instance_uid,
            instance_number=row.instance_number,
            received=_moment(row.received),
            verdicts=[VerdictModel.of(result) for result in row.results],
        )


class SeriesModel(BaseModel):
    """A series as far as it has come in and been judged."""

    study_instance_uid: str
    series_instance_uid: str
    series_number: int = Field(description="0 where the images state none.")
    series_description: str
    accession_number: str
    scanner: str
    first_received: datetime
    last_received: datetime
    images: int
    waiting: int = Field(description="Images without a verdict yet.")
    judged: int = Field(description="Verdicts; an image of several frames has several.")
    low: int
    review: int
    grade: Grade | None = Field(description="Of what is judged so far; null before the first verdict.")
    reported: bool = Field(description="Whether a report says all that has come in.")
    worst: VerdictModel | None
    worst_sop_instance_uid: str | None

    @classmethod
    def of(cls, row: SeriesRow) -> SeriesModel:
        """Return what a row says."""
        return cls(
            study_instance_uid=row.study_instance_uid,
            series_instance_uid=row.series_instance_uid,
            series_number=row.series_number,
            series_description=row.series_description,
            accession_number=row.accession_number,
            scanner=row.scanner,
            first_received=_moment(row.first_received),
            last_received=_moment(row.last_received),
            images=row.received_images,
            waiting=row.received_images - row.done_images,
            judged=row.judged,
            low=row.low,
            review=row.review,
            grade=row.grade,
            reported=row.is_reported,
            worst=None if row.worst is None else VerdictModel.of(row.worst.result),
            worst_sop_instance_uid=None if row.worst is None else row.worst.sop_instance_uid,
        )


class SeriesWithImages(BaseModel):
    """A series and its images."""

    series: SeriesModel
    images: list[ImageModel]


class ImageOfSeries(BaseModel):
    """An image and its series."""

    image: ImageModel
    series: SeriesModel


class SeriesPage(BaseModel):
    """Some series."""

    items: list[SeriesModel]
    next: str | None = Field(description="Give it as `before` for the next page; null after the last one.")


class StudyModel(BaseModel):
    """A study."""

    study_instance_uid: str
    accession_number: str
    last_received: datetime
    series: list[SeriesModel]

    @classmethod
    def of(cls, rows: list[SeriesRow]) -> StudyModel:
        """Return a study, from its series, the last to get an image first."""
        return cls(
            study_instance_uid=rows[0].study_instance_uid,
            accession_number=rows[0].accession_number,
            last_received=_moment(rows[0].last_received),
            series=[SeriesModel.of(row) for row in rows],
        )


class StudySummary(BaseModel):
    """A study in a list."""

    study_instance_uid: str
    accession_number: str
    last_received: datetime


class StudyPage(BaseModel):
    """Some studies."""

    items: list[StudySummary]
    next: str | None = Field(description="Give it as `before` for the next page; null after the last one.")


class VerdictItem(BaseModel):
    """A verdict, and where it belongs."""

    id: int
    study_instance_uid: str
    series_instance_uid: str
    sop_instance_uid: str
    scanner: str
    received: datetime
    verdict: VerdictModel

    @classmethod
    def of(cls, row: VerdictRow) -> VerdictItem:
        """Return what a row says."""
        return cls(
            id=row.id,
            study_instance_uid=row.study_instance_uid,
            series_instance_uid=row.series_instance_uid,
            sop_instance_uid=row.result.image.sop_instance_uid,
            scanner=row.scanner,
            received=_moment(row.received),
            verdict=VerdictModel.of(row.result),
        )


class VerdictPage(BaseModel):
    """Some verdicts, in the order in which they were made."""

    items: list[VerdictItem]
    next: int = Field(
        description="Give it as `after` for what comes later, also when nothing more is there yet."
    )


class Submitted(BaseModel):
    """An image that is safe here."""

    study_instance_uid: str
    sop_instance_uid: str
    new: bool = Field(description="False where the image was here before: the first one stays.")


class ArchiveModel(BaseModel):
    """What waits for an archive."""

    name: str
    waiting: int
    failed: int = Field(description="Of those that wait, how many were tried in vain.")
    error: str
    configured: bool = Field(
        description="False where the configuration names it no more: nothing is sent to it."
    )

    @classmethod
    def of(cls, row: ArchiveRow) -> ArchiveModel:
        """Return what a row says."""
        return cls(**asdict(row))


class Retried(BaseModel):
    """Documents that are sent again at once."""

    documents: int


class Health(BaseModel):
    """Whether the node works."""

    status: str = Field(description="`ok`, or what fails: `database`, `disk`.")


class Problem(BaseModel):
    """Why a request was not answered."""

    error: str


def write_cursor(cursor: Cursor) -> str:
    """Return a cursor as text."""
    time, row_id = cursor
    return f"{time!r}-{row_id}"


def read_cursor(text: str) -> Cursor:
    """Return the cursor of a text.

    Raises:
        ValueError: it is none.
    """
    time, _, row_id = text.rpartition("-")
    return float(time), int(row_id)


def _moment(time: float) -> datetime:
    return datetime.fromtimestamp(time, UTC)

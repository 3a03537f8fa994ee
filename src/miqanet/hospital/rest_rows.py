"""Rows of the node's database as the REST API and the page pass them on, and which of them are wanted."""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlalchemy import ColumnElement

from miqanet.hospital.audit_message import StudyObject
from miqanet.hospital.node_schema import Series
from miqanet.hospital.records import Grade, ImageResult

Cursor = tuple[float, int]
"""Time and id of the last row of a page."""


@dataclass(frozen=True, slots=True)
class SeriesFilter:
    """Which series are wanted; what is None or empty does not matter."""

    scanner: str = ""
    grade: Grade | None = None
    accession_number: str = field(default="", repr=False)
    study_instance_uid: str = ""
    received_since: float | None = None

    def conditions(self, series: type[Series] = Series) -> list[ColumnElement[bool]]:
        """Return what rows of the table of series, or of an alias of it, have to fulfil."""
        wanted: list[ColumnElement[bool]] = []
        if self.scanner:
            wanted.append(series.scanner == self.scanner)
        if self.grade is not None:
            wanted.append(series.grade == self.grade)
        if self.accession_number:
            wanted.append(series.accession_number == self.accession_number)
        if self.study_instance_uid:
            wanted.append(series.study_instance_uid == self.study_instance_uid)
        if self.received_since is not None:
            wanted.append(series.last_received >= self.received_since)
        return wanted


@dataclass(frozen=True, slots=True)
class WorstImage:
    """The image, or frame of it, with the greatest probability of low in its series."""

    image_id: int
    sop_instance_uid: str
    result: ImageResult


@dataclass(frozen=True, slots=True)
class SeriesRow:
    """A series in a list."""

    id: int
    study_instance_uid: str
    series_instance_uid: str
    series_number: int
    series_description: str
    accession_number: str = field(repr=False)
    scanner: str
    first_received: float
    last_received: float
    is_reported: bool
    """Whether a report says all that has come in."""

    received_images: int
    done_images: int
    judged: int
    low: int
    review: int
    grade: Grade | None
    worst: WorstImage | None
    patient_study: bytes = field(repr=False)

    @property
    def cursor(self) -> Cursor:
        """Where the next page begins."""
        return self.last_received, self.id

    @property
    def waits(self) -> bool:
        """Whether images of it have no verdict yet."""
        return self.done_images < self.received_images

    @property
    def unjudged(self) -> int:
        """How many images are done without a verdict, at least: those of several frames may have several."""
        return max(0, self.done_images - self.judged)

    def for_audit(self) -> tuple[StudyObject, bytes]:
        """Return what a message about it says of study and patient."""
        return StudyObject(self.study_instance_uid, self.accession_number), self.patient_study


@dataclass(frozen=True, slots=True)
class ImageRow:
    """An image of a series, with the verdicts on its frames."""

    id: int
    sop_instance_uid: str
    instance_number: int
    received: float
    results: tuple[ImageResult, ...]
    """None yet while the image waits."""


@dataclass(frozen=True, slots=True)
class VerdictRow:
    """A verdict, and where it belongs."""

    id: int
    study_instance_uid: str
    series_instance_uid: str
    scanner: str
    received: float
    result: ImageResult


@dataclass(frozen=True, slots=True)
class ArchiveRow:
    """What waits for an archive."""

    name: str
    waiting: int = 0
    failed: int = 0
    """Of those that wait, how many were tried in vain."""

    error: str = ""
    """Why, of one of them."""

    configured: bool = True
    """Where it is not, what waits for it is not sent."""


@dataclass(frozen=True, slots=True)
class Backlog:
    """What waits for its verdict."""

    images: int
    seconds: float
    """For which the first of them has waited; 0 where none waits."""


@dataclass(frozen=True, slots=True)
class ScoreDay:
    """The scores of a scanner's images of a day."""

    scanner: str
    day: str
    judged: tuple[int, ...]
    """Number of images whose probability of low is in each of `tallies.BINS` equal intervals."""

    low: int
    review: int

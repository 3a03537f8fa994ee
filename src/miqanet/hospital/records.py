"""What the node knows of a series and of the documents it writes about it, as plain records.

Nothing here is of a DICOM library: rows of the node's database become these records, and these records
become DICOM objects, so that the same rows give the same objects again, byte for byte.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from miqanet.screening.results import ResultRow
from miqanet.screening.series import Tally
from miqanet.verdict import Quality, Verdict


class Grade(StrEnum):
    """The three values of image quality assessment (DICOM PS3.16, CID 7036), after RadLex."""

    DIAGNOSTIC = "diagnostic"
    LIMITED = "limited"
    """The network abstains: a person should look."""

    NON_DIAGNOSTIC = "non-diagnostic"

    @classmethod
    def of(cls, quality: Quality, review: bool) -> Grade:
        """Return the grade of a verdict; the review band goes before the class."""
        if review:
            return cls.LIMITED
        return cls.NON_DIAGNOSTIC if quality is Quality.LOW else cls.DIAGNOSTIC


@dataclass(frozen=True, slots=True)
class ImageReference:
    """A DICOM image, or one frame of it."""

    sop_class_uid: str
    sop_instance_uid: str
    frame: int | None = None
    """Number of the frame, counted from 1 as in DICOM; None for an image that has no frames."""


@dataclass(frozen=True, slots=True)
class ImageResult:
    """An image, and its verdict or why there is none."""

    image: ImageReference
    verdict: Verdict | None
    reason: str = ""
    """Why there is no verdict, as reading says it (never patient data); empty for a judged image."""

    @property
    def grade(self) -> Grade | None:
        """The image's grade, None where it could not be judged."""
        return None if self.verdict is None else Grade.of(self.verdict.quality, self.verdict.review)


@dataclass(frozen=True, slots=True)
class SeriesResult:
    """A series as far as it has come in and been judged."""

    study_instance_uid: str
    series_instance_uid: str
    images: tuple[ImageResult, ...]
    patient_study: bytes = field(repr=False)
    """What the original images say of patient and study; see `miqanet.hospital.patient_study`."""

    @property
    def tally(self) -> Tally:
        """The counts from which screening makes the verdict on a series."""
        return tally_of(self.images)

    @property
    def grade(self) -> Grade | None:
        """The series' grade, None where no image of it could be judged."""
        return grade_of(self.tally)

    @property
    def flagged(self) -> tuple[ImageResult, ...]:
        """The images that are not of diagnostic quality; those that a person should look at are not among them."""
        return tuple(result for result in self.images if result.grade is Grade.NON_DIAGNOSTIC)


@dataclass(frozen=True, slots=True)
class Identity:
    """What is fixed of a document before it is first sent, so that every repetition is the same object."""

    sop_instance_uid: str
    series_instance_uid: str
    """Of the series that the document goes to, in the study of the images."""

    series_number: int
    instance_number: int
    created: datetime
    """Written as its own wall-clock time."""


@dataclass(frozen=True, slots=True)
class Device:
    """The node that judged."""

    uid: str
    """Of this installation, made once and kept."""

    station_name: str
    """Its AE title."""

    software_version: str


def tally_of(results: Iterable[ImageResult]) -> Tally:
    """Count results as screening does."""
    tally = Tally()
    for result in results:
        tally.add(_row(result))
    return tally


def grade_of(tally: Tally) -> Grade | None:
    """Return the grade of what was counted, None where nothing of it could be judged."""
    return Grade.of(tally.quality, tally.needs_review) if tally.images else None


def _row(result: ImageResult) -> ResultRow:
    image, verdict = result.image, result.verdict
    frame = (image.frame or 1) - 1
    if verdict is None:
        return ResultRow.of_error(image.sop_instance_uid, frame, result.reason)
    return ResultRow(
        image.sop_instance_uid, frame, str(verdict.quality), verdict.probability_low, verdict.review
    )

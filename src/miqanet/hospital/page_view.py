"""Series as people in the control room see them: a word, a time, what is suspected, and what usually helps."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from pydicom import Dataset

from miqanet.hospital.patient_study import restore
from miqanet.hospital.records import Grade, ImageResult
from miqanet.hospital.rest_rows import Backlog, ImageRow, SeriesRow
from miqanet.reading.elements import text
from miqanet.screening.guidance import Guide, guide

WAITING: Final = "waiting"
WORDS: Final = {
    Grade.NON_DIAGNOSTIC: "repeat",
    Grade.LIMITED: "check",
    Grade.DIAGNOSTIC: "good",
    None: WAITING,
}
GRADES: Final = {word: grade for grade, word in WORDS.items() if grade is not None}

PATIENCE_SECONDS: Final = 60.0
"""Who has a patient on the table wants a verdict within a minute, and else to know that there is none yet."""

_STRIP_WIDTH: Final = 600.0
_STRIP_HEIGHT: Final = 56.0
_MOST_BARS: Final = 300


@dataclass(frozen=True, slots=True)
class SeriesView:
    """A row of the list."""

    id: int
    word: str
    """`repeat`, `check`, `good`, or `waiting` before the first verdict."""

    received: datetime
    scanner: str
    number: int
    description: str
    accession_number: str = field(repr=False)
    patient: str = field(repr=False)
    """Empty where it may not be shown."""

    images: int
    done: int
    judged: int
    low: int
    review: int
    suspected: tuple[str, ...]
    """Names of artifacts in the worst image."""

    is_reported: bool
    unjudged: int

    @property
    def version(self) -> str:
        """What is different when something about the series has changed."""
        return f"{self.images}.{self.done}.{int(self.is_reported)}"


@dataclass(frozen=True, slots=True)
class Bar:
    """One image of a series' strip, or the worst of several that lie together, in units of its drawing."""

    x: float
    y: float
    width: float
    height: float
    word: str
    label: str


@dataclass(frozen=True, slots=True)
class SeriesDetail:
    """A series and its worst image."""

    series: SeriesView
    advice: str
    worst: ImageResult | None
    worst_number: int
    """Instance number of the worst image, 0 where it has none."""

    findings: tuple[tuple[Guide, float], ...]
    bars: tuple[Bar, ...]
    threshold_y: float | None
    troubles: tuple[tuple[str, int], ...]
    """Why images have no verdict, and how many."""

    series_instance_uid: str


def series_view(row: SeriesRow, *, with_patient: bool) -> SeriesView:
    """Return a row of the list.

    Args:
        row: of the database.
        with_patient: whether the patient's name may be shown.
    """
    verdict = row.worst.result.verdict if row.worst else None
    flagged = row.grade is not None and row.grade is not Grade.DIAGNOSTIC
    return SeriesView(
        id=row.id,
        word=WORDS[row.grade],
        received=datetime.fromtimestamp(row.last_received).astimezone(),
        scanner=row.scanner,
        number=row.series_number,
        description=row.series_description,
        accession_number=row.accession_number,
        patient=patient_name(restore(row.patient_study)) if with_patient else "",
        images=row.received_images,
        done=row.done_images,
        judged=row.judged,
        low=row.low,
        review=row.review,
        suspected=tuple(guide(each.kind).name for each in verdict.findings) if verdict and flagged else (),
        is_reported=row.is_reported,
        unjudged=row.unjudged,
    )


def series_detail(row: SeriesRow, images: Sequence[ImageRow], *, with_patient: bool) -> SeriesDetail:
    """Return all that is shown of one series."""
    verdict = row.worst.result.verdict if row.worst else None
    numbers = {image.id: image.instance_number for image in images}
    reasons = [result.reason for image in images for result in image.results if result.reason]
    return SeriesDetail(
        series=series_view(row, with_patient=with_patient),
        advice=advice(row),
        worst=row.worst.result if row.worst else None,
        worst_number=numbers.get(row.worst.image_id, 0) if row.worst else 0,
        findings=tuple((guide(each.kind), each.probability) for each in verdict.findings) if verdict else (),
        bars=tuple(_bars(images)),
        threshold_y=None if verdict is None else _STRIP_HEIGHT * (1 - verdict.threshold),
        troubles=tuple(Counter(reasons).items()),
        series_instance_uid=row.series_instance_uid,
    )


def advice(row: SeriesRow) -> str:
    """Return what is suggested about a series, in a sentence or two; a person decides."""
    rest = f" {row.unjudged} could not be judged." if row.judged and row.unjudged else ""
    return f"{_suggestion(row)}{rest}"


def _suggestion(row: SeriesRow) -> str:
    so_far = " so far" if row.waits else ""
    of_all = f"{row.low} of {row.judged} {'image' if row.judged == 1 else 'images'}"
    match row.grade:
        case Grade.NON_DIAGNOSTIC:
            verb = "is" if row.low == 1 else "are"
            return f"{of_all} {verb} of low diagnostic quality{so_far}. Look, and consider a repeat."
        case Grade.LIMITED:
            return f"The network is unsure{so_far}: {row.review} of {row.judged} should be looked at."
        case Grade.DIAGNOSTIC if row.low:
            return f"Good as a whole{so_far}; {of_all} low."
        case Grade.DIAGNOSTIC if row.review:
            return f"No image is clearly of low diagnostic quality{so_far}; {row.review} of {row.judged} in doubt."
        case Grade.DIAGNOSTIC:
            return f"No image is of low diagnostic quality{so_far}."
        case _ if row.waits:
            return "No verdict yet."
        case _:
            return "No image of it could be judged."


def backlog_view(backlog: Backlog) -> str:
    """Return what is to be said of images that wait, empty where none has waited for long."""
    if backlog.seconds < PATIENCE_SECONDS:
        return ""
    images = f"{backlog.images:,} {'image waits' if backlog.images == 1 else 'images wait'} for a verdict"
    return f"{images}, the first for {_duration(backlog.seconds)}"


def patient_name(patient_study: Dataset) -> str:
    """Return the name of a patient as people write it: the alphabetic form, family name first."""
    alphabetic, *_ = text(patient_study, "PatientName").split("=")
    family, *given = alphabetic.split("^")
    return ", ".join(filter(None, (family.strip(), " ".join(given).strip())))


def _duration(seconds: float) -> str:
    minutes = int(seconds / 60)
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h"


def _bars(images: Sequence[ImageRow]) -> Iterable[Bar]:
    """Yield the strip's bars: images side by side in their order, as high as their probability of low."""
    frames = [(image, result) for image in images for result in (image.results or (None,))]
    count = min(len(frames), _MOST_BARS)
    for i in range(count):
        together = frames[i * len(frames) // count : (i + 1) * len(frames) // count]
        image, result = max(together, key=lambda frame: _probability(frame[1]))
        height = max(2.0, _STRIP_HEIGHT * _probability(result))
        width = _STRIP_WIDTH / count
        gap = min(1.0, width / 5)
        yield Bar(
            x=i * width,
            y=_STRIP_HEIGHT - height,
            width=width - gap,
            height=height,
            word="error" if result is not None and result.verdict is None else WORDS[_grade(result)],
            label=_label(image, result),
        )


def _probability(result: ImageResult | None) -> float:
    return result.verdict.probability_low if result is not None and result.verdict is not None else 0.0


def _grade(result: ImageResult | None) -> Grade | None:
    return None if result is None else result.grade


def _label(image: ImageRow, result: ImageResult | None) -> str:
    frame = f", frame {result.image.frame}" if result is not None and result.image.frame else ""
    said = "waiting" if result is None else result.reason or f"{_probability(result):.2f}"
    return f"Image {image.instance_number or '?'}{frame}: {said}"

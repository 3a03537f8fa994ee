"""Counts of verdicts by series and by scanner and day, kept in the transaction that adds the verdicts.

So they are exact after any kill, and a page that shows them reads a few rows, however many images there are.

The statements are put into SQL once, since they are said of every image and building them takes longer than
running them. They count within the database: another worker may count for the same series at the same time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Final

from sqlalchemy import Insert, bindparam, select, update
from sqlalchemy.orm import Session

from miqanet.hospital.node_schema import Image, ScoreCount, Series, Verdict
from miqanet.hospital.records import ImageResult, grade_of, tally_of
from miqanet.hospital.statements import dialect, insertion, table
from miqanet.screening.series import Tally
from miqanet.verdict import Quality

BINS: Final = 20
"""Equal intervals of the probability of low, from 0 to 1."""

_IMAGES: Final = table(Image)
_SERIES: Final = table(Series)
_VERDICTS: Final = table(Verdict)
_SCORES: Final = table(ScoreCount)

_IMAGE: Final = (
    select(_IMAGES.c.series_id, _IMAGES.c.received, _SERIES.c.scanner)
    .join(_SERIES, _SERIES.c.id == _IMAGES.c.series_id)
    .where(_IMAGES.c.id == bindparam("image_id"))
)
_COUNTED: Final = {
    "images": _SERIES.c.judged,
    "low": _SERIES.c.low,
    "review": _SERIES.c.review,
    "undisputed": _SERIES.c.undisputed,
    "doubtful": _SERIES.c.doubtful,
}
"""Fields of a tally and their columns."""

_COUNT: Final = (
    update(_SERIES)
    .where(_SERIES.c.id == bindparam("series_id"))
    .values(
        {
            _SERIES.c.done_images: _SERIES.c.done_images + 1,
            **{column: column + bindparam(f"more_{name}") for name, column in _COUNTED.items()},
        }
    )
    .returning(*(column.label(name) for name, column in _COUNTED.items()), _SERIES.c.worst_probability)
)
_GRADE: Final = (
    update(_SERIES).where(_SERIES.c.id == bindparam("series_id")).values(grade=bindparam("of_all"))
)
_WORST: Final = (
    update(_SERIES)
    .where(_SERIES.c.id == bindparam("series_id"))
    .values(
        worst_probability=bindparam("probability"),
        worst_verdict_id=select(_VERDICTS.c.id)
        .where(_VERDICTS.c.image_id == bindparam("image_id"), _VERDICTS.c.frame == bindparam("frame_number"))
        .scalar_subquery(),
    )
)


def count(session: Session, image_id: int, results: Sequence[ImageResult]) -> None:
    """Count an image's verdicts, which the session has just added."""
    image = session.execute(_IMAGE, {"image_id": image_id}).one()
    _count_for_series(session, image_id, image.series_id, results)
    _count_for_day(session, local_day(image.received), image.scanner, results)


def local_day(time: float) -> str:
    """Return the day of a time by the wall clock of this machine."""
    return datetime.fromtimestamp(time).astimezone().date().isoformat()


def _count_for_series(
    session: Session, image_id: int, series_id: int, results: Sequence[ImageResult]
) -> None:
    added = tally_of(results)
    more = {f"more_{name}": getattr(added, name) for name in _COUNTED}
    # From here to its end the transaction alone may change the series.
    counts = session.execute(_COUNT, {"series_id": series_id, **more}).one()
    total = Tally(**{name: getattr(counts, name) for name in _COUNTED})
    session.execute(_GRADE, {"series_id": series_id, "of_all": grade_of(total)})
    scores = [
        (result.verdict.probability_low, -(result.image.frame or 0)) for result in results if result.verdict
    ]
    if not scores:
        return
    probability, negative_frame = max(scores)
    if counts.worst_probability is None or probability > counts.worst_probability:
        worst = {"image_id": image_id, "frame_number": -negative_frame, "probability": probability}
        session.execute(_WORST, {"series_id": series_id, **worst})


def _count_for_day(session: Session, day: str, scanner: str, results: Sequence[ImageResult]) -> None:
    judged, low, review = Counter[int](), Counter[int](), Counter[int]()
    for result in results:
        if result.verdict is not None:
            number = min(int(BINS * result.verdict.probability_low), BINS - 1)
            judged[number] += 1
            low[number] += result.verdict.quality is Quality.LOW
            review[number] += result.verdict.review
    # In one order: two workers that each wait for a row of the other's would wait for ever.
    for number in sorted(judged):
        counts = {"judged": judged[number], "low": low[number], "review": review[number]}
        key = {"day": day, "scanner": scanner, "bin": number}
        session.execute(_scoring(dialect(session)), {**key, **counts})


@cache
def _scoring(dialect_name: str) -> Insert:
    statement = insertion(dialect_name, ScoreCount)
    added = {name: _SCORES.c[name] + statement.excluded[name] for name in ("judged", "low", "review")}
    return statement.on_conflict_do_update(index_elements=["day", "scanner", "bin"], set_=added)

"""Counts of verdicts by series and by scanner and day, kept in the transaction that adds the verdicts.

So they are exact after any kill, and a page that shows them reads a few rows, however many images there are.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

from sqlalchemy import or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from miqanet.hospital.node_schema import Image, ScoreCount, Series, Verdict
from miqanet.hospital.records import ImageResult, grade_of, tally_of
from miqanet.screening.series import Tally
from miqanet.verdict import Quality

BINS: Final = 20
"""Equal intervals of the probability of low, from 0 to 1."""


def count(session: Session, image_id: int, results: Iterable[ImageResult]) -> None:
    """Count an image's verdicts, which the session has just added."""
    results = list(results)
    image = session.get_one(Image, image_id)
    _count_for_series(session, image, tally_of(results))
    _count_for_day(session, image, results)


def local_day(time: float) -> str:
    """Return the day of a time by the wall clock of this machine."""
    return datetime.fromtimestamp(time).astimezone().date().isoformat()


def _count_for_series(session: Session, image: Image, added: Tally) -> None:
    # Within the statement: on PostgreSQL another worker may count for the same series at the same time.
    counts = session.execute(
        update(Series)
        .where(Series.id == image.series_id)
        .values(
            done_images=Series.done_images + 1,
            judged=Series.judged + added.images,
            low=Series.low + added.low,
            review=Series.review + added.review,
            undisputed=Series.undisputed + added.undisputed,
            doubtful=Series.doubtful + added.doubtful,
        )
        .returning(Series.judged, Series.low, Series.review, Series.undisputed, Series.doubtful)
        .execution_options(synchronize_session=False)
    ).one()
    total = Tally(
        images=counts.judged,
        low=counts.low,
        review=counts.review,
        undisputed=counts.undisputed,
        doubtful=counts.doubtful,
    )
    _update_series(session, image.series_id, grade=grade_of(total))
    worst = session.execute(
        select(Verdict.id, Verdict.probability_low)
        .where(Verdict.image_id == image.id, Verdict.probability_low.is_not(None))
        .order_by(Verdict.probability_low.desc(), Verdict.frame)
        .limit(1)
    ).first()
    if worst is not None:
        verdict_id, probability = worst
        is_worse = or_(Series.worst_probability.is_(None), Series.worst_probability < probability)
        _update_series(
            session, image.series_id, is_worse, worst_verdict_id=verdict_id, worst_probability=probability
        )


def _update_series(session: Session, series_id: int, *conditions: Any, **values: Any) -> None:
    session.execute(
        update(Series)
        .where(Series.id == series_id, *conditions)
        .values(values)
        .execution_options(synchronize_session=False)
    )


def _count_for_day(session: Session, image: Image, results: list[ImageResult]) -> None:
    judged, low, review = Counter[int](), Counter[int](), Counter[int]()
    for result in results:
        if result.verdict is not None:
            number = min(int(BINS * result.verdict.probability_low), BINS - 1)
            judged[number] += 1
            low[number] += result.verdict.quality is Quality.LOW
            review[number] += result.verdict.review
    dialect = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
    scanner = session.scalars(select(Series.scanner).where(Series.id == image.series_id)).one()
    day = local_day(image.received)
    # In one order: two workers that each wait for a row of the other's would wait for ever.
    for number in sorted(judged):
        statement = dialect.insert(ScoreCount).values(
            day=day,
            scanner=scanner,
            bin=number,
            judged=judged[number],
            low=low[number],
            review=review[number],
        )
        new = statement.excluded
        session.execute(
            statement.on_conflict_do_update(
                index_elements=["day", "scanner", "bin"],
                set_={
                    "judged": ScoreCount.judged + new.judged,
                    "low": ScoreCount.low + new.low,
                    "review": ScoreCount.review + new.review,
                },
            )
        )

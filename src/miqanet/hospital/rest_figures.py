"""What the node's database says as a whole: scanners, what waits, how series were graded, scores by day.

Counts that would grow with what has come in so far are kept by `miqanet.hospital.tallies`, and only read here.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from sqlalchemy import Engine, case, func, select
from sqlalchemy.orm import Session

from miqanet.hospital.node_schema import Image, ScoreCount, Send, Series, WorkState
from miqanet.hospital.records import Grade
from miqanet.hospital.rest_rows import ArchiveRow, Backlog, ScoreDay, SeriesFilter
from miqanet.hospital.tallies import BINS


class NodeFigures:
    """Questions to the node's database; each is a transaction that changes nothing.

    Args:
        engine: of a node database at the newest revision.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def scanners(self) -> list[str]:
        """Return the names of all scanners, each found by one look into the index."""
        first = select(func.min(Series.scanner).label("scanner")).cte("scanners", recursive=True)
        following = select(func.min(Series.scanner)).where(Series.scanner > first.c.scanner)
        names = first.union_all(select(following.scalar_subquery()).where(first.c.scanner.is_not(None)))
        with Session(self._engine) as session:
            return [name for name in session.scalars(select(names.c.scanner)) if name is not None]

    def graded_since(self, time: float, scanner: str = "") -> dict[Grade | None, int]:
        """Return how many series of each grade, of a scanner or of all, got images since a time."""
        wanted = SeriesFilter(scanner=scanner, received_since=time).conditions()
        counting = select(func.count()).select_from(Series).where(*wanted)
        # Grade by grade, an index has all since that time side by side; a group would look through the whole of it.
        with Session(self._engine) as session:
            counts = {
                grade: session.scalar(counting.where(Series.grade == grade)) or 0 for grade in (*Grade, None)
            }
        return {grade: number for grade, number in counts.items() if number}

    def backlog(self, now: float) -> Backlog:
        """Return how many images wait for their verdict, and for how long the first of them has."""
        statement = select(func.count(), func.min(Image.received)).where(Image.state == WorkState.WAITING)
        with Session(self._engine) as session:
            images, oldest = session.execute(statement).one()
        return Backlog(images, 0.0 if oldest is None else max(0.0, now - oldest))

    def archives(self, names: Iterable[str]) -> list[ArchiveRow]:
        """Return what waits for archives of the configuration, in their order; then for those it names no more."""
        statement = (
            select(Send.archive, func.count(), func.count().filter(Send.error != ""), func.max(Send.error))
            .where(Send.state == WorkState.WAITING)
            .group_by(Send.archive)
        )
        with Session(self._engine) as session:
            waiting = {row[0]: ArchiveRow(*row) for row in session.execute(statement)}
        configured = [waiting.pop(name, ArchiveRow(name)) for name in names]
        return configured + [replace(waiting[name], configured=False) for name in sorted(waiting)]

    def scores(self, since_day: str) -> list[ScoreDay]:
        """Return the scores from a day on, in the order of scanner and day."""
        bins = [
            func.sum(case((ScoreCount.bin == number, ScoreCount.judged), else_=0)) for number in range(BINS)
        ]
        statement = (
            select(
                ScoreCount.scanner,
                ScoreCount.day,
                func.sum(ScoreCount.low),
                func.sum(ScoreCount.review),
                *bins,
            )
            .where(ScoreCount.day >= since_day)
            .group_by(ScoreCount.scanner, ScoreCount.day)
            .order_by(ScoreCount.scanner, ScoreCount.day)
        )
        with Session(self._engine) as session:
            return [
                ScoreDay(scanner, day, tuple(judged), low, review)
                for scanner, day, low, review, *judged in session.execute(statement)
            ]

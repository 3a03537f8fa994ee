from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, delete, insert, select, update
from sqlalchemy.orm import Session

from miqanet.database.build import build
from miqanet.database.labels import MAJORITY, MajoritySummary, label_by_majority, majority_low
from miqanet.database.query import Database
from miqanet.database.schema import Base, Label, Rater, Vote
from miqanet.database.store import upgrade
from miqanet.database.study_schema import Participant
from miqanet.verdict import Quality


@pytest.mark.parametrize(
    ("votes", "low"),
    [([True], True), ([True, False, False], False), ([True, False], None), ([], None), ([True] * 5, True)],
)
def test_the_majority_decides_and_a_tie_does_not(votes: list[bool], low: bool | None) -> None:
    assert majority_low(votes) is low


def test_labels_follow_the_latest_votes(clean: Path, tmp_path: Path) -> None:
    build(clean, tmp_path / "out", low=1, high=1)
    with Database.open(tmp_path / "out") as database, Session(database.engine) as session:
        session.execute(delete(Label))
        raters = [Rater(name=name, simulated=False) for name in ("one", "two", "three")]

        def vote(rater: int, quality: Quality) -> Mapping[int, tuple[int, int]]:
            session.add(Vote(image_id=1, rater=raters[rater], quality=quality))
            return label_by_majority(session, [1]).ties

        def label() -> tuple[Quality, int | None, int | None] | None:
            row = session.scalar(select(Label).filter_by(image_id=1, provenance=MAJORITY))
            return row and (row.quality, row.votes_for_low, row.votes_in_all)

        assert vote(0, Quality.LOW) == {}
        assert label() == (Quality.LOW, 1, 1)
        assert vote(1, Quality.HIGH) == {1: (1, 2)}
        assert label() is None
        assert vote(2, Quality.HIGH) == {}
        assert label() == (Quality.HIGH, 1, 3)
        assert vote(1, Quality.LOW) == {}
        assert label() == (Quality.LOW, 2, 3)
        assert label_by_majority(session, [2]) == MajoritySummary(ties={}, left=frozenset())
        # Simulated raters have voted on it, and nobody else.
        assert session.scalars(select(Vote).filter_by(image_id=2)).all()
        assert not session.scalars(select(Label).filter_by(image_id=2, provenance=MAJORITY)).all()


def test_a_vote_that_was_taken_back_makes_no_label(
    engine: Engine, a_reading: dict[str, dict[str, Any]]
) -> None:
    upgrade(engine)
    with Session(engine) as session:
        for table, row in a_reading.items():
            session.execute(insert(Base.metadata.tables[table]), row)
        label_by_majority(session, [1])
        assert session.scalars(select(Label.quality)).all() == [Quality.LOW]
        session.execute(update(Participant).values(done=0))
        assert label_by_majority(session, [1]).ties == {}
        assert not session.scalars(select(Label.quality)).all()


def test_a_label_of_another_provenance_stays_the_only_one(clean: Path, tmp_path: Path) -> None:
    build(clean, tmp_path / "out", low=1, high=1)
    with Database.open(tmp_path / "out") as database:
        before = database.images()
        with Session(database.engine) as session, session.begin():
            for image in before:
                rater = Rater(name=f"rater-{image.image}", simulated=False)
                session.add(Vote(image_id=image.image, rater=rater, quality=Quality.LOW))
            numbers = [image.image for image in before]
            assert label_by_majority(session, numbers) == MajoritySummary(ties={}, left=frozenset(numbers))
        assert database.images() == before

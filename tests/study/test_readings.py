from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from sqlalchemy import func, select

from miqanet.database.schema import Vote
from miqanet.database.study_schema import Participant, Purpose, Reading
from miqanet.study.creation import protocol_in_force
from miqanet.study.group_commit import Refused
from miqanet.study.protocol import TrainingImage
from miqanet.study.readings import (
    Judgement,
    Place,
    Shown,
    judge,
    order_of,
    place_of,
    undo,
    visible,
    work_at,
)

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def shown(number: int) -> Shown:
    purpose = Purpose.TRAINING if number < 2 else Purpose.REPEAT if number == 4 else Purpose.RATING
    return Shown(100 + number, number, f"images/{number}.png", 24, 32, purpose)


ORDER = [shown(number) for number in range(6)]


@pytest.fixture
def protocol(make_database):
    _, protocol = make_database(0)
    return replace(protocol, training=(TrainingImage(0, "low", ""), TrainingImage(1, "high", "")))


def test_work_counts_training_first_and_then_rating(protocol) -> None:
    counts = {}
    for done in range(7):
        work = work_at(Place(done, done), ORDER, protocol)
        counts[done] = (work["done"], work["total"], work["training"], work["can_undo"])
        assert [work[name] and work[name]["presentation"] for name in ("current", "next")] == [
            100 + at if at < 6 else None for at in (done, done + 1)
        ]
    assert counts == {
        0: (0, 2, True, False),
        1: (1, 2, True, False),
        2: (0, 4, False, False),
        3: (1, 4, False, True),
        4: (2, 4, False, True),
        5: (3, 4, False, True),
        6: (4, 4, False, True),
    }
    assert not work_at(Place(3, 4), ORDER, protocol)["can_undo"]


def test_a_repeat_looks_like_any_other(protocol) -> None:
    repeat, other = (work_at(Place(at, at), ORDER, protocol)["current"] for at in (4, 3))
    assert repeat == other | {"presentation": 104, "pixels": "/api/pixels/104"}


def test_last_current_and_next_are_visible() -> None:
    numbers = {done: [each.image for each in visible(Place(done, done), ORDER)] for done in (0, 3, 6)}
    assert numbers == {0: [0, 1], 3: [2, 3, 4], 6: [5]}


@pytest.fixture
def rater(make_study):
    """A connection, and how ann judges over it."""
    study = make_study()
    with study.database.engine.begin() as connection:
        number, protocol = protocol_in_force(connection)
        ann = connection.scalar(select(Participant.id).where(Participant.name == "ann"))
        order = order_of(connection, ann)

        def say(category: str, at: int, submission: str | None = None):
            said = Judgement(
                order[at].presentation, submission or str(uuid.uuid4()), category, (), None, 1, {}
            )
            return judge(connection, ann, order, number, protocol, said, NOW)

        yield connection, ann, protocol, say


def test_a_judgement_and_the_place_move_together(rater) -> None:
    connection, ann, protocol, say = rater
    assert place_of(connection, ann) == Place(0, 0)
    assert say("low", 0) == (Place(1, 1), None)
    assert say("high", 1) == (Place(2, 2), None)
    assert undo(connection, ann, protocol) == place_of(connection, ann) == Place(1, 2)
    assert say("low", 1) == (Place(2, 2), None)
    assert place_of(connection, ann) == Place(2, 2)
    assert connection.scalar(select(func.count(Reading.id))) == 3


def test_what_is_refused_leaves_no_row(rater) -> None:
    connection, ann, protocol, say = rater
    with pytest.raises(Refused, match="Another image"):
        say("low", 1)
    with pytest.raises(Refused, match="nothing to undo"):
        undo(connection, ann, protocol)
    for column in (Reading.id, Vote.id):
        assert connection.scalar(select(func.count(column))) == 0


def test_the_same_submission_is_kept_once(rater) -> None:
    connection, _, _, say = rater
    assert say("low", 0, "once") == say("low", 0, "once") == (Place(1, 1), None)
    # Nor does it become the judgement of the next image.
    assert say("low", 1, "once") == (Place(1, 1), None)
    assert connection.scalar(select(func.count(Reading.id))) == 1


def test_after_the_last_image_there_is_nothing_to_judge(rater) -> None:
    connection, ann, _, say = rater
    for at in range(8):
        say("low", at)
    with pytest.raises(Refused):
        say("low", 7)
    assert place_of(connection, ann) == Place(8, 8)

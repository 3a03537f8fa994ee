from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from miqanet.consensus import Vote
from miqanet.database.study_schema import Purpose
from miqanet.study.votes import consensus_votes, standing_readings, utc


@pytest.fixture
def read(make_study):
    study = make_study(images=4, raters=("ann",), per_image=1)
    ann = study.client("ann")
    for verdict in ("low", "high", "low"):
        ann.vote(verdict, dwell_ms=2500)
    ann.post("/api/undo")
    ann.vote("high", dwell_ms=4000)
    with study.database.engine.connect() as connection:
        return study, standing_readings(connection)


def test_the_latest_reading_stands(read) -> None:
    _, standing = read
    assert [(each.position, each.category, each.dwell_ms) for each in standing] == [
        (0, "low", 2500),
        (1, "high", 2500),
        (2, "high", 4000),
    ]
    assert {each.rater for each in standing} == {"ann"}
    assert standing[0].purpose is Purpose.RATING


def test_votes_are_on_the_protocols_scale_in_the_order_of_reading(read) -> None:
    study, standing = read
    votes = consensus_votes(standing, study.protocol.grades)
    assert votes[2] == Vote(standing[2].path, "ann", 1, 2, 4.0)
    assert [vote.value for vote in votes] == [0, 1, 1]


def test_times_get_their_zone() -> None:
    noon = datetime(2026, 3, 1, 12, tzinfo=UTC)
    assert utc(noon.replace(tzinfo=None)) == noon
    assert utc(noon.astimezone(timezone(timedelta(hours=2)))).isoformat() == "2026-03-01T12:00:00+00:00"

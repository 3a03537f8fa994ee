from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from miqanet.hospital.node_schema import ScoreCount, Series, Verdict
from miqanet.hospital.store import NodeStore, series_result
from miqanet.hospital.tallies import local_day


@pytest.fixture
def store(node_engine):
    return NodeStore(node_engine)


@pytest.fixture
def judge(store, arrival):
    """Receive and judge images, each with its results."""

    def judge(*images, day=0):
        for number, results in enumerate(images, 1):
            store.add_image(replace(arrival(number), scanner="MR-2"), 1e9 + 86_400 * day)
            (image,) = store.take_images(2e9, 1.0, 1)
            assert store.add_verdicts(image.id, results)

    return judge


def test_a_series_is_graded_as_its_report_grades_it(judge, result, node_engine):
    judge(*([result(outcome)] for outcome in ("high", "high", "high", "review", "low", "error")))
    with Session(node_engine) as session:
        series = session.scalars(select(Series)).one()
        assert (series.received_images, series.done_images, series.judged) == (6, 6, 5)
        assert (series.low, series.review) == (1, 1)
        assert series.grade is series_result(session, series).grade


def test_a_series_without_a_verdict_has_no_grade(judge, result, node_engine):
    judge([result("error")])
    with Session(node_engine) as session:
        series = session.scalars(select(Series)).one()
        assert (series.grade, series.worst_verdict_id, series.done_images) == (None, None, 1)


def test_the_worst_frame_of_all_images_is_known(store, judge, result, node_engine):
    judge([result("high")], [result("high", frame=1), result("low", frame=2)], [result("review")])
    with Session(node_engine) as session:
        series = session.scalars(select(Series)).one()
        worst = session.get_one(Verdict, series.worst_verdict_id)
        assert (worst.image_id, worst.frame) == (2, 2)
        assert series.worst_probability == worst.probability_low
    assert store.worst_probability(3) == worst.probability_low


def test_scores_are_counted_by_scanner_day_and_bin(judge, result, node_engine):
    judge([result("low", frame=1), result("low", frame=2)], [result("review")], [result("error")])
    with Session(node_engine) as session:
        counts = {
            each.bin: (each.scanner, each.day, each.judged, each.low, each.review)
            for each in session.scalars(select(ScoreCount))
        }
    day = local_day(1e9)
    assert counts == {18: ("MR-2", day, 2, 2, 0), 9: ("MR-2", day, 1, 0, 1)}


def test_a_certain_verdict_is_in_the_last_bin(judge, result, node_engine):
    low = result("low")
    judge([replace(low, verdict=replace(low.verdict, probability_low=1.0))])
    with Session(node_engine) as session:
        assert session.scalars(select(ScoreCount.bin)).all() == [19]


def test_verdicts_that_come_twice_count_once(store, judge, result, node_engine):
    judge([result("low")])
    assert not store.add_verdicts(1, [result("low")])
    with Session(node_engine) as session:
        assert session.scalars(select(ScoreCount.judged)).all() == [1]
        assert session.scalars(select(Series.judged)).one() == 1

from __future__ import annotations

import math

import numpy as np
import pytest

from miqanet.consensus import Ratings, Vote, biases, rater_reports
from miqanet.consensus.rater_report import RaterReport, deviations

SCALE = (0, 1, 2, 3, 4, 5, 6)
ITEMS = 60


def study() -> dict[str, RaterReport]:
    """Four raters read 60 items of grade 2 to 3: Ann as they are; Ben gives one more, and takes half the time
    by the end; Cat rises by one grade on the way; Dan reads some twice."""
    rng = np.random.default_rng(0)
    votes = []
    for rater in ("Ann", "Ben", "Cat", "Dan"):
        for order, item in enumerate(rng.permutation(ITEMS).tolist()):
            progress = order / (ITEMS - 1)
            grade = 2 + item % 2 + (rater == "Ben") + (rater == "Cat" and progress > 0.5)
            seconds = 8 * 0.5**progress if rater == "Ben" else 8.0
            votes.append(Vote(f"{item:02}", rater, grade, order, seconds))
    votes += [Vote(f"{item:02}", "Dan", 2 + item % 2, ITEMS + item, 1.0) for item in range(10)]
    return {report.rater: report for report in rater_reports(votes, SCALE)}


@pytest.fixture(scope="module")
def reports() -> dict[str, RaterReport]:
    return study()


def test_every_rater_has_a_report(reports: dict[str, RaterReport]) -> None:
    assert list(reports) == ["Ann", "Ben", "Cat", "Dan"]
    assert {report.items for report in reports.values()} == {ITEMS}


def test_speed_is_the_median_time_of_first_readings(reports: dict[str, RaterReport]) -> None:
    assert reports["Dan"].seconds.value == 8
    assert reports["Ben"].seconds.value == pytest.approx(8 * 0.5**0.5, rel=0.01)
    assert reports["Ben"].seconds.least < reports["Ben"].seconds.value < reports["Ben"].seconds.greatest


def test_pace_is_the_last_time_by_the_first(reports: dict[str, RaterReport]) -> None:
    assert reports["Ben"].pace.value == pytest.approx(0.5)
    assert reports["Ann"].pace.value == pytest.approx(1)


def test_bias_is_the_difference_from_the_others(reports: dict[str, RaterReport]) -> None:
    # Cat gives half a grade more on average: the others' means are above Ann by 1 / 3 (1 + 1 / 2).
    assert reports["Ben"].bias.value == pytest.approx(1 - 1 / 6)
    assert reports["Ann"].bias.value == pytest.approx(-0.5)
    assert reports["Ann"].bias.greatest < 0 < reports["Ben"].bias.least


def test_drift_is_the_change_of_bias_on_the_way(reports: dict[str, RaterReport]) -> None:
    # A straight line through a step from 0 to 1 in the middle rises by 1.5.
    assert reports["Cat"].drift.value == pytest.approx(1.5, abs=0.15)
    assert reports["Cat"].drift.least > 1
    assert abs(reports["Dan"].drift.value) < 0.5


def test_agreement_with_others_and_with_oneself(reports: dict[str, RaterReport]) -> None:
    assert reports["Dan"].repeats == 10
    assert reports["Dan"].intra_rater_kappa.value == 1
    assert reports["Ann"].repeats == 0
    assert math.isnan(reports["Ann"].intra_rater_kappa.value)
    assert reports["Dan"].agreement.value > reports["Ben"].agreement.value == 0


def test_without_times_there_is_no_speed() -> None:
    reports = rater_reports([Vote(str(n), r, n % 2, n) for n in range(6) for r in "AB"], SCALE)
    for report in reports:
        assert math.isnan(report.seconds.value)
        assert math.isnan(report.pace.value)
        assert report.bias.value == 0


def test_deviations_are_from_the_mean_of_the_others() -> None:
    ratings = Ratings.of([[1, 2, 6], [3, np.nan, 1], [4, np.nan, np.nan]], categories=SCALE)
    np.testing.assert_array_equal(
        deviations(ratings), [[-3, -1.5, 4.5], [2, np.nan, -2], [np.nan, np.nan, np.nan]]
    )
    np.testing.assert_array_equal(biases(ratings), [-0.5, -1.5, 1.25])


def test_who_shares_no_item_has_no_bias() -> None:
    assert np.isnan(biases(Ratings.of([[1, np.nan], [np.nan, 2]]))).all()

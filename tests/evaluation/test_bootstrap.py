"""Intervals draw subjects, come out the same again, and hold the figure."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from miqanet.consensus import Estimate
from miqanet.evaluation import bootstrap
from miqanet.evaluation.bootstrap import difference, estimate, estimates, stated
from miqanet.evaluation.metrics import TABLE, Judged, accuracy, auc, calibration_error, false_alarm_rate


def random(images: int = 200, gain: float = 0.2) -> Judged:
    rng = np.random.default_rng(0)
    low = rng.random(images) < 0.5
    return Judged(rng.random(images) * 0.7 + gain * low, low, rng.integers(40, size=images))


def alike(images_a_subject: int, subjects: int = 12) -> Judged:
    """Return subjects whose images are all judged alike, right or wrong."""
    rng = np.random.default_rng(3)
    probability = np.repeat(np.where(rng.random(subjects) < 0.3, 0.9, 0.1), images_a_subject)
    number = len(probability)
    return Judged(probability, np.zeros(number, bool), np.repeat(np.arange(subjects), images_a_subject))


def test_intervals_know_that_images_of_a_subject_are_alike():
    figure = partial(false_alarm_rate, threshold=0.5)
    judged = alike(30)
    by_subject = estimate(figure, judged)
    by_image = estimate(figure, Judged(judged.probability_low, judged.low, np.arange(len(judged))))
    assert by_subject.value == by_image.value
    assert by_subject.greatest - by_subject.least > 3 * (by_image.greatest - by_image.least)
    # Thirty images of a subject that are judged alike say no more than one.
    once = estimate(figure, alike(1))
    assert by_subject.least == pytest.approx(once.least)
    assert by_subject.greatest == pytest.approx(once.greatest)


def test_intervals_hold_the_figure_and_come_out_the_same_again():
    judged = random()
    first = estimate(auc, judged)
    assert 0 < first.least < first.value < first.greatest < 1
    assert estimate(auc, judged) == first
    assert estimate(auc, judged, seed=1) != first


def test_resamplings_are_the_same_however_many_at_once(monkeypatch):
    judged = random()
    whole = estimates(TABLE, judged)
    monkeypatch.setattr(bootstrap, "_WEIGHTS_AT_ONCE", 10_000)
    for name, figure in estimates(TABLE, judged).items():
        assert figure.value == whole[name].value
        assert figure.least == pytest.approx(whole[name].least, abs=1e-12)
        assert figure.greatest == pytest.approx(whole[name].greatest, abs=1e-12)


def test_resamplings_without_a_class_are_left_out():
    # Of four subjects, each image of either class is a subject's: in one of eight resamplings a class is missing.
    judged = Judged(np.array([0.9, 0.8, 0.1, 0.2]), np.array([True, True, False, False]), np.arange(4))
    assert estimate(auc, judged) == Estimate(1, 1, 1)


def test_what_rests_on_one_subject_has_no_interval():
    low = np.arange(60) < 3
    judged = Judged(
        np.where(low, 0.9, 0.1), low, np.arange(60) // 3
    )  # all that is low is of one of 20 subjects
    found = estimates({"auc": auc, "accuracy": accuracy}, judged)
    assert found["auc"].value == 1
    assert math.isnan(found["auc"].least)
    assert found["accuracy"] == Estimate(1, 1, 1)


def test_one_subject_tells_nothing_about_others():
    alone = estimate(accuracy, replace(random(), subject=np.zeros(200, np.int64)))
    assert 0 < alone.value < 1
    assert math.isnan(alone.least)
    assert math.isnan(alone.greatest)
    assert stated(alone) == {"value": alone.value, "least": None, "greatest": None}


def test_intervals_of_calibration_errors_hold_the_figure():
    for seed in range(20):
        rng = np.random.default_rng(seed)
        probability = rng.random(300)
        calibrated = Judged(probability, rng.random(300) < probability, rng.integers(30, size=300))
        for figure in (calibration_error, partial(calibration_error, target=calibrated.low * 0.5)):
            found = estimate(figure, calibrated)
            assert 0 <= found.least < found.value < found.greatest


def test_a_figure_without_images_has_no_interval():
    none = random().take(np.zeros(200, bool))
    for figure in (auc, accuracy):
        undefined = estimate(figure, none)
        assert math.isnan(undefined.value)
        assert math.isnan(undefined.least)
        assert math.isnan(undefined.greatest)


def test_a_difference_is_told_more_exactly_than_its_parts():
    better, worse = random(gain=0.3), random(gain=0.25)
    gap = difference(auc, better, worse)
    assert gap.value == pytest.approx(estimate(auc, better).value - estimate(auc, worse).value)
    assert gap.least > 0
    assert gap.greatest - gap.least < estimate(auc, better).greatest - estimate(auc, better).least
    with pytest.raises(ValueError, match="same images"):
        difference(auc, better, worse.take(np.arange(10)))

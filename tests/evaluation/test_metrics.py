from __future__ import annotations

import math
from functools import partial

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from miqanet.evaluation.metrics import Estimate, Judged, accuracy, auc, estimate, false_alarm_rate, miss_rate

FOUR = Judged(
    np.array([0.9, 0.4, 0.6, 0.1]), np.array([True, True, False, False]), np.array([0, 0, 1, 1], np.int64)
)


def test_figures_are_those_counted_by_hand():
    assert auc(FOUR) == pytest.approx(3 / 4)
    assert false_alarm_rate(FOUR, 0.5) == 0.5
    assert miss_rate(FOUR, 0.5) == 0.5
    assert accuracy(FOUR, 0.5) == 0.5
    assert accuracy(FOUR, 0.7) == 0.75


def test_an_image_at_the_threshold_is_called_low():
    assert false_alarm_rate(FOUR, 0.6) == 0.5
    assert miss_rate(FOUR, 0.4) == 0


def test_area_is_sklearns():
    rng = np.random.default_rng(0)
    low = rng.random(80) < 0.4
    judged = Judged(rng.random(80) + 0.3 * low, low, np.arange(80))
    assert auc(judged) == pytest.approx(roc_auc_score(low, judged.probability_low))


def test_a_figure_without_its_images_is_not_a_number():
    low = FOUR.take(FOUR.low)
    none = FOUR.take(np.zeros(4, bool))
    assert math.isnan(auc(low))
    assert math.isnan(false_alarm_rate(low, 0.5))
    assert math.isnan(miss_rate(FOUR.take(~FOUR.low), 0.5))
    assert math.isnan(accuracy(none, 0.5))
    for figure in (auc, partial(accuracy, threshold=0.5)):
        undefined = estimate(figure, none)
        assert math.isnan(undefined.value)
        assert math.isnan(undefined.least)
        assert math.isnan(undefined.greatest)


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
    rng = np.random.default_rng(0)
    low = rng.random(200) < 0.5
    judged = Judged(rng.random(200) + 0.2 * low, low, rng.integers(40, size=200))
    first = estimate(auc, judged)
    assert 0 < first.least < first.value < first.greatest < 1
    assert estimate(auc, judged) == first
    assert estimate(auc, judged, seed=1) != first


def test_resamplings_without_a_class_are_left_out():
    judged = Judged(np.array([0.9, 0.1]), np.array([True, False]), np.array([0, 1], np.int64))
    assert estimate(auc, judged) == Estimate(1, 1, 1)


def test_an_estimate_is_written_with_its_interval():
    assert str(Estimate(0.97123, 0.95, 0.98765)) == "0.971 [0.950, 0.988]"

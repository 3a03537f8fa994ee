"""Calibration on rated images, tried on subjects that it was not fitted to."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import expit

from miqanet.evaluation.calibration import calibrate, decide, decide_left_out
from miqanet.evaluation.metrics import Judged
from miqanet.evaluation.thresholds import ErrorRates, Thresholds

RATES = ErrorRates(0.05, 0.1)


def site(subjects: int = 40, images: int = 10, overconfidence: float = 3.0, seed: int = 0) -> Judged:
    """Return images whose probabilities exaggerate, as a network's do elsewhere."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 3, subjects * images)
    low = rng.random(logits.size) < expit(logits)
    return Judged(expit(overconfidence * logits), low, np.repeat(np.arange(subjects), images))


def test_scaling_and_thresholds_belong_together():
    judged = site()
    fitted = calibrate(judged.probability_low, judged.low, RATES)
    assert fitted.scaling.temperature == pytest.approx(3, rel=0.2)
    scaled = replace(judged, probability_low=fitted.scaling.apply(judged.probability_low))
    decided = decide(scaled, fitted.thresholds)
    assert decided.passed[judged.low].mean() <= 0.05
    assert decided.condemned[~judged.low].mean() <= 0.1
    assert not (decided.passed & decided.condemned).any()
    assert not (decided.passed | decided.condemned).all()


def test_calibration_mends_what_it_was_not_fitted_to():
    judged = site(100)
    before = decide(judged, Thresholds(0.5, (0.5, 0.5))).figures()
    after = decide_left_out(judged, RATES).figures()
    assert after["calibration_error"].value < before["calibration_error"].value / 2
    assert after["low_passed"].value == pytest.approx(0.05, abs=0.03)
    assert after["high_condemned"].value == pytest.approx(0.1, abs=0.03)
    assert before["decided"].value == 1 > after["decided"].value


def test_no_subject_is_decided_by_what_was_fitted_to_itself():
    judged = site(10)
    whole = decide_left_out(judged, RATES)
    own = judged.subject == 3
    # Other labels of its own change the thresholds of everyone else's images at most.
    other = decide_left_out(replace(judged, low=np.where(own, ~judged.low, judged.low)), RATES)
    np.testing.assert_array_equal(other.judged.probability_low[own], whole.judged.probability_low[own])
    np.testing.assert_array_equal(other.passed[own], whole.passed[own])
    np.testing.assert_array_equal(other.condemned[own], whole.condemned[own])
    assert (other.judged.probability_low[~own] != whole.judged.probability_low[~own]).any()


def test_figures_against_votes_are_there_where_votes_are():
    judged = site(20)
    decided = decide(judged, Thresholds(0.5, (0.3, 0.7)))
    assert "calibration_error_of_votes" not in decided.figures()
    figures = decided.figures(judged.probability_low)
    assert figures["calibration_error_of_votes"].value == pytest.approx(0)


def test_too_few_subjects_are_refused():
    with pytest.raises(ValueError, match="4 subjects are too few: calibration takes at least 5"):
        decide_left_out(site(4), RATES)


def test_a_class_of_one_subject_is_refused():
    judged = site(6)
    with pytest.raises(ValueError, match="both classes"):
        decide_left_out(replace(judged, low=judged.subject == 0), RATES)

"""Figures against counts by hand and against scikit-learn, weights and ties included."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from sklearn import metrics as sk

from miqanet.evaluation.metrics import (
    CALIBRATION_BINS,
    TABLE,
    Judged,
    accuracy,
    auc,
    average_precision,
    balanced_accuracy,
    brier,
    calibration_error,
    calibration_error_by_chance,
    cohen_kappa,
    f1,
    false_alarm_rate,
    matthews_correlation,
    miss_rate,
    precision,
    recall,
    risk_coverage_area,
    sensitivity_at_specificity,
)

FOUR = Judged(
    np.array([0.9, 0.4, 0.6, 0.1]), np.array([True, True, False, False]), np.array([0, 0, 1, 1], np.int64)
)
ONCE = np.ones((1, 4))


def one(figure, judged, **arguments):
    return float(figure(judged, np.ones((1, len(judged))), **arguments)[0])


def random(images: int = 90) -> Judged:
    """Return images of which many are judged alike: probabilities in steps of a twentieth."""
    rng = np.random.default_rng(0)
    low = rng.random(images) < 0.4
    probability = np.round(np.clip(rng.random(images) * 0.7 + 0.3 * low, 0, 1) * 20) / 20
    return Judged(probability, low, rng.integers(12, size=images))


def drawn(images: int) -> np.ndarray:
    return np.random.default_rng(1).integers(0, 4, (5, images)).astype(float)


def test_figures_are_those_counted_by_hand():
    assert one(auc, FOUR) == pytest.approx(3 / 4)
    assert one(false_alarm_rate, FOUR) == 0.5
    assert one(miss_rate, FOUR) == 0.5
    assert one(accuracy, FOUR) == 0.5
    assert one(accuracy, FOUR, threshold=0.7) == 0.75
    assert one(recall, FOUR, of_low=True, threshold=0.7) == 0.5
    assert one(precision, FOUR, of_low=True, threshold=0.7) == 1


def test_an_image_at_the_threshold_is_called_low():
    assert one(false_alarm_rate, FOUR, threshold=0.6) == 0.5
    assert one(miss_rate, FOUR, threshold=0.4) == 0


@pytest.mark.parametrize(
    ("figure", "reference"),
    [
        (auc, lambda low, p, w: sk.roc_auc_score(low, p, sample_weight=w)),
        (average_precision, lambda low, p, w: sk.average_precision_score(low, p, sample_weight=w)),
        (brier, lambda low, p, w: sk.brier_score_loss(low, p, sample_weight=w)),
    ],
)
def test_figures_of_probabilities_are_scikit_learns(figure, reference):
    judged = random()
    weights = drawn(len(judged))
    expected = [reference(judged.low, judged.probability_low, w) for w in weights]
    np.testing.assert_allclose(figure(judged, weights), expected)


@pytest.mark.parametrize(
    ("figure", "reference"),
    [
        (accuracy, sk.accuracy_score),
        (balanced_accuracy, sk.balanced_accuracy_score),
        (cohen_kappa, sk.cohen_kappa_score),
        (matthews_correlation, sk.matthews_corrcoef),
        (partial(precision, of_low=True), partial(sk.precision_score, pos_label=True)),
        (partial(recall, of_low=False), partial(sk.recall_score, pos_label=False)),
        (partial(f1, of_low=True), partial(sk.f1_score, pos_label=True)),
        (partial(f1, of_low=False), partial(sk.f1_score, pos_label=False)),
    ],
)
def test_figures_of_verdicts_are_scikit_learns(figure, reference):
    judged = random()
    weights = drawn(len(judged))
    called = judged.probability_low >= 0.5
    expected = [reference(judged.low, called, sample_weight=w) for w in weights]
    np.testing.assert_allclose(figure(judged, weights), expected)


def test_sensitivity_at_a_specificity_is_the_roc_curves():
    judged = random()
    for w, value in zip(
        drawn(len(judged)), sensitivity_at_specificity(judged, drawn(len(judged))), strict=True
    ):
        false, found, _ = sk.roc_curve(judged.low, judged.probability_low, sample_weight=w)
        assert value == pytest.approx(found[false <= 0.05 + 1e-12].max())


def test_drawing_an_image_twice_is_having_it_twice():
    judged = random()
    weights = drawn(len(judged))
    for name, figure in TABLE.items():
        for w, value in zip(weights, figure(judged, weights), strict=True):
            repeated = judged.take(np.repeat(np.arange(len(judged)), w.astype(int)))
            assert one(figure, repeated) == pytest.approx(value), name


def test_calibration_error_is_the_mean_over_bins_of_equal_mass():
    rng = np.random.default_rng(0)
    probability = rng.permutation(np.linspace(0.01, 0.99, 20 * CALIBRATION_BINS))
    low = rng.random(len(probability)) < probability**2
    judged = Judged(probability, low, np.arange(len(low)))
    bins = np.array_split(np.argsort(probability), CALIBRATION_BINS)
    expected = np.mean([abs(probability[b].mean() - low[b].mean()) for b in bins])
    assert one(calibration_error, judged) == pytest.approx(expected)
    assert one(calibration_error, judged, target=probability) == pytest.approx(0)


def test_a_perfect_model_has_the_less_calibration_error_the_more_images_there_are():
    rng = np.random.default_rng(0)
    by_chance = []
    for images in (300, 30_000):
        probability = rng.random(images)
        # In a bin of n images the mean label is off by sqrt(p(1 - p) / n), times sqrt(2 / pi) for its size.
        bins = np.linspace(0.5, CALIBRATION_BINS - 0.5, CALIBRATION_BINS) / CALIBRATION_BINS
        expected = np.sqrt(2 / np.pi * bins * (1 - bins) * CALIBRATION_BINS / images).mean()
        judged = Judged(probability, np.zeros(images, bool), np.arange(images))
        by_chance.append(calibration_error_by_chance(judged, draws=50))
        assert by_chance[-1] == pytest.approx(expected, rel=0.15)
    assert by_chance[0] > 9 * by_chance[1]


def test_equal_probabilities_are_calibrated_in_whatever_order_their_images_come():
    low = np.arange(60) < 15
    judged = Judged(np.full(60, 0.25), low, np.arange(60))
    assert one(calibration_error, judged) == pytest.approx(0, abs=1e-12)
    steps = random()
    shuffled = steps.take(np.random.default_rng(2).permutation(len(steps)))
    assert one(calibration_error, shuffled) == pytest.approx(one(calibration_error, steps))


def test_errors_among_the_surest_images_cost_most():
    subject = np.arange(4)
    low = np.ones(4, bool)
    right_when_sure = Judged(np.array([0.99, 0.9, 0.8, 0.4]), low, subject)
    wrong_when_sure = Judged(np.array([0.01, 0.9, 0.8, 0.6]), low, subject)
    assert one(risk_coverage_area, right_when_sure, of_low=True) == pytest.approx((0 + 0 + 0 + 1 / 4) / 4)
    # 0.01 is surest: an error from the first image on.
    expected = (1 + 1 / 2 + 1 / 3 + 1 / 4) / 4
    assert one(risk_coverage_area, wrong_when_sure, of_low=True) == pytest.approx(expected)
    assert np.isnan(one(risk_coverage_area, wrong_when_sure, of_low=False))


def test_a_figure_without_its_images_is_not_a_number():
    low, none = FOUR.take(FOUR.low), FOUR.take(np.zeros(4, bool))
    for figure in (auc, average_precision, false_alarm_rate, sensitivity_at_specificity):
        assert np.isnan(one(figure, low if figure is not average_precision else FOUR.take(~FOUR.low)))
    assert np.isnan(one(miss_rate, FOUR.take(~FOUR.low)))
    for name, figure in TABLE.items():
        assert np.isnan(one(figure, none)), name

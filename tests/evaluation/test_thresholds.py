from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import f1_score

from miqanet.evaluation.thresholds import artifact_threshold, choose_thresholds


def answers(seed, high=200, low=100, decimals=6):
    """Return overlapping probabilities, rounded so that some are equal."""
    rng = np.random.default_rng(seed)
    probability = np.concatenate([rng.beta(2, 6, high), rng.beta(6, 2, low)]).round(decimals)
    return probability, np.repeat([False, True], [high, low])


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("decimals", [6, 1])
@pytest.mark.parametrize("high", [5, 37, 200])
def test_rates_hold_on_the_images_that_thresholds_are_chosen_on(seed, decimals, high):
    probability, low = answers(seed, high, low=high // 2, decimals=decimals)
    chosen = choose_thresholds(probability, low)
    least, greatest = chosen.review_band
    assert np.mean(probability[~low] >= chosen.decision) <= 0.03
    assert np.mean(probability[~low] > greatest) <= 0.01
    assert np.mean(probability[low] < least) <= 0.02
    assert least <= chosen.decision <= greatest


def test_the_decision_is_no_stricter_than_it_has_to_be():
    probability, low = answers(0, high=1000)
    decision = choose_thresholds(probability, low, false_alarm_rate=0.05).decision
    assert np.mean(probability[~low] >= decision) == pytest.approx(0.05, abs=0.001)
    # It lies between two images, on neither.
    assert np.abs(probability - decision).min() > 0


def test_separable_classes_have_the_decision_between_the_rates():
    probability = np.array([0.1, 0.2, 0.3, 0.8, 0.9])
    low = probability > 0.5
    chosen = choose_thresholds(probability, low)
    assert 0.3 < chosen.decision < 1
    assert chosen.review_band[0] <= 0.8


@pytest.mark.parametrize("label", [True, False])
def test_one_class_is_not_enough(label):
    with pytest.raises(ValueError, match="both classes"):
        choose_thresholds(np.array([0.2, 0.7]), np.array([label, label]))


@pytest.mark.parametrize("decimals", [6, 1])
def test_an_artifact_is_named_where_f1_is_best(decimals):
    probability, present = answers(1, decimals=decimals)
    chosen = artifact_threshold(probability, present)
    best = max(f1_score(present, probability >= threshold) for threshold in np.unique(probability))
    assert f1_score(present, probability >= chosen) == pytest.approx(best)
    assert np.abs(probability - chosen).min() > 0


def test_an_artifact_that_was_never_seen_is_named_from_one_half():
    assert artifact_threshold(np.array([0.1, 0.9]), np.array([False, False])) == 0.5


def test_an_artifact_that_is_always_there_is_always_named():
    probability = np.array([0.3, 0.5, 0.2])
    assert 0 < artifact_threshold(probability, np.ones(3, bool)) < 0.2

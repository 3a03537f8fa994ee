from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import f1_score

from miqanet.evaluation.thresholds import ErrorRates, artifact_threshold, choose_thresholds


def answers(seed, high=200, low=100, decimals=6):
    """Return overlapping probabilities, rounded so that some are equal."""
    rng = np.random.default_rng(seed)
    probability = np.concatenate([rng.beta(2, 6, high), rng.beta(6, 2, low)]).round(decimals)
    return probability, np.repeat([False, True], [high, low])


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("decimals", [6, 1])
@pytest.mark.parametrize("high", [5, 37, 200])
@pytest.mark.parametrize("rates", [(0.02, 0.05), (0.0, 0.0), (0.1, 0.3)])
def test_rates_hold_on_the_images_that_thresholds_are_chosen_on(seed, decimals, high, rates):
    probability, low = answers(seed, high, low=high // 2, decimals=decimals)
    misses, false_alarms = rates
    chosen = choose_thresholds(probability, low, ErrorRates(misses, false_alarms))
    least, greatest = chosen.review_band
    assert np.mean(probability[low] < least) <= misses
    assert np.mean(probability[~low] >= greatest) <= false_alarms
    assert least <= chosen.decision <= greatest


def test_the_band_is_no_wider_than_it_has_to_be():
    probability, low = answers(0, high=2000, low=1000)
    least, greatest = choose_thresholds(probability, low).review_band
    assert least < greatest
    assert np.mean(probability[low] < least) == pytest.approx(0.02, abs=0.001)
    assert np.mean(probability[~low] >= greatest) == pytest.approx(0.05, abs=0.001)
    # It ends between images, on none.
    assert np.abs(probability - least).min() > 0
    assert np.abs(probability - greatest).min() > 0


def test_no_person_is_asked_where_both_rates_hold_without():
    probability, low = answers(0, high=1000, low=500)
    chosen = choose_thresholds(probability, low, ErrorRates(0.1, 0.1))
    assert chosen.review_band == (chosen.decision, chosen.decision)
    assert np.mean(probability[low] < chosen.decision) <= 0.1
    assert np.mean(probability[~low] >= chosen.decision) <= 0.1


def test_classes_that_do_not_overlap_are_parted_between_them():
    probability = np.array([0.1, 0.2, 0.3, 0.4, 0.45])
    chosen = choose_thresholds(probability, probability > 0.35)
    assert chosen.decision == pytest.approx(0.35)
    assert chosen.review_band == (chosen.decision, chosen.decision)


def test_the_decision_is_one_half_or_the_limit_next_to_it():
    overlapping, low = answers(0)

    def chosen(probability):
        return choose_thresholds(probability, low, ErrorRates(0, 0))

    assert chosen(overlapping).decision == 0.5
    assert chosen(0.6 + 0.4 * overlapping).decision == chosen(0.6 + 0.4 * overlapping).review_band[0] > 0.6
    assert chosen(0.4 * overlapping).decision == chosen(0.4 * overlapping).review_band[1] < 0.4


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


def test_what_is_certain_stays_with_a_person_where_it_would_break_the_rate():
    probability, low = np.array([1.0, 1.0, 0.2, 0.1]), np.array([True, False, False, False])
    least, greatest = choose_thresholds(probability, low, ErrorRates(miss=0.02, false_alarm=0.05)).review_band
    assert not (probability >= round(greatest, 6)).any()
    mirrored = choose_thresholds(1 - probability, ~low, ErrorRates(miss=0.05, false_alarm=0.02))
    assert not (1 - probability < round(mirrored.review_band[0], 6)).any()
    assert least <= 1.0

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit
from sklearn.metrics import log_loss

from miqanet.evaluation.temperature import apply_temperature, fit_temperature


def labelled(images: int = 4000, overconfidence: float = 3.0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 2, images)
    low = rng.random(images) < expit(logits)
    return expit(overconfidence * logits), low


def test_the_factor_of_overconfidence_is_found():
    probability, low = labelled(overconfidence=3.0)
    assert fit_temperature(probability, low) == pytest.approx(3.0, rel=0.1)
    probability, low = labelled(overconfidence=0.5)
    assert fit_temperature(probability, low) == pytest.approx(0.5, rel=0.1)


def test_no_other_temperature_makes_the_labels_likelier():
    probability, low = labelled(300)
    best = fit_temperature(probability, low)
    least = log_loss(low, apply_temperature(probability, best))
    for other in (0.5, 0.9, 1.1, 2.0):
        assert log_loss(low, apply_temperature(probability, other * best)) > least


def test_verdicts_and_order_stay():
    probability = np.array([0.0, 0.2, 0.5, 0.500001, 0.9, 1.0])
    scaled = apply_temperature(probability, 4.0)
    assert ((scaled >= 0.5) == (probability >= 0.5)).all()
    assert (np.diff(scaled) > 0).all()
    np.testing.assert_allclose(apply_temperature(probability, 1.0), probability, atol=1e-6)


def test_labels_that_are_all_foreseen_still_have_a_temperature():
    low = np.array([True, False, True, False])
    assert fit_temperature(np.array([0.9, 0.2, 0.8, 0.1]), low) == pytest.approx(0.01, rel=0.1)


def test_one_class_has_no_temperature():
    with pytest.raises(ValueError, match="both classes"):
        fit_temperature(np.array([0.9, 0.2]), np.array([True, True]))

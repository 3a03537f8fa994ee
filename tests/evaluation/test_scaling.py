from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss

from miqanet.evaluation.scaling import fit_scaling
from miqanet.screening.scaling import Scaling, logits


def labelled(
    images: int = 4000, overconfidence: float = 3.0, alarm: float = 0.0
) -> tuple[np.ndarray, np.ndarray]:
    """Return probabilities that exaggerate, and speak for low more than they should, with their labels."""
    rng = np.random.default_rng(0)
    true = rng.normal(0, 2, images)
    return expit(overconfidence * (true + alarm)), rng.random(images) < expit(true)


@pytest.mark.parametrize(("overconfidence", "alarm"), [(3.0, 0.0), (0.5, 0.0), (2.0, 1.2), (0.7, -1.0)])
def test_overconfidence_and_bias_are_found(overconfidence: float, alarm: float):
    fitted = fit_scaling(*labelled(overconfidence=overconfidence, alarm=alarm))
    assert fitted.temperature == pytest.approx(overconfidence, rel=0.1)
    assert fitted.bias == pytest.approx(-alarm, abs=0.1)


def test_it_is_logistic_regression_without_penalty():
    probability, low = labelled(300, alarm=0.5)
    expected = LogisticRegression(C=np.inf).fit(logits(probability)[:, None], low)
    fitted = fit_scaling(probability, low)
    assert 1 / fitted.temperature == pytest.approx(expected.coef_[0, 0], rel=1e-3)
    assert fitted.bias == pytest.approx(expected.intercept_[0], abs=1e-3)


def test_no_other_scaling_makes_the_labels_likelier():
    probability, low = labelled(300, alarm=0.5)
    best = fit_scaling(probability, low)
    least = log_loss(low, best.apply(probability))
    for other in (0.5, 0.9, 1.1, 2.0):
        assert log_loss(low, Scaling(other * best.temperature, best.bias).apply(probability)) > least
    for moved in (-0.5, -0.1, 0.1, 0.5):
        assert log_loss(low, Scaling(best.temperature, best.bias + moved).apply(probability)) > least


def test_on_average_as_many_are_low_as_it_says():
    probability, low = labelled(500, alarm=1.0)
    assert fit_scaling(probability, low).apply(probability).mean() == pytest.approx(low.mean(), abs=1e-3)


def test_a_method_that_is_wrong_more_often_than_right_keeps_its_order():
    probability, low = labelled(500)
    fitted = fit_scaling(1 - probability, low)
    assert (np.diff(fitted.apply(np.array([0.1, 0.5, 0.9]))) > 0).all()


def test_labels_that_are_all_foreseen_still_have_a_scaling():
    probability, low = np.array([0.9, 0.2, 0.8, 0.1]), np.array([True, False, True, False])
    scaled = fit_scaling(probability, low).apply(probability)
    assert np.isfinite(scaled).all()
    assert ((scaled > 0.5) == low).all()


def test_one_class_has_no_scaling():
    with pytest.raises(ValueError, match="both classes"):
        fit_scaling(np.array([0.9, 0.2]), np.array([True, True]))

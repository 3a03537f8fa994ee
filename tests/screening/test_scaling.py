from __future__ import annotations

import numpy as np
import pytest

from miqanet.screening.scaling import Scaling, logits

PROBABILITY = np.array([0.01, 0.3, 0.5, 0.9])


def test_logits_are_divided_and_moved():
    np.testing.assert_allclose(logits(Scaling(2.5, -0.7).apply(PROBABILITY)), logits(PROBABILITY) / 2.5 - 0.7)
    np.testing.assert_allclose(logits(PROBABILITY), np.log(PROBABILITY / (1 - PROBABILITY)))


def test_by_default_nothing_changes():
    np.testing.assert_allclose(Scaling().apply(PROBABILITY), PROBABILITY, atol=1e-12)


def test_two_scalings_are_one():
    first, second = Scaling(2.0, 0.4), Scaling(0.7, -1.5)
    np.testing.assert_allclose(
        first.then(second).apply(PROBABILITY), second.apply(first.apply(PROBABILITY)), atol=1e-9
    )


def test_the_order_of_images_stays():
    scaled = Scaling(4.0, -2.0).apply(np.array([0.0, 0.2, 0.5, 0.500001, 0.9, 1.0]))
    assert (np.diff(scaled) > 0).all()


def test_a_probability_of_half_precision_has_a_logit():
    scaled = Scaling(2.0).apply(np.array([0.0, 1.0], np.float32))
    assert 0 < scaled[0] < 0.001
    assert 0.999 < scaled[1] < 1


@pytest.mark.parametrize("temperature", [0.0, -1.0, float("nan")])
def test_a_temperature_that_is_none_is_refused(temperature: float):
    with pytest.raises(ValueError, match="a temperature is above 0"):
        Scaling(temperature)

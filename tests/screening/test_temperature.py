from __future__ import annotations

import numpy as np

from miqanet.screening.temperature import apply_temperature, logits


def test_logits_are_divided():
    probability = np.array([0.01, 0.3, 0.5, 0.9])
    np.testing.assert_allclose(logits(apply_temperature(probability, 2.5)), logits(probability) / 2.5)
    np.testing.assert_allclose(logits(probability), np.log(probability / (1 - probability)))


def test_two_temperatures_are_their_product():
    probability = np.array([0.01, 0.3, 0.5, 0.9])
    np.testing.assert_allclose(
        apply_temperature(apply_temperature(probability, 2.0), 0.7), apply_temperature(probability, 1.4)
    )


def test_a_probability_of_half_precision_has_a_logit():
    scaled = apply_temperature(np.array([0.0, 1.0], np.float32), 2.0)
    assert 0 < scaled[0] < 0.001
    assert 0.999 < scaled[1] < 1

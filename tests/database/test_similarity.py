from __future__ import annotations

import numpy as np
import pytest

from miqanet.artifacts.phantom import phantom
from miqanet.database.similarity import BITS, DISTANCE, distances, perceptual_hash

IMAGE = phantom((128, 112), seed=1)


@pytest.mark.parametrize(
    "same",
    [
        300 * IMAGE,
        IMAGE**1.2,
        IMAGE + np.random.default_rng(0).normal(0, 0.005, IMAGE.shape),
        np.kron(IMAGE, np.ones((2, 2))),
    ],
    ids=["gain", "gamma", "noise", "matrix"],
)
def test_the_same_picture_in_another_form_is_near(same: np.ndarray) -> None:
    hashes = np.array([perceptual_hash(IMAGE), perceptual_hash(same)])
    assert hashes.shape == (2, BITS)
    assert distances(hashes, hashes)[0, 1] <= DISTANCE


def test_pictures_of_other_bodies_are_far() -> None:
    hashes = np.array([perceptual_hash(phantom((128, 112), seed=seed)) for seed in range(8)])
    apart = distances(hashes, hashes)
    assert not apart.diagonal().any()
    assert apart[~np.eye(8, dtype=bool)].min() > DISTANCE


def test_distance_is_the_number_of_bits_that_differ() -> None:
    hashes = np.random.default_rng(0).random((5, BITS)) < 0.5
    assert distances(hashes[:2], hashes).tolist() == [
        [int((one != other).sum()) for other in hashes] for one in hashes[:2]
    ]

"""What every registered artifact keeps to, whatever its physics."""

import pickle
from itertools import pairwise

import numpy as np
import pytest

from miqanet.artifacts import ARTIFACTS, KINDS, Artifact
from miqanet.artifacts.phantom import phantom

SHAPES = [(96, 96), (75, 121), (128, 61)]

each_artifact = pytest.mark.parametrize("artifact", ARTIFACTS.values(), ids=ARTIFACTS.keys())
each_shape = pytest.mark.parametrize("shape", SHAPES, ids=str)


def drawn(artifact: type[Artifact], seed: int, shape: tuple[int, int] = (96, 96)) -> Artifact:
    return artifact.draw(np.random.default_rng(seed), shape)


def test_kinds_are_sorted_and_name_their_artifacts():
    assert list(KINDS) == sorted(KINDS)
    assert len(KINDS) == 13
    assert all(ARTIFACTS[kind].kind == kind for kind in KINDS)


@each_artifact
@each_shape
def test_zero_severity_is_identity(artifact, shape):
    image = phantom(shape)
    assert np.array_equal(drawn(artifact, 0, shape).at(0).apply(image), image)


@each_artifact
@each_shape
def test_result_is_a_finite_magnitude_of_the_same_shape(artifact, shape):
    image = phantom(shape)
    before = image.copy()
    for seed in range(6):
        spoiled = drawn(artifact, seed, shape).apply(image)
        assert spoiled.shape == shape
        assert spoiled.dtype == np.float32
        assert np.isfinite(spoiled).all()
        assert spoiled.min() >= 0
    assert np.array_equal(image, before)


@each_artifact
def test_severity_is_monotone(artifact):
    image = phantom((96, 96))
    for seed in range(6):
        params = drawn(artifact, seed)
        errors = [np.linalg.norm(params.at(s).apply(image) - image) for s in (0, 0.1, 0.3, 0.6, 1)]
        # Copies moved farther may chance to overlap a little better, hence the 5 %.
        assert all(more > 0.95 * less for less, more in pairwise(errors))
        assert errors[-1] > errors[1] > 0


@each_artifact
def test_strength_vanishes_with_severity(artifact):
    image = phantom((96, 96))
    for seed in range(4):
        change = drawn(artifact, seed).at(1e-4).apply(image) - image
        assert np.linalg.norm(change) < 0.05 * np.linalg.norm(image)


@each_artifact
def test_draws_are_reproducible_and_vary(artifact):
    image = phantom((96, 96))
    assert drawn(artifact, 3) == drawn(artifact, 3)
    assert drawn(artifact, 3) != drawn(artifact, 4)
    assert np.array_equal(drawn(artifact, 3).apply(image), drawn(artifact, 3).apply(image))


@each_artifact
@pytest.mark.parametrize("factor", [1e-3, 4095.0])
def test_scales_with_the_image(artifact, factor):
    image = phantom((96, 96))
    for seed in range(4):
        params = drawn(artifact, seed)
        expected = params.apply(image) * np.float32(factor)
        np.testing.assert_allclose(
            params.apply(image * np.float32(factor)), expected, rtol=1e-3, atol=2e-4 * expected.max()
        )


@each_artifact
@pytest.mark.parametrize("shape", [(16, 9), (5, 33)], ids=str)
def test_small_and_empty_images_are_survived(artifact, shape):
    for image in (np.zeros(shape, np.float32), np.ones(shape, np.float32), phantom(shape)):
        spoiled = drawn(artifact, 0, shape).apply(image)
        assert spoiled.shape == shape
        assert np.isfinite(spoiled).all()


@each_artifact
def test_parameters_survive_pickling(artifact):
    params = drawn(artifact, 5)
    assert pickle.loads(pickle.dumps(params)) == params  # noqa: S301


@each_artifact
@pytest.mark.parametrize("severity", [-0.1, np.nan, np.inf])
def test_impossible_severity_is_refused(artifact, severity):
    with pytest.raises(ValueError, match="severity"):
        drawn(artifact, 0).at(severity)

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import gamma
from scipy.stats import gennorm

from miqanet.features.generalized_gaussian import RATIOS, SHAPES, fit_asymmetric, fit_shape

Array = NDArray[np.float64]


def test_grid_is_the_releases() -> None:
    assert len(SHAPES) == 9801
    assert SHAPES[0] == 0.2
    assert SHAPES[-1] == pytest.approx(10)
    assert (np.diff(RATIOS) < 0).all()
    # A Gaussian has E[x^2] / E[|x|]^2 = pi / 2, a Laplacian 2.
    assert RATIOS[1800] == pytest.approx(np.pi / 2)
    assert RATIOS[800] == pytest.approx(2)


@pytest.mark.parametrize("shape", [0.5, 1.0, 2.0, 5.0])
def test_shape_of_a_sample_is_found(shape: float) -> None:
    probabilities = (np.arange(200_000) + 0.5) / 200_000
    sample = 3 * gennorm.ppf(probabilities, shape)
    assert fit_shape(sample) == pytest.approx(shape, abs=0.01)


def test_shape_knows_nothing_of_the_scale() -> None:
    sample = np.random.default_rng(0).normal(size=1000)
    assert fit_shape(sample) == fit_shape(1e-9 * sample)


def test_shape_is_about_zero_not_about_the_mean() -> None:
    sample = np.random.default_rng(0).normal(size=1000)
    assert fit_shape(sample + 10) == SHAPES[-1]


def test_zeros_have_the_first_shape() -> None:
    assert fit_shape(np.zeros((4, 4))) == 0.2


def literal_asymmetric(p: Array) -> tuple[float, ...]:
    """Step by step what the release of BRISQUE does."""
    grid = np.arange(200, 10001) / 1000
    left = np.sqrt(np.mean(p[p < 0] ** 2))
    right = np.sqrt(np.mean(p[p > 0] ** 2))
    ratio = left / right
    normed = np.mean(np.abs(p)) ** 2 / np.mean(p**2) * (ratio**3 + 1) * (ratio + 1) / (ratio**2 + 1) ** 2
    alpha = grid[np.argmin((gamma(2 / grid) ** 2 / (gamma(1 / grid) * gamma(3 / grid)) - normed) ** 2)]
    eta = (right - left) * gamma(2 / alpha) / gamma(1 / alpha) * np.sqrt(gamma(1 / alpha) / gamma(3 / alpha))
    return alpha, eta, left**2, right**2


def test_asymmetric_fit_follows_the_release_step_by_step() -> None:
    rng = np.random.default_rng(0)
    values = rng.laplace(size=(31, 40))
    values[values > 0] *= 2.5
    values[:5] = 0  # in neither tail, but in the moments
    np.testing.assert_allclose(
        fit_asymmetric([values[:9], values[9:]]), literal_asymmetric(values), rtol=1e-12
    )


def test_asymmetry_shows_in_mean_and_variances() -> None:
    values = np.random.default_rng(0).laplace(size=(50, 50))
    _, mean, left, right = fit_asymmetric([np.where(values > 0, 3 * values, values)])
    assert mean > 0
    assert right == pytest.approx(9 * left, rel=0.2)
    mirrored = fit_asymmetric([np.where(values < 0, 3 * values, values)])
    assert mirrored[1] < 0


def test_a_missing_tail_is_not_a_number() -> None:
    shape, mean, left, right = fit_asymmetric([np.ones((3, 3))])
    assert shape == 0.2
    assert np.isnan([mean, left]).all()
    assert right == 1

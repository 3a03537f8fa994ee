from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, maximum_filter, minimum_filter
from scipy.special import gamma

from miqanet.features.brisque import brisque, normalized
from miqanet.features.matlab import imresize

Array = NDArray[np.float64]
Reference = tuple[str, Array, Array]


def picture(rows: int, columns: int) -> Array:
    """Structure at several scales, with noise."""
    rng = np.random.default_rng(0)
    smooth = 400 * gaussian_filter(rng.normal(size=(rows, columns)), 3) + 128
    return np.clip(np.round(smooth + rng.normal(scale=8, size=smooth.shape)), 0, 255)


def clipped(rows: int, columns: int) -> Array:
    """Much of it white and flat, where rounding decides."""
    rng = np.random.default_rng(1)
    return np.clip(np.round(900 * gaussian_filter(rng.normal(size=(rows, columns)), 4) + 255), 0, 255)


def summed(image: Array) -> Array:
    """filter2 with the release's window as Octave sums: by columns from the left, within one from below."""
    squares = np.arange(-3, 4) ** 2
    window = np.exp(-(squares[:, None] + squares) / (2 * (7 / 6) * (7 / 6)))
    for _ in range(2):
        total = 0.0
        for column in window.T:
            for weight in column:
                total += weight
        window = window / total
    padded = np.pad(image, 3)
    rows, columns = image.shape
    out = np.zeros_like(image)
    for c in range(7):
        for r in reversed(range(7)):
            out = out + window[r, c] * padded[r : r + rows, c : c + columns]
    return out


def literal_shape(values: Array) -> float:
    grid = np.arange(200, 10001) / 1000
    ratios = gamma(1 / grid) * gamma(3 / grid) / gamma(2 / grid) ** 2
    return float(grid[np.argmin(np.abs(np.mean(values**2) / np.mean(np.abs(values)) ** 2 - ratios))])


def literal_products(p: Array) -> list[float]:
    grid = np.arange(200, 10001) / 1000
    left, right = np.sqrt(np.mean(p[p < 0] ** 2)), np.sqrt(np.mean(p[p > 0] ** 2))
    skew = left / right
    normed = np.mean(np.abs(p)) ** 2 / np.mean(p**2) * (skew**3 + 1) * (skew + 1) / (skew**2 + 1) ** 2
    a = grid[np.argmin((gamma(2 / grid) ** 2 / (gamma(1 / grid) * gamma(3 / grid)) - normed) ** 2)]
    eta = (right - left) * gamma(2 / a) / gamma(1 / a) * np.sqrt(gamma(1 / a)) / np.sqrt(gamma(3 / a))
    return [a, eta, left**2, right**2]


def literal_brisque(image: Array) -> Array:
    features: list[float] = []
    for scaled in (image, imresize(image, 0.5)):
        mean = summed(scaled)
        mscn = (scaled - mean) / (np.sqrt(np.abs(summed(scaled**2) - mean**2)) + 1)
        features += [literal_shape(mscn), float(np.mean(mscn**2))]
        for shift in ((0, 1), (1, 0), (1, 1), (-1, 1)):
            features += literal_products(mscn * np.roll(mscn, shift, axis=(0, 1)))
    return np.array(features)


@pytest.mark.parametrize("shape", [(64, 64), (63, 70), (48, 51), (15, 16)])
def test_features_follow_the_release_step_by_step(shape: tuple[int, int]) -> None:
    image = picture(*shape)
    np.testing.assert_allclose(brisque(image), literal_brisque(image), rtol=0, atol=1e-11)


def test_flat_windows_are_summed_in_the_releases_order() -> None:
    image = clipped(97, 110)
    flat = (maximum_filter(image, 7) == minimum_filter(image, 7)) & (image == 255)
    assert flat.mean() > 0.1
    np.testing.assert_allclose(brisque(image), literal_brisque(image), rtol=0, atol=1e-9)


@pytest.mark.pool
def test_reference_values_are_reproduced(references: Callable[[str], list[Reference]]) -> None:
    for name, image, features in references("brisque"):
        np.testing.assert_allclose(brisque(image), features, rtol=0, atol=1e-9, err_msg=name)


def test_normalized_noise_has_no_mean_and_knows_no_contrast() -> None:
    noise = np.random.default_rng(0).normal(size=(128, 128))
    inner = np.s_[4:-4, 4:-4]
    strong, weak = normalized(128 + 40 * noise)[inner], normalized(128 + 20 * noise)[inner]
    assert abs(strong.mean()) < 0.01
    assert 0.7 < weak.std() < strong.std() < 1.05 * weak.std()


def test_noise_makes_light_tails() -> None:
    image = picture(96, 96)
    noisy = image + np.random.default_rng(1).normal(scale=60, size=image.shape)
    assert brisque(noisy)[0] > brisque(gaussian_filter(image, 1))[0]


def test_blur_makes_neighbors_more_alike() -> None:
    image = picture(96, 96)
    sharp, blurred = brisque(image), brisque(gaussian_filter(image, 2))
    # Mean of the products with the horizontal neighbor.
    assert blurred[3] > sharp[3]


def test_a_black_image_defines_little() -> None:
    features = brisque(np.zeros((16, 16)))
    assert features[0] == 0.2
    assert features[1] == 0
    assert np.isnan(features[[3, 4, 5]]).all()

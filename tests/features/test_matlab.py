from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.signal import convolve2d

from miqanet.features.matlab import (
    filter_same,
    filter_valid,
    gaussian_taps,
    gaussian_window,
    imresize,
    imresize_to,
)

Array = NDArray[np.float64]


def cubic(x: float) -> float:
    x = abs(x)
    if x <= 1:
        return 1.5 * x**3 - 2.5 * x**2 + 1
    return -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2 if x <= 2 else 0.0


def resized_line(line: Array, size: int, scale: float) -> Array:
    """MATLAB's imresize of one line, a tap at a time."""
    n = len(line)
    shrink = min(scale, 1.0)
    width = 4 / shrink
    out = np.zeros(size)
    for k in range(1, size + 1):
        center = k / scale + 0.5 * (1 - 1 / scale)
        left = math.floor(center - width / 2)
        total = 0.0
        for tap in range(left, left + math.ceil(width) + 2):
            weight = shrink * cubic(shrink * (center - tap))
            place = tap
            while not 1 <= place <= n:  # ..2 1 | 1 2 .. n | n n-1 ..
                place = 1 - place if place < 1 else 2 * n + 1 - place
            out[k - 1] += weight * line[place - 1]
            total += weight
        out[k - 1] /= total
    return out


def resized(image: Array, shape: tuple[int, int], scales: tuple[float, float]) -> Array:
    rows = np.stack([resized_line(line, shape[0], scales[0]) for line in image.T], axis=1)
    return np.stack([resized_line(line, shape[1], scales[1]) for line in rows])


@pytest.fixture(scope="module")
def image() -> Array:
    return np.random.default_rng(0).uniform(0, 255, (13, 18))


@pytest.mark.parametrize("scale", [0.5, 0.3, 1.0, 2.0, 1.7])
def test_imresize_scales_as_matlab_defines(image: Array, scale: float) -> None:
    shape = math.ceil(13 * scale), math.ceil(18 * scale)
    out = imresize(image, scale)
    assert out.shape == shape
    np.testing.assert_allclose(out, resized(image, shape, (scale, scale)), rtol=0, atol=1e-11)


@pytest.mark.parametrize("shape", [(26, 36), (27, 18), (5, 40), (13, 9)])
def test_imresize_to_scales_each_axis_by_its_own_factor(image: Array, shape: tuple[int, int]) -> None:
    out = imresize_to(image, shape)
    expected = resized(image, shape, (shape[0] / 13, shape[1] / 18))
    np.testing.assert_allclose(out, expected, rtol=0, atol=1e-11)


def test_imresize_by_one_is_identity(image: Array) -> None:
    np.testing.assert_array_equal(imresize(image, 1.0), image)


def test_halving_whole_numbers_is_exact(image: Array) -> None:
    """Weights are binary fractions, so a flat part stays flat to the last digit."""
    whole = np.round(image)
    whole[:, 9:] = 255
    halved = imresize(whole, 0.5)
    np.testing.assert_array_equal(halved[:, 8:], 255)
    np.testing.assert_array_equal(halved * 2**16, np.round(halved * 2**16))


def test_a_line_smaller_than_the_kernel_reflects_more_than_once() -> None:
    line = np.array([[1.0], [5.0]])
    np.testing.assert_allclose(imresize(line, 0.25)[:, 0], resized_line(line[:, 0], 1, 0.25), atol=1e-12)


def test_gaussian_is_fspecials() -> None:
    window = gaussian_window(3, 0.5)
    expected = np.array([[0.0113, 0.0838, 0.0113], [0.0838, 0.6193, 0.0838], [0.0113, 0.0838, 0.0113]])
    np.testing.assert_allclose(window, expected, atol=5e-5)  # as MATLAB's manual prints it
    taps = gaussian_taps(3, 0.5)
    np.testing.assert_allclose(np.outer(taps, taps), window, rtol=1e-14)


@pytest.mark.parametrize("size", [3, 7, 11])
def test_filters_correlate_with_the_window(image: Array, size: int) -> None:
    window = gaussian_window(size, size / 6)
    taps = gaussian_taps(size, size / 6)
    np.testing.assert_allclose(filter_same(image, taps), convolve2d(image, window, "same"), rtol=1e-12)
    np.testing.assert_allclose(filter_valid(image, taps), convolve2d(image, window, "valid"), rtol=1e-12)

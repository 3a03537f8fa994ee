from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.fft import dctn
from scipy.ndimage import gaussian_filter
from scipy.special import gamma

from miqanet.features.bliinds2 import bliinds2

Array = NDArray[np.float64]
Reference = tuple[str, Array, Array]

LOW = [(1, 2), (2, 1), (1, 3), (3, 1), (2, 2)]
HIGH = [(3, 5), (4, 4), (5, 3), (4, 5), (5, 4), (5, 5)]
ALL = [(r, c) for r in range(1, 6) for c in range(1, 6) if (r, c) != (1, 1)]
MIDDLE = [place for place in ALL if place not in LOW + HIGH]
FLAT = [(1, 2), (1, 3), (1, 4), (1, 5), (2, 3), (2, 4), (2, 5), (3, 5)]
DIAGONAL = [(2, 2), (3, 3), (3, 4), (4, 3), (4, 4), (4, 5), (5, 4), (5, 5)]
STEEP = [(c, r) for r, c in FLAT]

GRID = np.arange(30, 10001) / 1000
RATIOS = gamma(1 / GRID) * gamma(3 / GRID) / gamma(2 / GRID) ** 2


def picture(rows: int, columns: int) -> Array:
    """Structure at several scales, with noise, black and white."""
    rng = np.random.default_rng(0)
    smooth = 900 * gaussian_filter(rng.normal(size=(rows, columns)), 3) + 100
    return np.clip(np.round(smooth + rng.normal(scale=3, size=smooth.shape)), 0, 255)


def chosen(coefficients: Array, places: list[tuple[int, int]]) -> Array:
    return np.array([coefficients[r - 1, c - 1] for r, c in places])


def variation(values: Array) -> float:
    magnitudes = np.abs(values)
    return float(np.std(magnitudes, ddof=1) / (magnitudes.mean() + 1e-7))


def shape(values: Array) -> float:
    ratio = np.var(values, ddof=1) / (np.mean(np.abs(values - values.mean())) ** 2 + 1e-7)
    for j in range(len(GRID) - 1):
        if RATIOS[j + 1] < ratio <= RATIOS[j]:
            return float(GRID[j])
    return 11.0


def energy(c: Array) -> float:
    low, middle, high = (np.var(chosen(c, band), ddof=1) for band in (LOW, MIDDLE, HIGH))
    mean = (low + middle) / 2
    return float((abs(high - mean) / (high + mean + 1e-8) + abs(middle - low) / (high + low + 1e-8)) / 2)


def literal_scale(image: Array) -> list[float]:
    """One scale, a block at a time."""
    rows, columns = (math.ceil(size / 3) for size in image.shape)
    padded = np.zeros((3 * rows + 2, 3 * columns + 2))
    padded[1 : 1 + image.shape[0], 1 : 1 + image.shape[1]] = image
    blocks = []
    for r in range(rows):
        for c in range(columns):
            coefficients = dctn(padded[3 * r : 3 * r + 5, 3 * c : 3 * c + 5], norm="ortho")
            values = chosen(coefficients, ALL)
            over_angles = [variation(chosen(coefficients, places)) for places in (FLAT, DIAGONAL, STEEP)]
            blocks.append(
                (variation(values), shape(values), energy(coefficients), np.var(over_angles, ddof=1))
            )
    tenth = math.ceil(len(blocks) / 10)
    features = []
    for number, values in enumerate(np.sort(np.array(blocks), axis=0).T):
        features += [values.mean(), values[:tenth].mean() if number == 1 else values[-tenth:].mean()]
    return features


def literal_bliinds2(image: Array) -> Array:
    features = []
    weights = np.exp(-2 * np.array([[2, 1, 2], [1, 0, 1], [2, 1, 2]]))
    weights /= weights.sum()
    for _ in range(3):
        features += literal_scale(image)
        rows, columns = image.shape
        padded = np.pad(image, 1)
        smooth = sum(
            weights[r, c] * padded[r : r + rows, c : c + columns] for r in range(3) for c in range(3)
        )
        image = np.asarray(smooth)[1::2, 1::2]
    return np.array(features)


@pytest.mark.parametrize("shape", [(36, 36), (37, 44), (20, 41), (5, 5)])
def test_features_follow_the_release_step_by_step(shape: tuple[int, int]) -> None:
    image = picture(*shape)
    np.testing.assert_allclose(bliinds2(image), literal_bliinds2(image), rtol=0, atol=1e-6)


@pytest.mark.pool
def test_reference_values_are_reproduced(references: Callable[[str], list[Reference]]) -> None:
    for name, image, features in references("bliinds2"):
        np.testing.assert_allclose(bliinds2(image), features, rtol=0, atol=1e-6, err_msg=name)


def test_a_black_image_has_the_values_of_flat_blocks() -> None:
    np.testing.assert_array_equal(bliinds2(np.zeros((40, 50))), np.tile([0, 0, 11, 11, 0, 0, 0, 0], 3))


def test_a_flat_block_is_flat_at_any_gray_level() -> None:
    """Only the blocks at the border, which has zeros around it, are not."""
    border = [bliinds2(np.full((150, 150), level))[2] for level in (1.0, 100.0, 255.0)]
    np.testing.assert_allclose(border, border[0], atol=1e-2)
    inner = (50 - 2) ** 2 / 50**2
    assert border[0] > 11 * inner


def test_noise_makes_coefficients_gaussian() -> None:
    image = picture(90, 90)
    noisy = image + np.random.default_rng(1).normal(scale=60, size=image.shape)
    assert bliinds2(noisy)[0] < bliinds2(image)[0]

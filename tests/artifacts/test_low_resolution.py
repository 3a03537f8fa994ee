from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

from miqanet.artifacts.fourier import to_kspace
from miqanet.artifacts.low_resolution import LowResolution

COARSE = LowResolution(acquired=(0.25, 0.25), window="hamming", interpolation="zero_fill", seed=1)
WAYS = list(product(("hamming", "fermi"), ("zero_fill", "linear", "nearest")))


@pytest.mark.parametrize(("window", "interpolation"), WAYS)
def test_anatomy_stays_in_place(disc: NDArray[np.float32], window: str, interpolation: str) -> None:
    spoiled = replace(COARSE, window=window, interpolation=interpolation).apply(disc)
    before, after = ndimage.center_of_mass(disc), ndimage.center_of_mass(spoiled)
    np.testing.assert_allclose(after, before, atol=0.3)
    assert spoiled.sum() == pytest.approx(disc.sum(), rel=0.05)


@pytest.mark.parametrize(("window", "interpolation"), WAYS)
def test_small_structures_vanish(disc: NDArray[np.float32], window: str, interpolation: str) -> None:
    image = disc.copy()
    image[62:64, 40:42] += 60
    coarse = replace(COARSE, window=window, interpolation=interpolation)
    assert np.abs(coarse.apply(image) - coarse.apply(disc)).max() < 30


@pytest.mark.parametrize("window", ["hamming", "fermi"])
def test_zero_filling_leaves_no_detail_beyond_the_matrix(window: str) -> None:
    image = np.zeros((128, 128), np.float32)
    image[40:90, 50:80] = 1
    spectrum = np.abs(to_kspace(replace(COARSE, window=window).apply(image)))
    outside = np.ones((128, 128), bool)
    outside[24:105, 24:105] = False
    # The magnitude of a complex image widens its spectrum a little.
    assert np.linalg.norm(spectrum[outside]) < 0.01 * np.linalg.norm(spectrum)


def test_window_rings_less_than_a_sharp_cut() -> None:
    image = np.zeros((128, 64), np.float32)
    image[32:96] = 1
    hamming = LowResolution(acquired=(0.25, 1.0), window="hamming", interpolation="zero_fill", seed=1)
    assert hamming.apply(image)[:, 32].max() < 1.04


def test_nearest_shows_the_acquired_pixels(disc: NDArray[np.float32]) -> None:
    spoiled = replace(COARSE, interpolation="nearest").apply(disc)
    assert np.unique(spoiled[:, 60]).size <= 32
    assert np.count_nonzero(np.diff(spoiled[:, 60])) <= 32


def test_anisotropic_matrix_blurs_one_axis(disc: NDArray[np.float32]) -> None:
    spoiled = replace(COARSE, acquired=(0.15, 1.0)).apply(disc)
    down, across = (
        np.linalg.norm(np.diff(spoiled, axis=axis)) / np.linalg.norm(np.diff(disc, axis=axis))
        for axis in (0, 1)
    )
    assert down < 0.7 * across


@pytest.mark.parametrize(("window", "interpolation"), WAYS)
def test_larger_severity_loses_more(disc: NDArray[np.float32], window: str, interpolation: str) -> None:
    coarse = replace(COARSE, window=window, interpolation=interpolation)
    changes = [np.linalg.norm(coarse.at(s).apply(disc) - disc) for s in (0, 0.1, 0.4, 0.7, 1, 1.3)]
    assert np.all(np.diff(changes) > 0)


@pytest.mark.parametrize(
    ("name", "value"), [("acquired", (0.0, 1.0)), ("window", "hann"), ("interpolation", "cubic")]
)
def test_wrong_parameters_are_named(name: str, value: object) -> None:
    with pytest.raises(ValueError, match=name):
        replace(COARSE, **{name: value})

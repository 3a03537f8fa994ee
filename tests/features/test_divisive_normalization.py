from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from miqanet.features.divisive_normalization import normalize

Array = NDArray[np.float64]


def literal(band: Array, parent: Array | None, others: list[Array]) -> Array:
    """The release's loop over columns, with the pseudoinverse spelled out."""
    columns = [np.roll(band, (i, j), (0, 1)) for i in (-1, 0, 1) for j in (-1, 0, 1)]
    if parent is not None:
        columns.append(parent)
    n = len(columns)
    y = np.array([column[1:-1, 1:-1].ravel() for column in columns + others]).T
    c = y.T @ y / len(y)
    z = np.sqrt(np.sum((y @ np.linalg.pinv(c, hermitian=True)) * y, axis=1) / n)
    o = band[1:-1, 1:-1]
    return (o - o.mean()) / z.reshape(o.shape)


@pytest.fixture
def bands() -> list[Array]:
    """Seven bands, smooth and correlated as those of images, and taller than a block of rows."""
    noise = np.random.default_rng(0).normal(size=(7, 75, 23))
    bands = np.stack([gaussian_filter(band, 0.7) for band in noise])
    return list(10 * (bands + bands[::-1] / 2))


def test_equals_the_release_with_and_without_parent(bands: list[Array]) -> None:
    for parent in (bands[6], None):
        np.testing.assert_allclose(
            normalize(bands[0], parent, bands[1:6]), literal(bands[0], parent, bands[1:6]), rtol=1e-10
        )


def test_neighbors_that_repeat_each_other_do_no_harm(bands: list[Array]) -> None:
    others = [*bands[1:4], bands[3], bands[3] - bands[2]]
    np.testing.assert_allclose(
        normalize(bands[0], None, others), literal(bands[0], None, others), rtol=1e-9, atol=1e-12
    )


def test_amplitude_is_relative_so_that_contrast_of_the_whole_image_stays(bands: list[Array]) -> None:
    expected = 7 * normalize(bands[0], None, bands[1:6])
    np.testing.assert_allclose(normalize(7 * bands[0], None, [7 * b for b in bands[1:6]]), expected)


def test_local_changes_of_contrast_are_evened_out() -> None:
    rng = np.random.default_rng(1)
    contrast = np.where(np.arange(60) < 30, 1.0, 10.0)
    halves = rng.normal(size=(6, 50, 60)) * contrast
    q = normalize(halves[0], None, list(halves[1:]))
    assert q[:, 32:].std() / q[:, :26].std() == pytest.approx(1, abs=0.05)


def test_bands_of_zeros_are_refused() -> None:
    with pytest.raises(ValueError, match="not constant"):
        normalize(np.zeros((9, 9)), None, [np.zeros((9, 9))] * 5)

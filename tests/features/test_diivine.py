from __future__ import annotations

from collections.abc import Callable
from itertools import combinations, product

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter
from scipy.signal import convolve2d
from scipy.special import gamma

from miqanet.features.diivine import diivine
from miqanet.features.divisive_normalization import normalize
from miqanet.features.matlab import imresize, imresize_to
from miqanet.features.steerable_pyramid import steerable_pyramid

Array = NDArray[np.float64]


@pytest.fixture(scope="module")
def image() -> Array:
    """Structure at several scales, with noise, of odd and even size."""
    rng = np.random.default_rng(0)
    smooth = 40 * gaussian_filter(rng.normal(size=(63, 70)), 3) / 0.1 + 128
    return np.clip(np.round(smooth + rng.normal(scale=8, size=smooth.shape)), 0, 255)


def shape_of(values: Array) -> float:
    grid = np.arange(200, 10001) / 1000
    ratios = gamma(1 / grid) * gamma(3 / grid) / gamma(2 / grid) ** 2
    return float(grid[np.argmin(np.abs(np.mean(values**2) / np.mean(np.abs(values)) ** 2 - ratios))])


def structural_correlation(a: Array, b: Array) -> float:
    offsets = np.arange(-5, 6)
    window = np.exp(-(offsets[:, None] ** 2 + offsets**2) / (2 * 1.5**2))
    window /= window.sum()

    def local(x: Array) -> Array:
        return convolve2d(x, window, "valid")

    c2 = (0.03 * 255) ** 2
    s1, s2 = local(a * a) - local(a) ** 2, local(b * b) - local(b) ** 2
    s12 = local(a * b) - local(a) * local(b)
    return float(np.mean((2 * s12 + c2) / (s1 + s2 + c2)))


def joint_histogram_correlation(band: Array, lag: int) -> float:
    rows, columns = band.shape
    width = (band.max() - band.min()) / 100
    centers = band.min() + width * (np.arange(100) + 0.5)
    edges = (centers[1:] + centers[:-1]) / 2
    joint = np.zeros((100, 100))
    for r, c in product(range(rows), range(columns)):
        nearest = np.argmin(np.abs(centers - band[r, c]))
        for dr, dc in product((-lag, 0, lag), repeat=2):
            if (dr, dc) != (0, 0) and 0 <= r + dr < rows and 0 <= c + dc < columns:
                joint[nearest, np.searchsorted(edges, band[r + dr, c + dc])] += 1
    joint /= joint.sum()
    px, py = joint.sum(axis=1), joint.sum(axis=0)
    mx, my = centers @ px, centers @ py
    vx, vy = (centers - mx) ** 2 @ px, (centers - mx) ** 2 @ py
    return float((centers @ joint @ centers - mx * my) / (np.sqrt(vx) * np.sqrt(vy)))


def normalized(image: Array) -> list[Array]:
    rows, columns = image.shape
    scales = steerable_pyramid(image).scales
    bands = []
    for s, k in product(range(2), range(6)):
        parent = imresize(scales[1][k], 2)[:rows, :columns] if s == 0 and k < 5 else None
        others = [scales[s][other] for other in range(6) if other != k]
        guard = 16 if s == 0 else 8
        q = normalize(scales[s][k], parent, others)[guard:-guard, guard:-guard]
        bands.append(q - q.mean())
    return bands


@pytest.mark.pool
def test_features_are_those_of_the_release(
    references: Callable[[str], list[tuple[str, Array, Array]]],
) -> None:
    for name, pixels, expected in references("diivine"):
        np.testing.assert_allclose(diivine(pixels), expected, rtol=1e-7, err_msg=name)


def test_marginal_statistics_are_variances_and_shapes_of_normalized_bands(image: Array) -> None:
    bands = normalized(image)
    pairs = [np.concatenate([bands[k].ravel(), bands[k + 6].ravel()]) for k in range(6)]
    everything = np.concatenate([band.ravel() for band in bands])
    expected = [
        *(np.mean((q - q.mean()) ** 2) for q in bands),
        *(shape_of(q) for q in [*bands, *pairs, everything]),
    ]
    np.testing.assert_allclose(diivine(image)[:31], expected, rtol=1e-9)


def test_raw_bands_are_compared_with_the_highpass_residual(image: Array) -> None:
    pyramid = steerable_pyramid(image)
    expected = [
        structural_correlation(imresize_to(band, image.shape), pyramid.highpass)
        for bands in pyramid.scales
        for band in bands
    ]
    np.testing.assert_allclose(diivine(image)[31:43], expected, rtol=1e-9)


def test_spatial_correlation_is_that_of_the_joint_histogram(image: Array) -> None:
    lags = [1, 5, 9, 13, 17, 21, 25]
    expected = []
    for band in normalized(image)[:6]:
        rho = [joint_histogram_correlation(band, lag) for lag in lags]
        cubic, *_ = np.linalg.lstsq(np.vander(lags, 4), rho)
        expected += [*cubic, np.sum((np.vander(lags, 4) @ cubic - rho) ** 2)]
    np.testing.assert_allclose(diivine(image)[43:73], expected, rtol=1e-7)


def test_normalized_bands_of_the_finest_scale_are_compared_with_each_other(image: Array) -> None:
    expected = [structural_correlation(a, b) for a, b in combinations(normalized(image)[:6], 2)]
    np.testing.assert_allclose(diivine(image)[73:], expected, rtol=1e-9)


def test_contrast_changes_variances_but_neither_shapes_nor_spatial_correlation(image: Array) -> None:
    faint, strong = diivine(image / 4), diivine(image)
    np.testing.assert_allclose(16 * faint[:12], strong[:12], rtol=1e-9)
    np.testing.assert_allclose(faint[12:31], strong[12:31])
    np.testing.assert_allclose(faint[43:73], strong[43:73], rtol=1e-7)


def test_integers_are_taken_as_they_are(image: Array) -> None:
    before = image.copy()
    features = diivine(image)
    assert features.shape == (88,)
    assert features.dtype == np.float64
    np.testing.assert_array_equal(diivine(image.astype(np.uint8)), features)
    np.testing.assert_array_equal(image, before)


def test_least_size_is_sixty_pixels() -> None:
    rng = np.random.default_rng(0)
    assert np.isfinite(diivine(rng.uniform(0, 255, (60, 61)))).all()
    with pytest.raises(ValueError, match="60 x 60"):
        diivine(rng.uniform(0, 255, (59, 80)))


@pytest.mark.parametrize(
    ("pixels", "reason"),
    [
        (np.full((64, 64), np.nan), "finite"),
        (np.zeros((64, 64, 3)), "two axes"),
        (np.full((64, 64), 128), "not constant"),
    ],
)
def test_what_is_no_proper_image_is_refused(pixels: Array, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        diivine(pixels)

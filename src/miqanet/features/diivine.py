"""DIIVINE: distortion identification-based image verity and integrity evaluation, by 88 statistics of wavelets.

Moorthy & Bovik, "Blind image quality assessment: from natural scene statistics to perceptual quality", IEEE TIP
20(12), 2011. Distortions change the distribution of divisively normalized wavelet coefficients, and how they go
together across scales, orientations and space. Numbers as of the authors' release, its quirks included.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from miqanet.features.checks import checked
from miqanet.features.divisive_normalization import normalize
from miqanet.features.generalized_gaussian import fit_shape
from miqanet.features.matlab import filter_valid, gaussian_taps, imresize, imresize_to
from miqanet.features.steerable_pyramid import ORIENTATIONS, SteerablePyramid, steerable_pyramid

Array = NDArray[np.float64]

LEAST_SIZE = 60
"""Pixels a side: borders take 34, and the longest lag of the spatial correlation is 25."""

_GUARD_BANDS = 16, 8
"""Pixels dropped along each border of a normalized band, one number a scale."""

_LAGS = np.arange(1, 26, 4)
_BINS = 100

# The paper's window is 15 x 15.
_TAPS = gaussian_taps(11, 1.5)
_STABILIZER = (0.03 * 255) ** 2


def diivine(image: ArrayLike) -> Array:
    """Return the (88,) features of a gray image (rows, columns) with values 0..255.

    0-11 variances and 12-23 generalized Gaussian shapes of the twelve normalized bands, scale by scale; 24-29 shapes
    of an orientation's two bands together, 30 of all; 31-42 structural correlation of the raw bands with the
    high-pass residual; 43-72 five numbers on spatial correlation for each band of the finest scale; 73-87 structural
    correlation of each two of those.

    Raises:
        ValueError: the image has less than 60 pixels along an axis, is constant, or holds what is no finite number.
    """
    pixels = checked(image, "DIIVINE", LEAST_SIZE)
    if pixels.min() == pixels.max():
        raise ValueError("DIIVINE needs an image that is not constant: what it measures is all rounding")
    pyramid = steerable_pyramid(pixels)
    bands = _normalized_bands(pyramid)
    finest = bands[:ORIENTATIONS]
    return np.concatenate(
        [
            [np.var(band) for band in bands],
            [fit_shape(band) for band in bands],
            _shapes_across_scales(bands),
            _correlations_with_highpass(pyramid),
            *(_spatial_correlation(band) for band in finest),
            _structural_correlations(finest),
        ]
    )


def _normalized_bands(pyramid: SteerablePyramid) -> list[Array]:
    """Return the twelve bands, normalized, without guard bands and mean."""
    rows, columns = pyramid.scales[0].shape[1:]
    normalized = []
    for scale, (bands, guard) in enumerate(zip(pyramid.scales, _GUARD_BANDS, strict=True)):
        for k, band in enumerate(bands):
            # A quirk of the release: the last orientation goes without its parent.
            has_parent = scale == 0 and k < ORIENTATIONS - 1
            parent = imresize(pyramid.scales[1][k], 2)[:rows, :columns] if has_parent else None
            inner = normalize(band, parent, [*bands[:k], *bands[k + 1 :]])[guard:-guard, guard:-guard]
            normalized.append(inner - inner.mean())
    return normalized


def _shapes_across_scales(bands: Sequence[Array]) -> list[float]:
    pairs = [
        np.concatenate([fine, coarse], axis=None)
        for fine, coarse in zip(bands[:ORIENTATIONS], bands[ORIENTATIONS:], strict=True)
    ]
    everything = np.concatenate(bands, axis=None)
    # A quirk of the release: all bands are centered by the mean of the last pair.
    return [fit_shape(pair - pair.mean()) for pair in pairs] + [fit_shape(everything - pairs[-1].mean())]


def _correlations_with_highpass(pyramid: SteerablePyramid) -> list[float]:
    highpass = _LocalMoments(pyramid.highpass)
    rows, columns = pyramid.highpass.shape
    return [
        highpass.correlation(_LocalMoments(imresize_to(band, (rows, columns))))
        for bands in pyramid.scales
        for band in bands
    ]


def _structural_correlations(bands: Sequence[Array]) -> list[float]:
    moments = [_LocalMoments(band) for band in bands]
    return [one.correlation(another) for one, another in combinations(moments, 2)]


class _LocalMoments:
    """An image with its mean and variance in the window around each pixel, wherever the window lies inside."""

    def __init__(self, image: Array) -> None:
        self.image = image
        self.mean = filter_valid(image, _TAPS)
        self.variance = filter_valid(image**2, _TAPS) - self.mean**2

    def correlation(self, other: _LocalMoments) -> float:
        """Return the structural correlation of two images: SSIM without luminance (Wang et al., IEEE TIP 2004)."""
        covariance = filter_valid(self.image * other.image, _TAPS) - self.mean * other.mean
        similarity = (2 * covariance + _STABILIZER) / (self.variance + other.variance + _STABILIZER)
        return float(similarity.mean())


def _spatial_correlation(band: Array) -> Array:
    """Return how correlation falls with distance: the cubic's four coefficients, highest power first, and its error.

    Correlation is of the joint histogram, in 100 bins, of pixels and their eight neighbors at a distance. Bins are
    equally wide, so bin numbers have the correlation of bin centers, and their sums are exact.
    """
    least, greatest = band.min(), band.max()
    # An edge belongs to the lower bin.
    levels = np.clip(np.ceil((band - least) * (_BINS / (greatest - least))) - 1, 0, _BINS - 1)
    correlation = np.array([_correlation_at(levels, lag) for lag in _LAGS.tolist()])
    cubic = np.polyfit(_LAGS, correlation, 3)
    error = np.sum((np.polyval(cubic, _LAGS) - correlation) ** 2)
    return np.append(cubic, error)


def _correlation_at(levels: Array, lag: int) -> float:
    """Return the correlation of a pixel with its eight neighbors at `lag` along rows, columns and diagonals.

    Every pair counts once from each of its ends. So the two margins of the joint histogram are one, and the release's
    quirk, the mean of the one in the variance of the other, changes nothing.
    """
    # Neighbors that a pixel has along each axis, itself included.
    down, across = (1.0 + (np.arange(size) >= lag) + (np.arange(size) < size - lag) for size in levels.shape)
    pairs = down.sum() * across.sum() - levels.size
    mean = (down @ levels @ across - levels.sum()) / pairs
    squares = levels**2
    variance = (down @ squares @ across - squares.sum()) / pairs - mean**2
    halves = (
        (levels[lag:], levels[:-lag]),
        (levels[:, lag:], levels[:, :-lag]),
        (levels[lag:, lag:], levels[:-lag, :-lag]),
        (levels[lag:, :-lag], levels[:-lag, lag:]),
    )
    product = 2 * sum(np.einsum("ij,ij->", one, another) for one, another in halves) / pairs
    return float((product - mean**2) / variance)

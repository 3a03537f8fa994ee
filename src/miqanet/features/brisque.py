"""BRISQUE: how an image's locally normalized intensities deviate from those of undistorted photographs.

Mittal, Moorthy & Bovik, "No-Reference Image Quality Assessment in the Spatial Domain", IEEE Trans. Image Processing
21(12), 2012. Luminances less their local mean, over their local deviation (MSCN), are near Gaussian in clean images;
products of neighbors are asymmetric about zero. Noise, blur and blocks change the shapes of both distributions.
The numbers are those of the authors' release of 2011, whose departures from the paper are kept and named.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.ndimage import correlate

from miqanet.features.checks import checked
from miqanet.features.generalized_gaussian import fit_asymmetric, fit_shape
from miqanet.features.matlab import filter_valid, gaussian_taps, gaussian_window, imresize

LEAST_SIZE = 7
"""Pixels a side: one window of the local mean."""

_NEIGHBORS = ((0, 1), (1, 0), (1, 1), (-1, 1))
"""Row and column shift of the horizontal, the vertical and the two diagonal neighbors, in the release's order."""

_MARGIN = 3
"""Of the 7 x 7 windows."""

_STRIP = 64
"""Rows at a time, which stay in the processor's cache: fresh memory costs more than what is computed in it."""


def brisque(image: ArrayLike) -> NDArray[np.float64]:
    """Return the (36,) features of a 2-D image with values 0..255: 18 at full and 18 at half size.

    A scale has the shape and variance of the MSCN coefficients, then shape, mean, left and right variance of the
    products with each of four neighbors. What an image does not define (a black one has no negative product) is NaN,
    as in the release. ValueError says what is wrong with an image.
    """
    pixels = checked(image, "BRISQUE", LEAST_SIZE)
    # The release halves the image as it is, where the paper filters and takes every second pixel.
    return np.concatenate([_scale(pixels), _scale(imresize(pixels, 0.5))])


def normalized(image: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mean-subtracted, contrast-normalized coefficients, in the shape of `image`."""
    mscn = np.empty_like(image)
    padded = np.pad(image, _MARGIN)
    for start in range(0, len(image), _STRIP):
        own = slice(start, start + _STRIP)
        strip = padded[start : start + _STRIP + 2 * _MARGIN]
        mean = _local_mean(strip)
        # The deviation only divides, so that the order of its sums is free and the fast filter will do.
        deviation = np.sqrt(np.abs(filter_valid(np.square(strip), _TAPS) - np.square(mean)))
        mscn[own] = (image[own] - mean) / (deviation + 1)
    return mscn


def _window() -> NDArray[np.float64]:
    window = gaussian_window(7, 7 / 6)
    # The release divides a window of unit sum by its sum again, which changes last digits.
    return np.asarray(window / sum(column.cumsum()[-1] for column in window.T), np.float64)


_WINDOW = _window()
_TAPS = gaussian_taps(7, 7 / 6)


def _local_mean(padded: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the weighted mean of the 7 x 7 windows inside: filter2 of the release, zeros being around the image.

    Where a window is constant, image less mean is rounding alone, and its sign decides whether a product counts as
    positive, negative or zero: features move by 0.1 with the order of summation on an image with many such windows.
    So no separable filter, but Octave's order: columns from left to right, each from bottom to top. `correlate`
    sums in row-major order, hence transposed views of flipped images.
    """
    mean = np.empty_like(padded)
    correlate(padded[::-1].T, _WINDOW, output=mean[::-1].T, mode="constant")
    return mean[_MARGIN:-_MARGIN, _MARGIN:-_MARGIN]


def _scale(image: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the (18,) features of one scale."""
    mscn = normalized(image)
    features = [fit_shape(mscn), float(np.mean(mscn**2))]
    rows, columns = mscn.shape
    # circshift wraps, so products across opposite borders count, unlike in the paper.
    wrapped = np.pad(mscn, 1, mode="wrap")
    for down, right in _NEIGHBORS:
        neighbor = wrapped[1 - down : 1 - down + rows, 1 - right : 1 - right + columns]
        strips = (slice(start, start + _STRIP) for start in range(0, rows, _STRIP))
        features.extend(fit_asymmetric(mscn[strip] * neighbor[strip] for strip in strips))
    return np.array(features)

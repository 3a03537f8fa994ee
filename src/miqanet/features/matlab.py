"""MATLAB's filters and its imresize in NumPy: what the releases of the classical methods were computed with.

None of the usual substitutes gives the same numbers: OpenCV's bicubic has a = -0.75 and no antialiasing, Pillow's
truncates the kernel at edges where MATLAB reflects.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import sparse


def gaussian_taps(size: int, sigma: float) -> NDArray[np.float64]:
    """Return the (size,) weights whose outer product is, but for rounding, fspecial('gaussian', size, sigma)."""
    offsets = np.arange(size) - (size - 1) / 2
    taps = np.exp(-(offsets**2) / (2 * sigma**2))
    return np.asarray(taps / taps.sum(), np.float64)


def gaussian_window(size: int, sigma: float) -> NDArray[np.float64]:
    """Return fspecial('gaussian', size, sigma), (size, size), to the last digit, summed in MATLAB's order."""
    squares = (np.arange(size) - (size - 1) / 2) ** 2
    window = np.exp(-(squares[:, None] + squares) / (2 * sigma * sigma))
    return np.asarray(window / window.ravel(order="F").cumsum()[-1], np.float64)


def filter_valid(image: NDArray[np.float64], taps: NDArray[np.float64]) -> NDArray[np.float64]:
    """Correlate both axes with symmetric `taps`, of odd length, where they lie inside: filter2(..., 'valid')."""
    return _along_rows(_along_rows(image, taps).T, taps).T


def filter_same(image: NDArray[np.float64], taps: NDArray[np.float64]) -> NDArray[np.float64]:
    """Correlate both axes with symmetric `taps`; outside the image is zero, as in filter2 and imfilter."""
    return filter_valid(np.pad(image, len(taps) // 2), taps)


def _along_rows(image: NDArray[np.float64], taps: NDArray[np.float64]) -> NDArray[np.float64]:
    # Whole arrays and one buffer: several times as fast as correlate1d.
    margin = len(taps) // 2
    rows = len(image) - 2 * margin
    filtered = taps[margin] * image[margin : margin + rows]
    pair = np.empty_like(filtered)
    for near in range(margin):
        far = 2 * margin - near
        np.add(image[near : near + rows], image[far : far + rows], out=pair)
        pair *= taps[near]
        filtered += pair
    return np.asarray(filtered, np.float64)


def imresize(image: NDArray[np.float64], scale: float) -> NDArray[np.float64]:
    """Scale both axes to ceil(scale * size) by bicubic interpolation, antialiased when it shrinks, unrounded."""
    rows, columns = image.shape
    shape = int(np.ceil(scale * rows)), int(np.ceil(scale * columns))
    return _resize(image, shape, (scale, scale))


def imresize_to(image: NDArray[np.float64], shape: tuple[int, int]) -> NDArray[np.float64]:
    """Scale to `shape` by bicubic interpolation, each axis by its own factor: imresize(image, [rows columns])."""
    return _resize(image, shape, (shape[0] / image.shape[0], shape[1] / image.shape[1]))


def _resize(
    image: NDArray[np.float64], shape: tuple[int, int], scales: tuple[float, float]
) -> NDArray[np.float64]:
    # The axis that shrinks most goes first, rows on a tie.
    for axis in np.argsort(scales, kind="stable"):
        weights = _weights(image.shape[axis], shape[axis], scales[axis])
        image = weights @ image if axis == 0 else (weights @ image.T).T
    return np.ascontiguousarray(image)


@lru_cache(maxsize=32)
def _weights(size: int, out_size: int, scale: float) -> sparse.csr_array:
    """Return the (out_size, size) interpolation along one axis."""
    stretch = min(scale, 1.0)
    width = 4 / stretch
    centers = np.arange(1, out_size + 1) / scale + 0.5 * (1 - 1 / scale)
    first = np.floor(centers - width / 2)
    taps = first[:, None] + np.arange(int(np.ceil(width)) + 2)
    weights = _cubic(stretch * (centers[:, None] - taps))
    weights /= weights.sum(axis=1, keepdims=True)
    position = (taps.astype(np.int64) - 1) % (2 * size)
    reflected = np.minimum(position, 2 * size - 1 - position)
    row = np.broadcast_to(np.arange(out_size)[:, None], taps.shape)
    matrix = sparse.csr_array((weights.ravel(), (row.ravel(), reflected.ravel())), shape=(out_size, size))
    matrix.eliminate_zeros()
    return matrix


def _cubic(distance: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the kernel of Keys (1981) with a = -0.5."""
    x = np.abs(distance)
    near = (1.5 * x - 2.5) * x**2 + 1
    far = ((-0.5 * x + 2.5) * x - 4) * x + 2
    return np.where(x <= 1, near, np.where(x <= 2, far, 0.0))

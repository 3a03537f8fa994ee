"""BLIINDS-II: how the local cosine transforms of an image are distributed, at three scales.

Saad, Bovik & Charrier, "Blind Image Quality Assessment: A Natural Scene Statistics Approach in the DCT Domain",
IEEE Trans. Image Processing 21(8), 2012. Coefficients of small blocks of clean photographs are heavy-tailed, and
much alike over bands of frequency and orientations; blur, noise and compression change that. The numbers are those
of the authors' release, whose departures from the paper are kept and named.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.fft import dct

from miqanet.features.checks import checked
from miqanet.features.generalized_gaussian import moment_ratio
from miqanet.features.matlab import filter_same, gaussian_taps

LEAST_SIZE = 5
"""Pixels a side: one block."""

_SIDE, _STRIDE = 5, 3

_ROWS_AT_ONCE = 32
"""Rows of blocks, which stay in the processor's cache: fresh memory costs more than what is computed in it."""

_COSINES = dct(np.eye(_SIDE), axis=0, norm="ortho")

_HALVING_TAPS = gaussian_taps(3, 0.5)

_SHAPES: NDArray[np.float64] = 0.03 + 0.001 * np.arange(9971, dtype=np.float64)
_RISING_RATIOS = moment_ratio(_SHAPES)[::-1]
_NO_SHAPE = 11.0
"""What the release gives a block whose ratio of moments no shape of its grid has; so every flat one."""


def _places(*coefficients: tuple[int, int]) -> list[int]:
    """Return where the coefficients (row, column), counted from 1 as in the paper, lie among the 24."""
    return [(row - 1) * _SIDE + column - 2 for row, column in coefficients]


_LOW_BAND = _places((1, 2), (2, 1), (1, 3), (3, 1), (2, 2))
_HIGH_BAND = _places((3, 5), (4, 4), (5, 3), (4, 5), (5, 4), (5, 5))
_MIDDLE_BAND = sorted(set(range(24)) - set(_LOW_BAND) - set(_HIGH_BAND))
_HORIZONTAL = ((1, 2), (1, 3), (1, 4), (1, 5), (2, 3), (2, 4), (2, 5), (3, 5))
_ORIENTATIONS = (
    _places(*_HORIZONTAL),
    _places((2, 2), (3, 3), (3, 4), (4, 3), (4, 4), (4, 5), (5, 4), (5, 5)),
    _places(*((row, column) for column, row in _HORIZONTAL)),
)


def bliinds2(image: ArrayLike) -> NDArray[np.float64]:
    """Return the (24,) features of a 2-D image with values 0..255: eight at full, half and quarter size.

    A scale has frequency variation, shape, energy ratio of subbands and variation over orientations of its blocks;
    each as mean over all blocks, then over the tenth that is worst. ValueError says what is wrong with an image.
    """
    pixels = checked(image, "BLIINDS-II", LEAST_SIZE)
    features = []
    for _ in range(3):
        features.append(_scale(pixels))
        # The release keeps the even rows and columns, counted from 1.
        pixels = filter_same(pixels, _HALVING_TAPS)[1::2, 1::2]
    return np.concatenate(features)


def _scale(image: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the (8,) features of one scale."""
    windows = _windows(image)
    parts = (windows[start : start + _ROWS_AT_ONCE] for start in range(0, len(windows), _ROWS_AT_ONCE))
    measured = [_measure(part.transpose(2, 3, 0, 1).reshape(_SIDE, _SIDE, -1)) for part in parts]
    variation, shape, energy_ratio, anisotropy = np.concatenate(measured, axis=1)
    return np.array(
        [
            *_pooled(variation),
            *_pooled(shape, largest=False),
            *_pooled(energy_ratio),
            *_pooled(anisotropy),
        ]
    )


def _windows(image: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the 5 x 5 blocks at a stride of 3 pixels, (r, c, 5, 5), as blkproc(image, [3 3], [1 1]) cuts them.

    Zeros fill the image to a multiple of 3 pixels and border it by one; blocks of such pixels count as any other.
    """
    fill_rows, fill_columns = (-size % _STRIDE for size in image.shape)
    padded = np.pad(image, ((1, 1 + fill_rows), (1, 1 + fill_columns)))
    return np.lib.stride_tricks.sliding_window_view(padded, (_SIDE, _SIDE))[::_STRIDE, ::_STRIDE]


def _measure(blocks: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return frequency variation, shape, energy ratio and variance over orientations of blocks, (4, blocks)."""
    coefficients = _coefficients(blocks)
    magnitudes = np.abs(coefficients)
    variations = [_variation(magnitudes[places]) for places in _ORIENTATIONS]
    return np.stack(
        [
            _variation(magnitudes),
            _shape(coefficients),
            _energy_ratio(coefficients),
            np.var(variations, axis=0, ddof=1),
        ]
    )


def _coefficients(blocks: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the cosine transforms of blocks, row by row without the first coefficient, the mean: (24, blocks)."""
    transformed = _along_rows(_along_rows(blocks).swapaxes(0, 1)).swapaxes(0, 1)
    return transformed.reshape(_SIDE**2, -1)[1:]


def _along_rows(blocks: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the cosine transform over the first axis.

    Sums and differences of opposite rows come first, so that a coefficient that vanishes by symmetry or in a flat
    block is zero and not 1e-13: 1e-7, which the method adds to means of magnitudes, would let that through.
    """
    first, second, center, fourth, last = blocks
    odd = np.stack([first - last, second - fourth])
    outer, inner = first + last - 2 * center, second + fourth - 2 * center
    even = np.stack([outer, inner])
    transformed = np.empty_like(blocks)
    transformed[0] = (outer + inner + 5 * center) / np.sqrt(_SIDE)
    transformed[1::2] = np.tensordot(_COSINES[1::2, :2], odd, axes=1)
    transformed[2::2] = np.tensordot(_COSINES[2::2, :2], even, axes=1)
    return transformed


def _variation(magnitudes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return deviation over mean of each block's coefficients, (blocks,), from their (coefficients, blocks)."""
    return np.asarray(magnitudes.std(axis=0, ddof=1) / (magnitudes.mean(axis=0) + 1e-7), np.float64)


def _shape(coefficients: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the shape of the generalized Gaussian of each block's coefficients, (blocks,)."""
    centered = coefficients - coefficients.mean(axis=0)
    variance = np.square(centered).sum(axis=0) / (len(centered) - 1)
    ratio = variance / (np.abs(centered).mean(axis=0) ** 2 + 1e-7)
    # The last shape whose ratio is not below the block's; ratios fall as shapes rise.
    place = len(_SHAPES) - 1 - np.searchsorted(_RISING_RATIOS, ratio)
    inside = (place >= 0) & (place < len(_SHAPES) - 1)
    return np.where(inside, _SHAPES[np.where(inside, place, 0)], _NO_SHAPE)


def _energy_ratio(coefficients: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how much each block's variances differ over its bands of frequency, 0..1, (blocks,)."""
    low, middle, high = (
        coefficients[band].var(axis=0, ddof=1) for band in (_LOW_BAND, _MIDDLE_BAND, _HIGH_BAND)
    )
    mean = (low + middle) / 2
    high_ratio = np.abs(high - mean) / (high + mean + 1e-8)
    # The paper divides by middle + low; the release has high + low.
    middle_ratio = np.abs(middle - low) / (high + low + 1e-8)
    return np.asarray((middle_ratio + high_ratio) / 2, np.float64)


def _pooled(values: NDArray[np.float64], *, largest: bool = True) -> tuple[float, float]:
    """Return the mean over all blocks, and over the tenth with the largest or smallest values."""
    count = -(-len(values) // 10)
    extreme = np.partition(values, -count)[-count:] if largest else np.partition(values, count - 1)[:count]
    return float(values.mean()), float(extreme.mean())

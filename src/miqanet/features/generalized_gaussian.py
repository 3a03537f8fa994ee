"""Generalized Gaussian distributions, fitted by matching moments.

For the density exp(-|x / b|^g) the ratio E[x^2] / E[|x|]^2 = G(1/g) G(3/g) / G(2/g)^2, with G the gamma function,
falls strictly with the shape g and knows nothing of the scale b: Mallat (1989); Sharifi & Leon-Garcia (1995).
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray
from scipy.special import gamma

SHAPES: NDArray[np.float64] = 0.2 + 0.001 * np.arange(9801, dtype=np.float64)
"""The releases' grid of shapes, 0.2 to 10; a fitted shape is one of these."""


def moment_ratio(shapes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return E[x^2] / E[|x|]^2 of the generalized Gaussians of `shapes`."""
    return np.asarray(gamma(1 / shapes) * gamma(3 / shapes) / gamma(2 / shapes) ** 2, np.float64)


RATIOS: NDArray[np.float64] = moment_ratio(SHAPES)


def fit_shape(values: NDArray[np.float64]) -> float:
    """Return the shape of `values` about zero: 2 for a Gaussian, 1 for a Laplacian.

    A caller whose release centers the values subtracts the mean before. All zeros have no shape (0/0), and get the
    grid's first, as MATLAB's `min` over NaN gives index 1.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.mean(values**2) / np.mean(np.abs(values)) ** 2
    return float(SHAPES[np.argmin(np.abs(ratio - RATIOS))])


def fit_asymmetric(parts: Iterable[NDArray[np.float64]]) -> tuple[float, float, float, float]:
    """Return shape, mean, left and right variance of an asymmetric generalized Gaussian about zero.

    The tails have the same shape but a scale each: Lasmar, Stitou & Berthoumieu (2009). Zeros belong to neither
    tail, but count in the moments over all. The variance of a tail without values is NaN, and so is the mean, as in
    MATLAB; the shape is then the grid's first. The values may come in several arrays.
    """
    size, magnitudes, squares, counts = 0, 0.0, np.zeros(2), np.zeros(2)
    for values in parts:
        size += values.size
        for side, tail in enumerate((np.minimum(values, 0), np.maximum(values, 0))):
            magnitudes += abs(tail.sum())
            squares[side] += np.vdot(tail, tail)
            counts[side] += np.count_nonzero(tail)
    with np.errstate(divide="ignore", invalid="ignore"):
        left_variance, right_variance = squares / counts
        left, right = np.sqrt(left_variance), np.sqrt(right_variance)
        skew = left / right
        ratio = (magnitudes / size) ** 2 / (squares.sum() / size)
        ratio *= (skew**3 + 1) * (skew + 1) / (skew**2 + 1) ** 2
        shape = SHAPES[np.argmin((1 / RATIOS - ratio) ** 2)]
        spread = gamma(2 / shape) / gamma(1 / shape) * np.sqrt(gamma(1 / shape)) / np.sqrt(gamma(3 / shape))
        mean = (right - left) * spread
    return float(shape), float(mean), float(left_variance), float(right_variance)

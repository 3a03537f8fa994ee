"""The 7 x 7 patches of an image, freed of brightness and contrast: what CORNIA sees (Ye et al., CVPR 2012)."""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

SIDE = 7
LENGTH = SIDE * SIDE

_STABILIZER = 10
"""Keeps flat patches from being divided by nearly nothing; in squared gray levels."""


def patch_count(shape: tuple[int, ...]) -> int:
    """Return how many patches lie inside an image of `shape` (rows, columns), one for each position."""
    rows, columns = shape
    return (rows - SIDE + 1) * (columns - SIDE + 1)


def draw_patches(shape: tuple[int, ...], rng: np.random.Generator, count: int = 10_000) -> NDArray[np.intp]:
    """Return the indices of `count` different patches of an image of `shape`, or of all where it has fewer.

    The release takes 10,000 for each image, and draws them without a seed.
    """
    available = patch_count(shape)
    return rng.permutation(available)[: min(count, available)].astype(np.intp, copy=False)


def normalized_patches(image: NDArray[np.float64], indices: NDArray[np.integer]) -> NDArray[np.float64]:
    """Return patches of an image as rows, (N, 49), minus their mean and divided by their standard deviation.

    Both orders are MATLAB's, column by column: that of a patch's pixels, and that of the patches by their upper left
    pixel (im2col), which `indices` counts from 0.
    """
    windows = sliding_window_view(image, (SIDE, SIDE))
    columns, rows = np.divmod(indices, windows.shape[0])
    patches = windows[rows, columns].transpose(0, 2, 1).reshape(-1, LENGTH)
    patches = patches - patches.mean(axis=1, keepdims=True)
    variance = np.square(patches).sum(axis=1, keepdims=True) / (LENGTH - 1)
    return np.asarray(patches / np.sqrt(variance + _STABILIZER), np.float64)

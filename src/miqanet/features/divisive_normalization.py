"""Divisive normalization: a wavelet coefficient divided by how much larger than usual its neighbors are.

Under a Gaussian scale mixture a neighborhood y of coefficients is sqrt(z) u, with u Gaussian and of the covariance C
of all neighborhoods. The multiplier z has no unit and is estimated as y' C^-1 y / N; a coefficient divided by its
square root is nearly Gaussian and independent of its neighbors if the image is natural: Wainwright & Simoncelli
(2000); Lyu & Simoncelli, CVPR 2008. Numbers as of the release of DIIVINE (Moorthy & Bovik, IEEE TIP 2011).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_BLOCK = 32
"""Rows of a band that are worked on at once: what they need stays in the processor's cache."""


def normalize(band: Array, parent: Array | None, others: Sequence[Array]) -> Array:
    """Return a band (rows, columns), its outermost pixels left out, minus its mean, divided by sqrt(z).

    The neighborhood is the 3 x 3 pixels of the band, the pixel of `parent`, the same orientation at the next coarser
    scale in the size of `band`, and those of `others`, the other orientations at the same scale.

    Raises:
        ValueError: z is zero somewhere, as on a constant image.
    """
    rows, columns = band.shape
    inner_rows, inner_columns = rows - 2, columns - 2
    windows = [band[i : i + inner_rows, j : j + inner_columns] for i, j in product(range(3), repeat=2)]
    if parent is not None:
        windows.append(parent[1:-1, 1:-1])
    # A quirk of the release: the other orientations are neighbors too, but N does not count them.
    n = len(windows)
    windows += [other[1:-1, 1:-1] for other in others]
    blocks = [slice(top, top + _BLOCK) for top in range(0, inner_rows, _BLOCK)]

    covariance = np.zeros((len(windows), len(windows)))
    for block in blocks:
        neighborhoods = _vectors(windows, block)
        covariance += neighborhoods @ neighborhoods.T
    whitening = _whitening(covariance / (inner_rows * inner_columns))

    squared = np.concatenate(
        [np.square(whitening @ _vectors(windows, block)).sum(axis=0) for block in blocks]
    )
    if not squared.all():
        raise ValueError("divisive normalization needs an image that is not constant: its bands are zero")
    interior = band[1:-1, 1:-1]
    root = np.sqrt(squared / n).reshape(interior.shape)
    return np.asarray((interior - interior.mean()) / root, np.float64)


def _vectors(windows: Sequence[Array], rows: slice) -> Array:
    """Return the neighborhoods of some rows' pixels, one a column."""
    return np.stack([window[rows] for window in windows]).reshape(len(windows), -1)


def _whitening(covariance: Array) -> Array:
    """Return W such that the squared length of W y is y' C^+ y, C^+ the covariance's pseudoinverse."""
    variances, axes = np.linalg.eigh(covariance)
    # Rounding may make a variance negative; the release clips it and keeps the trace.
    positive = np.maximum(variances, 0)
    positive *= variances.sum() / max(positive.sum(), np.finfo(np.float64).tiny)
    significant = positive > len(positive) * np.finfo(np.float64).eps * positive.max()
    return np.asarray((axes[:, significant] / np.sqrt(positive[significant])).T, np.float64)

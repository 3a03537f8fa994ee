"""Fields over the image: smooth random ones, and how a field off resonance displaces signal."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Field = NDArray[np.float32]

GAMMA_BAR_HZ_PER_TESLA = 42.577e6
"""Gyromagnetic ratio of the proton over 2 pi (CODATA)."""

_NARROWEST = 1e-3
"""Width in pixels below which a compressed pixel counts as a point; keeps its density finite."""


def smooth_field(shape: tuple[int, int], seed: int, order: int = 3) -> Field:
    """Return a smooth random field (rows, columns) between -1 and 1, its greatest magnitude 1.

    A sum of cosines of up to `order` half periods along each axis, the higher ones weaker, as in the bias
    models of N3 and SPM.
    """
    rng = np.random.default_rng(seed)
    n = np.arange(order + 1)
    weights = rng.normal(size=(order + 1, order + 1)) / (1.0 + n[:, None] ** 2 + n[None, :] ** 2)
    weights[0, 0] = 0.0
    rows, columns = (np.cos(np.pi * np.outer((np.arange(size) + 0.5) / size, n)) for size in shape)
    values = rows @ weights @ columns.T
    return np.asarray(values / max(float(np.abs(values).max()), 1e-12), np.float32)


def displace(image: NDArray[np.floating], displacement: NDArray[np.floating], axis: int) -> Field:
    """Move every pixel's signal along `axis` by its displacement in pixels, as off-resonance spins are.

    Signal is moved, not intensity looked up: where the field compresses, it piles up, and where it stretches,
    it thins out (the Jacobian; Chang and Fitzpatrick, IEEE TMI 1992). A pixel becomes the interval between
    its displaced edges with its signal spread evenly, so that no gaps open; the sum is kept but for what
    leaves the field of view.

    Each interval's cumulative signal is a ramp. All ramps are summed at once from counts of where they
    begin and end, and the pixels are the differences of that sum from edge to edge.
    """
    signal = np.moveaxis(np.asarray(image, np.float64), axis, 1)
    shift = np.moveaxis(np.asarray(displacement, np.float64), axis, 1)
    lines, size = signal.shape
    beyond = np.pad(shift, ((0, 0), (1, 1)), mode="reflect", reflect_type="odd")
    edge_shift = 0.5 * (beyond[:, 1:] + beyond[:, :-1])
    edges = np.clip(np.arange(size + 1) + edge_shift, -2.0 * size, 3.0 * size)
    low, high = np.minimum(edges[:, :-1], edges[:, 1:]), np.maximum(edges[:, :-1], edges[:, 1:])
    high = np.maximum(high, low + _NARROWEST)
    density = signal / (high - low)

    # An edge e adds density * (x - e) to every grid edge x beyond it: a slope and an offset.
    slope, offset = np.zeros(lines * (size + 1)), np.zeros(lines * (size + 1))
    line = np.arange(lines)[:, None] * (size + 1)
    for edge, weight in ((low, density), (high, -density)):
        bin_ = np.ceil(edge)
        inside = bin_ <= size
        index = (line + np.maximum(bin_, 0).astype(np.int64))[inside]
        slope += np.bincount(index, weight[inside], minlength=slope.size)
        offset += np.bincount(index, (weight * edge)[inside], minlength=offset.size)
    slope = np.cumsum(slope.reshape(lines, size + 1), axis=1)
    offset = np.cumsum(offset.reshape(lines, size + 1), axis=1)
    cumulative = slope * np.arange(size + 1) - offset
    moved = np.maximum(np.diff(cumulative, axis=1), 0.0)
    return np.asarray(np.moveaxis(moved, 1, axis), np.float32)

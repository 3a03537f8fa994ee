"""Anatomy beyond that of the training subjects: joined of two, cut to another outline, weighted otherwise, moved.

A pool has few people, and a network comes to know them: it finds a fold of wrap-around in a body that it has seen,
and misses it in another. What nobody looks like teaches it to look for the artifact instead (domain randomization:
Billot et al., "SynthSeg", Medical Image Analysis 2023). All of it comes before the acquisition and its artifacts,
which therefore act on the new anatomy as on any other.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Picture

from miqanet.artifacts.field import smooth_field

Slice = NDArray[np.float32]

_JOINED, _CUT, _WEIGHTED, _MOVED = 0.15, 0.2, 0.5, 0.6
"""How often a slice is joined with another, cut to another outline, weighted otherwise, and moved."""

_LEVELS, _GAIN = 5, 0.4
"""Intensities that get a gain of their own, and the standard deviation of its logarithm."""

_TURN_DEG, _SHEAR, _STRETCH = 30.0, 0.15, 0.15
"""Greatest turn and shear; standard deviation of the logarithm of the stretch along each axis."""

_EDGE_PX = 2.0
"""About how wide the edge of a new outline is."""


def invent(image: Slice, other: Slice, rng: np.random.Generator) -> Slice:
    """Return a clean slice (rows, columns) as of a body that was not imaged."""
    if rng.random() < _JOINED:
        image = _join(image, other, rng)
    if rng.random() < _CUT:
        image = _cut(image, rng)
    if rng.random() < _WEIGHTED:
        image = _weight(image, rng)
    if rng.random() < _MOVED:
        image = _move(image, rng)
    return image


def _join(image: Slice, other: Slice, rng: np.random.Generator) -> Slice:
    """Fill regions of the slice, bounded smoothly, with what is there in the other."""
    fitted = np.asarray(
        Picture.fromarray(other).resize((image.shape[1], image.shape[0]), Picture.Resampling.BILINEAR)
    )
    inside = _inside(_field(image, rng))
    return np.asarray(inside * image + (1 - inside) * fitted, np.float32)


def _cut(image: Slice, rng: np.random.Generator) -> Slice:
    """Leave air outside a smooth outline around the middle."""
    rows, columns = image.shape
    y, x = np.ogrid[-1 : 1 : rows * 1j, -1 : 1 : columns * 1j]
    distance = np.hypot(y / rng.uniform(0.7, 1.1), x / rng.uniform(0.7, 1.1)).astype(np.float32)
    return image * _inside(1 - distance + 0.5 * _field(image, rng))


def _weight(image: Slice, rng: np.random.Generator) -> Slice:
    """Make tissues brighter or darker by their intensity, as another weighting would; the gain is 1 at most."""
    gain = np.exp(rng.normal(0, _GAIN, _LEVELS))
    levels = np.linspace(0, max(float(image.max()), 1e-6), _LEVELS)
    return np.asarray(image * np.interp(image, levels, gain / gain.max()), np.float32)


def _move(image: Slice, rng: np.random.Generator) -> Slice:
    """Turn, shear and stretch the slice about its middle; what comes from outside is air."""
    angle = np.deg2rad(rng.uniform(-_TURN_DEG, _TURN_DEG))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    shear = np.array([[1.0, rng.uniform(-_SHEAR, _SHEAR)], [0.0, 1.0]])
    to_source = turn @ shear @ np.diag(np.exp(rng.normal(0, _STRETCH, 2)))
    middle = (np.array(image.shape[::-1]) - 1) / 2
    offset = middle - to_source @ middle
    moved = Picture.fromarray(image).transform(
        (image.shape[1], image.shape[0]),
        Picture.Transform.AFFINE,
        (*to_source[0], offset[0], *to_source[1], offset[1]),
        Picture.Resampling.BICUBIC,
    )
    return np.asarray(moved).clip(0)


def _field(image: Slice, rng: np.random.Generator) -> Slice:
    return smooth_field((image.shape[0], image.shape[1]), int(rng.integers(2**31)), order=5)


def _inside(level: Slice) -> Slice:
    """Return 1 where the level is positive and 0 where it is negative, with an edge a few pixels wide."""
    steepness = max(level.shape) / 4 / _EDGE_PX
    return np.asarray(np.clip(0.5 + steepness * level, 0, 1), np.float32)

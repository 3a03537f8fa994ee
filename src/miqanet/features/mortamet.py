"""Artifact and noise in air: the quality indices QI1 and QI2.

Mortamet et al., "Automatic quality assessment in structural brain magnetic resonance imaging", MRM 62 (2009) 365-372.
Air holds noise and what artifacts spread: ghosts of what moved, a zipper's line, wrapped-around tissue. QI1 is the
share of air that is brighter than noise. QI2 adds how far the rest is from the distribution that noise has in a
magnitude image, the chi distribution.

The paper looks at the air above a head in a volume. On single slices of any body part two steps differ: the level
of noise is that of the quietest quarter of the air, because ghosts and motion may fill the rest, and bright pixels
count where three in line are, not where a cross of them is, because a zipper is one pixel wide.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammainc

from miqanet.features.air_mask import Blocks, Image, Mask, Regions, quantile, to_pixels

_QUIET = 0.25
"""Quantile of the means of blocks of air that stands for noise."""

_THRESHOLD = 2.75
"""Greatest intensity of noise over that level: 0.7 % of Rayleigh noise lies beyond."""

_LEAST_SIGNAL = 0.02
"""Share of the body's signal below which brightness in air harms nothing."""

_SAMPLE = 2**13
"""Pixels of air that suffice to know the distribution of noise."""

_BINS = 64


@dataclass(frozen=True, eq=False, slots=True)
class Air:
    """The air of an image, parted into noise and artifact."""

    noise: NDArray[np.float32]
    """(N,) intensities of a sample of the air without artifact."""

    artifact_share: float
    """Pixels with artifact / all pixels of air."""


def part_air(magnitude: Image, blocks: Blocks, regions: Regions) -> Air:
    """Part the air of an image, (rows, columns), which has some, into what noise can explain and what not."""
    quiet = quantile(blocks.mean[regions.air], _QUIET)
    signal = float(blocks.mean[regions.inside].mean())
    bright = magnitude > max(_THRESHOLD * quiet, _LEAST_SIGNAL * signal)
    air = to_pixels(regions.air, magnitude.shape)
    clean = air & ~_lines_of_three(bright)
    noise = magnitude[clean]
    return Air(
        noise=noise[:: -(-noise.size // _SAMPLE) or 1],
        artifact_share=1 - noise.size / int(np.count_nonzero(air)),
    )


def qi1(air: Air) -> float:
    """Return the share of air with artifact, 0 to 1; near 0 is good."""
    return air.artifact_share


def qi2(air: Air) -> float:
    """Return QI1 plus the misfit of noise, 0 to 2; near 0 is good; NaN where the noise is 0 everywhere.

    The misfit is the sum of |H - F| from the intensity on at which the histogram H, to the right of its mode, has
    fallen to half; F is the chi distribution of the same second and fourth moment (its degrees of freedom follow the
    number of coils).
    """
    if not air.noise.size or not air.noise.any():
        return float("nan")
    return air.artifact_share + _misfit(air.noise.astype(np.float64))


def _misfit(noise: NDArray[np.float64]) -> float:
    """Return the summed difference of noise from its chi distribution on the right flank of its histogram."""
    if noise.min() == noise.max():
        # Its chi distribution has no width either; the variance of equal values may round to more than 0.
        return 0.0
    squares = noise**2
    power, spread = float(squares.mean()), float(squares.var())
    start, width, bins = _bins(noise)
    # The last bin takes all beyond.
    place = np.minimum((noise - start) / width, bins - 1).astype(np.intp)
    histogram = np.bincount(place, minlength=bins) / noise.size
    edges = np.append(start + width * np.arange(bins), np.inf)
    # The squares of a chi distribution follow a gamma distribution.
    model = np.diff(gammainc(power**2 / spread, np.maximum(edges, 0) ** 2 * power / spread))
    mode = int(np.argmax(histogram))
    flank = mode + int(np.argmax(histogram[mode:] < histogram[mode] / 2))
    return float(np.abs(histogram - model)[flank:].sum())


def _bins(noise: NDArray[np.float64]) -> tuple[float, float, int]:
    """Return start, width and number of equal bins up to the 99.5th percentile.

    A bin holds whole gray levels, each in its middle: noise of few levels would leave others empty.
    """
    levels = np.unique(noise)
    gray_level = float(np.diff(levels).min())
    top = quantile(noise, 0.995)
    width = gray_level * max(1.0, np.ceil(top / _BINS / gray_level))
    return -gray_level / 2, width, max(2, int(np.ceil((top + gray_level / 2) / width)))


def _lines_of_three(mask: Mask) -> Mask:
    """Return the pixels of a mask that lie in a row or a column of three (an opening by both lines)."""
    opened = np.zeros_like(mask)
    for axis in (0, 1):
        source, target = np.moveaxis(mask, axis, 0), np.moveaxis(opened, axis, 0)
        three = source[2:] & source[1:-1] & source[:-2]
        target[2:] |= three
        target[1:-1] |= three
        target[:-2] |= three
    return opened

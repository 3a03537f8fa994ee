"""Where the body is and where there is only air, in one 2-D image of any body part, by its intensities alone.

Air gives no signal: what a scanner puts there is noise, and what an artifact spreads. The brain's measures find it by
registration to an atlas (Mortamet et al., MRM 62, 2009), which other body parts do not have. Here blocks of 4 x 4
pixels are air where they are dark and joined to the image's edge by dark blocks. The mean of 3 x 3 blocks varies much
less than pixels, so that noise does not tear the mask, and a threshold between the darkest and the brightest blocks
follows the noise, unlike a fixed share of the signal. Lungs that reach the edge count as air, too; a ghost as bright
as tissue counts as body.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Image = NDArray[np.float32]
Mask = NDArray[np.bool_]

BLOCK = 4
"""Side of a block in pixels."""

_DARK, _BRIGHT = 0.05, 0.95
"""Quantiles of block means that stand for air and tissue."""

_SHARE = 0.15
"""Where between air and tissue the threshold lies."""

_DARKEST_TISSUE = 0.1
"""Share of bright tissue's signal from which on dark blocks must look like noise to be air."""

_LEAST_VARIATION = 0.3
"""Least coefficient of variation of noise: it is 0.52 for one coil (Rayleigh), less for several; tissue has less."""

_LEAST_BLOCKS = 64
"""Fewer blocks than these (1024 pixels) are too few to measure air in."""

_RESOLUTION = 1e-6
"""Least variance over squared mean that single precision tells from 0."""

_NEIGHBORS = np.ones((3, 3), bool)


@dataclass(frozen=True, eq=False, slots=True)
class Blocks:
    """Statistics of an image's blocks, (rows // 4, columns // 4) each; what is left of a block is cut off."""

    mean: Image
    variance: Image
    """Of a sample (n - 1)."""

    @classmethod
    def of(cls, image: Image) -> Self:
        """Return the statistics of an image, (rows, columns), none negative.

        In single precision, which resolves no standard deviation below a thousandth of the mean: that is 0.
        """
        rows, columns = (side // BLOCK * BLOCK for side in image.shape)
        whole = image[:rows, :columns]
        pixels = np.float32(BLOCK**2)
        mean = _sums(whole) / pixels
        power = mean * mean
        variance = (_sums(whole * whole) - pixels * power) / (pixels - 1)
        return cls(mean=mean, variance=np.where(variance > _RESOLUTION * power, variance, np.float32(0)))

    @property
    def flat(self) -> Mask:
        """The blocks whose pixels are all equal."""
        return np.asarray(self.variance == 0, bool)


@dataclass(frozen=True, eq=False, slots=True)
class Regions:
    """The blocks of body and of air, (rows // 4, columns // 4) each; at their border lie blocks of both."""

    body: Mask
    """With its border, where the edges are."""

    inside: Mask
    """The body without the blocks at its border, which hold air, too; all of it where nothing else is left."""

    air: Mask
    """Without what is blanked or padded. All False where there is no body, no air, or too little of it."""

    @classmethod
    def of(cls, blocks: Blocks) -> Self:
        """Tell body and air apart."""
        dark, bright = _extremes(blocks)
        smooth = ndimage.uniform_filter(blocks.mean, 3, mode="nearest")
        below = smooth < dark + _SHARE * (bright - dark)
        outside = _joined_to_edge(below)
        # A block with only a corner in the body is no air.
        inner = ndimage.binary_erosion(outside, _NEIGHBORS, border_value=1)
        air = inner & ~_blanked(blocks.flat & below)
        if outside.all() or np.count_nonzero(air) < _LEAST_BLOCKS or _is_tissue(blocks, air, bright):
            air = np.zeros_like(air)
        body = ~outside
        inside = np.asarray(ndimage.binary_erosion(body, _NEIGHBORS, border_value=1), bool)
        return cls(body=body, inside=inside if inside.any() else body, air=air)


def quantile(values: NDArray[np.floating], share: float) -> float:
    """Return the value, of (N,), below which this share of them lies; NumPy's quantile interpolates, and slowly."""
    place = int(share * (values.size - 1))
    return float(np.partition(values, place)[place])


def to_pixels(mask: Mask, shape: tuple[int, ...]) -> Mask:
    """Return a mask of blocks as one of the pixels of an image of `shape`; pixels beyond whole blocks are False."""
    pixels = np.zeros(shape, bool)
    rows, columns = (BLOCK * side for side in mask.shape)
    pixels[:rows, :columns] = mask.repeat(BLOCK, axis=0).repeat(BLOCK, axis=1)
    return pixels


def _extremes(blocks: Blocks) -> tuple[float, float]:
    """Return the levels of the dark and the bright blocks; large blanked parts would hide what is dark."""
    varied = blocks.mean[~blocks.flat]
    values = varied if varied.size else blocks.mean.ravel()
    return quantile(values, _DARK), quantile(values, _BRIGHT)


def _joined_to_edge(mask: Mask) -> Mask:
    """Return the parts of a mask that touch the image's edge."""
    labels, _ = ndimage.label(mask)
    edge = np.concatenate((labels[0], labels[-1], labels[:, 0], labels[:, -1]))
    touching = np.zeros(labels.max() + 1, bool)
    touching[edge] = True
    touching[0] = False
    return np.asarray(touching[labels], bool)


def _blanked(flat: Mask) -> Mask:
    """Return the flat blocks that a mask or padding has left, not single ones as in noise of few gray levels."""
    if not flat.any():
        return flat
    return np.asarray(ndimage.binary_opening(np.pad(flat, 1, mode="edge"), _NEIGHBORS)[1:-1, 1:-1], bool)


def _is_tissue(blocks: Blocks, dark: Mask, bright: float) -> bool:
    """Return whether dark blocks are dark tissue in an image without air: neither black nor like noise."""
    mean = blocks.mean[dark]
    if quantile(mean, 0.5) <= _DARKEST_TISSUE * bright:
        return False
    variation = np.sqrt(blocks.variance[dark]) / np.maximum(mean, np.finfo(np.float32).tiny)
    return quantile(variation, 0.5) < _LEAST_VARIATION


def _sums(image: Image) -> Image:
    """Return the sum of each block."""
    lines = image.reshape(-1, BLOCK, image.shape[1]).sum(axis=1)
    pairs = lines[:, ::2] + lines[:, 1::2]
    return np.asarray(pairs[:, ::2] + pairs[:, 1::2], np.float32)

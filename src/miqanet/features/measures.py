"""MR's own no-reference measures of one 2-D image: what air, noise, edges and gray levels say of its quality.

They are those of MRIQC (Esteban et al., PLoS ONE 12, 2017) that need no atlas, no segmentation and no time series,
taken over the body and the air of any body part (see `air_mask`), and a measure of sharpness. They depend on what is
imaged, too: contrast, body part, coil and filters move them all. Compare like with like.

Intensities may have any scale; where there are negative ones, the least counts as 0. What cannot be measured is
NaN: everything about air where there is none, or where it is blanked.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass, fields, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from miqanet.features.air_mask import BLOCK, Blocks, Image, Mask, Regions, quantile
from miqanet.features.checks import checked_as_is
from miqanet.features.mortamet import Air, part_air, qi1, qi2

_RAYLEIGH = float(np.sqrt(2 / (4 - np.pi)))
"""Noise of a coil's two channels over the standard deviation of their magnitude where there is no signal."""

_LEAST_GHOST = 32
"""Blocks of air that a ghost must fall on, and as many that it must not, to be measured."""

_BOX = 9
"""Pixels of the box that blurs an image once more, to see how much there was to blur."""

_NAN = float("nan")


@dataclass(frozen=True, slots=True)
class Measures:
    """The measures of one image; NaN where one cannot be measured."""

    qi1: float = _NAN
    """Share of air with artifact (Mortamet et al., MRM 62, 2009); near 0 is good."""

    qi2: float = _NAN
    """QI1 plus the misfit of the noise in air (Mortamet et al., 2009); near 0 is good."""

    snr: float = _NAN
    """Signal over noise within the body; texture counts as noise. High is good."""

    snr_dietrich: float = _NAN
    """Signal over the noise in air (Dietrich et al., JMRI 26, 2007); high is good."""

    fber: float = _NAN
    """Foreground-background energy ratio: of a pixel in the body over one in air; high is good."""

    efc: float = _NAN
    """Entropy focus criterion (Atkinson et al., IEEE TMI 16, 1997), 0 to 1; low is good."""

    nyquist_ghost_ratio: float = _NAN
    """Ghost at half the field of view over signal (Giannelli et al., JACMP 11, 2010); near 0 is good."""

    sharpness: float = _NAN
    """Variation that another blur would take away (Crété et al., SPIE 6492, 2007), 0 to 1; high is sharp."""


NAMES = tuple(field.name for field in fields(Measures))


def measures(image: ArrayLike) -> NDArray[np.float64]:
    """Return the measures of an image, (8,), in the order of `NAMES`; see `measure`."""
    return np.array(astuple(measure(image)), np.float64)


def measure(image: ArrayLike) -> Measures:
    """Measure an image, (rows, columns). One of less than 8 pixels a side, or of one gray level, has no measures.

    Raises:
        ValueError: the image has not two axes or no pixels, or holds what is no finite real number.
    """
    pixels = checked_as_is(image, "measure", 1)
    least, greatest = float(pixels.min()), float(pixels.max())
    if min(pixels.shape) < 2 * BLOCK or least == greatest:
        return Measures()
    black = min(0.0, least)
    # Large integers need more digits than single precision has until the least is taken off.
    exact = pixels.astype(np.result_type(pixels, np.float32), copy=False)
    magnitude = ((exact - black) / (greatest - black)).astype(np.float32, copy=False)
    blocks = Blocks.of(magnitude)
    regions = Regions.of(blocks)
    everywhere = Measures(
        snr=snr(blocks, regions.inside),
        efc=efc(magnitude),
        sharpness=sharpness(magnitude, regions.body),
    )
    if not regions.air.any():
        return everywhere
    air = part_air(magnitude, blocks, regions)
    return replace(
        everywhere,
        qi1=qi1(air),
        qi2=qi2(air),
        snr_dietrich=snr_dietrich(float(blocks.mean[regions.inside].mean()), air),
        fber=fber(blocks, regions),
        nyquist_ghost_ratio=nyquist_ghost_ratio(blocks.mean, regions),
    )


def snr(blocks: Blocks, body: Mask) -> float:
    """Return the signal-to-noise ratio within the body: the median of its blocks' mean / standard deviation.

    One image has no second one to subtract, so noise is what varies within 4 x 4 pixels, fine texture and edges
    included, as in a region of interest in tissue (Dietrich et al., JMRI 26, 2007); the median passes over edges.
    """
    varied = body & (blocks.variance > 0)
    if not varied.any():
        return _NAN
    return quantile(blocks.mean[varied] / np.sqrt(blocks.variance[varied]), 0.5)


def snr_dietrich(signal: float, air: Air) -> float:
    """Return signal / (sqrt(2 / (4 - pi)) s), with s the standard deviation of noise in air.

    Dietrich et al., JMRI 26 (2007) 375-385, equation A.12: noise of zero mean becomes Rayleigh distributed in a
    magnitude image, and narrower. Exact for one coil without filters; several coils and parallel imaging change it.
    """
    deviation = float(air.noise.std(ddof=1)) if air.noise.size > 1 else 0.0
    return signal / (_RAYLEIGH * deviation) if deviation > 0 else _NAN


def fber(blocks: Blocks, regions: Regions) -> float:
    """Return the mean of squared intensities in the body over that in air (Shehzad et al., QAP, 2015)."""
    energy = blocks.mean**2 + blocks.variance * (1 - 1 / BLOCK**2)
    background = float(energy[regions.air].mean())
    return float(energy[regions.inside].mean()) / background if background > 0 else _NAN


def efc(magnitude: Image) -> float:
    """Return the entropy of intensities, 0 (all in one pixel) to 1 (all pixels equal).

    E = - sum (x / b) ln(x / b) with b = sqrt(sum x^2), over its greatest value sqrt(n) ln(sqrt(n)) for n pixels
    (Atkinson et al., IEEE Trans Med Imaging 16, 1997, 903-910). Ghosts and blur spread what was gathered.
    """
    information = np.maximum(magnitude, np.finfo(np.float32).tiny)  # x ln x tends to 0 with x
    np.log(information, out=information)
    information *= magnitude
    norm = np.sqrt(float(np.square(magnitude).sum()))
    entropy = (float(magnitude.sum()) * np.log(norm) - float(information.sum())) / norm
    root = np.sqrt(magnitude.size)
    return float(entropy / (root * np.log(root)))


def nyquist_ghost_ratio(mean: Image, regions: Regions) -> float:
    """Return (ghost - background) / signal of the body's copy half a field of view away, the greater of both axes.

    Giannelli et al., J Appl Clin Med Phys 11 (2010) 3237, here without knowing the phase-encoding axis. The
    background is air on which no copy falls. An axis counts where copy and background have enough air; NaN where
    neither does.
    """
    signal = float(mean[regions.inside].mean())
    ratios = []
    for axis in (0, 1):
        inside, body = (np.roll(mask, mask.shape[axis] // 2, axis) for mask in (regions.inside, regions.body))
        ghost, background = mean[regions.air & inside], mean[regions.air & ~body]
        if min(ghost.size, background.size) >= _LEAST_GHOST:
            ratios.append((float(ghost.mean()) - float(background.mean())) / signal)
    return max(ratios, default=_NAN)


def sharpness(magnitude: Image, body: Mask) -> float:
    """Return the share of variation between neighbors in the body that another blur would remove, 0 to 1.

    One less the blur of Crété et al. (SPIE 6492, 2007): what is blurred already varies little less when blurred
    again. The lesser of both axes. After a box of h pixels neighbors differ by (x[i + (h+1)/2] - x[i - (h-1)/2]) / h.
    """
    half = _BOX // 2
    shares = []
    for axis in (0, 1):
        # One line of each block is enough.
        inside = np.moveaxis(body, axis, 0).repeat(BLOCK, axis=0)
        x = np.moveaxis(magnitude, axis, 0)[: len(inside), : BLOCK * inside.shape[1] : BLOCK]
        near = x[half : len(x) - half]
        variation = np.abs(near[1:] - near[:-1]) * inside[half : len(x) - half - 1]
        blurred = np.abs(x[_BOX:] - x[:-_BOX]) * np.float32(1 / _BOX)
        total = float(variation.sum(dtype=np.float64))
        if total > 0:
            shares.append(float(np.maximum(variation - blurred, 0).sum(dtype=np.float64)) / total)
    return min(shares, default=_NAN)

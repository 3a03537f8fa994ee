"""Chemical shift: fat is imaged beside the place where it is, and out of phase with water."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from scipy import fft, ndimage

from miqanet.artifacts import checks
from miqanet.artifacts.base import Artifact, Image
from miqanet.artifacts.body import body_mask
from miqanet.artifacts.field import GAMMA_BAR_HZ_PER_TESLA

FAT_SHIFT_PPM = 3.5
"""By how much the protons of fat (methylene) precess slower than those of water."""


@dataclass(frozen=True, kw_only=True)
class ChemicalShift(Artifact):
    """Chemical shift of the first kind (displacement) and of the second (opposed phase).

    Fat precesses 3.5 ppm x gamma-bar x B0 slower than water: 224 Hz at 1.5 T. Along the readout it is
    therefore displaced by this frequency over the bandwidth per pixel, which leaves a dark band on one side
    of a fat-water border and a bright one on the other (first kind; Soila et al., Radiology 1984). In a
    gradient echo, fat and water of one voxel add with the phase 2 pi x frequency x TE between them, and
    cancel where it is pi: an ink line along every border (second kind; Wehrli et al., MRI 1987).

    The magnitude image does not say what is fat; see `fat_fraction`.

    Severity multiplies the displacement and the phase (this up to pi).
    """

    kind: ClassVar[str] = "chemical_shift"

    field_tesla: float
    bandwidth_hz: float
    """Receive bandwidth per pixel along the readout."""

    echo_time_ms: float = 0.0
    """Of a gradient echo; 0 is a spin echo, which has fat and water in phase."""

    readout_axis: int = 1
    polarity: int = 1
    """Sign of the readout gradient: +1 displaces fat towards higher indices."""

    def __post_init__(self) -> None:
        super().__post_init__()
        checks.positive(field_tesla=self.field_tesla, bandwidth_hz=self.bandwidth_hz)
        checks.not_negative(echo_time_ms=self.echo_time_ms)
        checks.one_of((0, 1), readout_axis=self.readout_axis)
        checks.one_of((-1, 1), polarity=self.polarity)

    @classmethod
    def draw(cls, rng: np.random.Generator, shape: tuple[int, int]) -> Self:
        """Draw a displacement of 2.5 to 8 % of the field of view, half of them as gradient echoes."""
        axis = int(rng.integers(2))
        pixels = np.exp(rng.uniform(np.log(0.025), np.log(0.08))) * shape[axis]
        field = float(
            rng.choice([0.055, 0.3, 0.55, 1.0, 1.5, 3.0, 7.0], p=[0.03, 0.07, 0.1, 0.1, 0.35, 0.3, 0.05])
        )
        frequency = FAT_SHIFT_PPM * 1e-6 * GAMMA_BAR_HZ_PER_TESLA * field
        opposed_ms = 1e3 / (2 * frequency)
        return cls(
            field_tesla=field,
            bandwidth_hz=float(frequency / pixels),
            echo_time_ms=float(opposed_ms * rng.uniform(0.7, 1.3)) if rng.random() < 0.5 else 0.0,
            readout_axis=axis,
            polarity=int(rng.choice([-1, 1])),
        )

    @property
    def frequency_hz(self) -> float:
        """Difference of the resonances of water and fat."""
        return FAT_SHIFT_PPM * 1e-6 * GAMMA_BAR_HZ_PER_TESLA * self.field_tesla

    @property
    def displacement_pixels(self) -> float:
        """How far fat moves along the readout at severity 1."""
        return self.polarity * self.frequency_hz / self.bandwidth_hz

    @property
    def phase(self) -> float:
        """Angle between fat and water at the echo at severity 1, in 0..pi."""
        angle = 2 * np.pi * self.frequency_hz * self.echo_time_ms * 1e-3
        return float(abs((angle + np.pi) % (2 * np.pi) - np.pi))

    def _spoil(self, image: Image) -> Image:
        """Return the magnitude of water plus displaced, rotated fat."""
        fat = fat_fraction(image) * image
        moved = shift(fat, self.severity * self.displacement_pixels, self.readout_axis)
        angle = min(self.severity * self.phase, np.pi)
        return np.asarray(np.abs(image - fat + moved * np.complex64(np.exp(1j * angle))), np.float32)


def fat_fraction(image: Image) -> NDArray[np.float32]:
    """Estimate the fraction of fat in every voxel, (rows, columns) in 0..1, where fat is not suppressed.

    Bright tissue at the body's rim is subcutaneous fat, and so is, deeper inside, the brightest tissue,
    unless it is much brighter than the rim's, which is fluid (T2 weighting) or blood. The criteria are soft,
    as voxels at a border hold both.
    """
    smooth = ndimage.gaussian_filter(image, max(0.7, min(image.shape) / 300))
    mask = body_mask(image).astype(np.float32)
    depth = 2 * max(1, round(min(image.shape) / 24)) + 1
    # The share of air within reach is 1/2 at the surface and falls to 0 at the depth of the rim.
    rim = mask * np.clip(2 - 2 * ndimage.uniform_filter(mask, depth), 0, 1)
    at_rim = smooth[rim > 0.3]
    if not at_rim.size:
        return np.asarray(rim, np.float32)
    least, most = np.float32(np.percentile(smooth, 99)), np.float32(np.percentile(at_rim, 90))
    if least <= 0:  # signal in so few pixels says nothing of fat
        return np.zeros_like(rim, np.float32)
    threshold = least * (0.86 - 0.5 * rim)
    bright = np.clip((smooth - threshold) / (0.25 * least) + 0.5, 0, 1)
    fluid = (1 - rim) * np.clip(smooth / most - 1.2, 0, 0.4) / np.float32(0.4)
    fraction = ndimage.uniform_filter(bright * (1 - fluid), 3)
    # A voxel that fat shares with air is dim, but all of its signal is fat's.
    surface = np.clip((rim - 0.5) / 0.3, 0, 1)
    fraction = np.maximum(fraction, surface * ndimage.maximum_filter(fraction, 5))
    return np.asarray(mask * fraction, np.float32)


def shift(image: NDArray[np.float32], pixels: float, axis: int) -> NDArray[np.float32]:
    """Shift an image along an axis by any number of pixels, by a phase ramp in k-space; nothing wraps."""
    size = image.shape[axis]
    padded = fft.next_fast_len(size + int(np.ceil(abs(pixels))) + 8, real=True)
    ramp = np.exp(-2j * np.pi * np.fft.rfftfreq(padded) * pixels).astype(np.complex64)
    spectrum = fft.rfft(image, padded, axis=axis)
    spectrum *= ramp[:, None] if axis == 0 else ramp
    moved = fft.irfft(spectrum, padded, axis=axis)
    return np.asarray(moved[:size] if axis == 0 else moved[:, :size], np.float32)

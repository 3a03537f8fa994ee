"""The steerable pyramid: an image taken apart by scale and orientation, in the Fourier domain.

Simoncelli & Freeman, "The steerable pyramid: a flexible architecture for multi-scale derivative computation", ICIP
1995; numbers as of `buildSFpyr(image, 2, 5, 1)` in Simoncelli's matlabPyrTools. A band is the fifth derivative of
the image along its orientation, in one octave of radial frequency. The Python port `pyrtools` differs from the
original where a size is odd.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import fft

Array = NDArray[np.float64]
Spectrum = NDArray[np.complex128]

ORIENTATIONS = 6
_SCALES = 2
_ORDER = ORIENTATIONS - 1


@dataclass(frozen=True, eq=False, slots=True)
class SteerablePyramid:
    """Bands of an image (rows, columns) at two scales and six orientations, the zeroth at 0 degrees."""

    highpass: Array
    """(rows, columns), what lies above the finest scale."""

    scales: tuple[Array, ...]
    """(6, rows, columns) of the finest scale, then (6, rows / 2, columns / 2) of the next, odd sizes rounded up."""


@dataclass(frozen=True, eq=False, slots=True)
class _Table:
    """A function sampled at `start`, `start + step`, ...: linear between samples, constant beyond them.

    The release evaluates its filters so; the functions themselves would differ by up to 1e-5.
    """

    start: float
    step: float
    samples: Array

    def __call__(self, x: Array) -> Array:
        last = len(self.samples) - 1
        position = np.clip((x - self.start) / self.step, 0, last)
        below = np.minimum(position.astype(np.int32), last - 1)
        slopes = np.diff(self.samples)
        return np.asarray(self.samples[below] + slopes[below] * (position - below), np.float64)


def _radial_tables() -> tuple[_Table, _Table]:
    """Return filters over log2 of radial frequency, one that passes what is above, one that passes what is below.

    They cross over from -1 to 0, the octave below half the sampling rate, and their squares add up to one.
    """
    phase = np.pi * np.arange(-257, 2) / 512
    passed = np.cos(phase) ** 2
    passed[0], passed[-1] = passed[1], passed[-2]
    start, step = -0.5 + 2 / np.pi * (phase[0] + np.pi / 4), 2 / 512
    above = np.sqrt(passed)
    return _Table(start, step, above), _Table(start, step, np.sqrt(1 - above**2))


def _angular_table() -> _Table:
    """Return the filter of orientation 0, over the angle in radians; squares of all six add up to a constant."""
    angle = np.pi * np.arange(-2049, 1026) / 1024
    gain = 2 ** (2 * _ORDER) * math.factorial(_ORDER) ** 2 / (ORIENTATIONS * math.factorial(2 * _ORDER))
    return _Table(angle[0], np.pi / 1024, math.sqrt(gain) * np.cos(angle) ** _ORDER)


_ABOVE, _BELOW = _radial_tables()
_ANGULAR = _angular_table()


def steerable_pyramid(image: Array) -> SteerablePyramid:
    """Decompose an image (rows, columns)."""
    log_radius, angle = _polar_frequencies(image.shape)
    spectrum: Spectrum = fft.fftshift(fft.fft2(image))
    highpass = _inverse(spectrum * _ABOVE(log_radius)).real
    spectrum = spectrum * _BELOW(log_radius)
    scales = []
    for _ in range(_SCALES):
        log_radius = log_radius + 1
        octave = spectrum * _ABOVE(log_radius)
        # The filters carry (-i)^5 = -i, and the real part of -i x is the imaginary part of x.
        scales.append(
            np.stack(
                [
                    _inverse(octave * _ANGULAR(angle - np.pi * k / ORIENTATIONS)).imag
                    for k in range(ORIENTATIONS)
                ]
            )
        )
        middle = _middle(spectrum.shape)
        # Cropping the spectrum subsamples the image; amplitudes stay as they are.
        log_radius, angle = log_radius[middle], angle[middle]
        spectrum = spectrum[middle] * _BELOW(log_radius)
    return SteerablePyramid(highpass, tuple(scales))


def _inverse(spectrum: Spectrum) -> Spectrum:
    return np.asarray(fft.ifft2(fft.ifftshift(spectrum), overwrite_x=True), np.complex128)


def _polar_frequencies(shape: tuple[int, ...]) -> tuple[Array, Array]:
    """Return log2 of radial frequency (0 at half the sampling rate) and angle, zero frequency in the middle."""
    rows, columns = ((np.arange(size) - size // 2) / (size / 2) for size in shape)
    radius = np.hypot(rows[:, None], columns)
    # The zero frequency has no logarithm; the release lends it its left neighbor's.
    middle = shape[0] // 2, shape[1] // 2
    radius[middle] = radius[middle[0], middle[1] - 1]
    return np.log2(radius), np.arctan2(rows[:, None], columns)


def _middle(shape: tuple[int, ...]) -> tuple[slice, ...]:
    """Return the inner half of both axes of a centered spectrum, rounded up, its zero frequency in the middle."""
    halves = [(size + 1) // 2 for size in shape]
    starts = [size // 2 - half // 2 for size, half in zip(shape, halves, strict=True)]
    return tuple(slice(start, start + half) for start, half in zip(starts, halves, strict=True))

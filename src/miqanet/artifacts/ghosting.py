"""Periodic ghosts: k-space lines that alternate in amplitude and phase along phase encoding.

What repeats every N lines of k-space puts copies FOV/N apart into the image (Wood and Henkelman, "MR image
artifacts from periodic motion", Med. Phys. 1985; Haacke and Patrick 1986). Three sources: respiration moves a
part of the body and its signal; pulsatile flow brightens and darkens a vessel; in echo-planar imaging a delay
between gradient and sampling shifts odd and even echoes apart, which puts one ghost at FOV/2 (Bruder et al.,
MRM 1992).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal, Self, get_args

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from miqanet.artifacts.base import Artifact, Image
from miqanet.artifacts.body import body_mask
from miqanet.artifacts.checks import fraction, not_negative, one_of, positive
from miqanet.artifacts.fourier import Complex, smooth_phase

Source = Literal["respiration", "flow", "nyquist"]
Reals = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class Ghosting(Artifact):
    """Ghosts along phase encoding, FOV / `lines_per_cycle` apart."""

    kind: ClassVar[str] = "ghosting"

    source: Source
    phase_encode_axis: int
    lines_per_cycle: float
    """Lines of k-space, not necessarily whole, in one breath or heartbeat; 2 for odd and even echoes."""
    amplitude: float
    """Modulated part of the signal; for flow, of a vessel as bright as the brightest tissue. No unit."""
    displacement_px: float = 0.0
    """Largest displacement of the moving part along phase encoding (respiration)."""
    phase_deg: float = 0.0
    """Constant phase between odd and even echoes (nyquist), or of the vessel's signal at peak flow (flow)."""
    delay_px: float = 0.0
    """Displacement of odd against even echoes along readout, in samples of k-space (nyquist)."""
    extent: float = 1.0
    """Part of the body that moves, 1 all of it (respiration); radius of the vessels / FOV (flow)."""
    sharpness: float = 1.0
    """Exponent of the waveform: 1 a sine, more a longer rest between breaths or beats."""
    irregularity: float = 0.0
    """Standard deviation of one cycle's length, as a part of the cycle."""
    seed: int

    def __post_init__(self) -> None:
        super().__post_init__()
        one_of(get_args(Source), source=self.source)
        one_of((0, 1), phase_encode_axis=self.phase_encode_axis)
        positive(extent=self.extent)
        fraction(extent=self.extent)
        not_negative(amplitude=self.amplitude, irregularity=self.irregularity)
        if self.lines_per_cycle < 2 or (self.source == "nyquist" and self.lines_per_cycle != 2):
            raise ValueError(f"lines_per_cycle is at least 2, and 2 for nyquist, not {self.lines_per_cycle}")
        if self.sharpness < 1:
            raise ValueError(f"sharpness is at least 1, not {self.sharpness}")

    @classmethod
    def draw(cls, rng: np.random.Generator, shape: tuple[int, int]) -> Self:
        """Draw breathing, flow or misaligned echoes for an image of `shape` (rows, columns)."""
        source: Source = get_args(Source)[rng.choice(3, p=(0.55, 0.15, 0.3))]
        axis = int(rng.integers(2))
        seed = int(rng.integers(2**31))
        if source == "nyquist":
            # Delays are mostly a small part of a sample; uncorrected echoes of research sequences reach 1.7.
            phase, delay = rng.uniform(40, 110), 1.7 * rng.uniform(-1, 1) ** 3
            return cls(
                source="nyquist",
                phase_encode_axis=axis,
                lines_per_cycle=2.0,
                amplitude=float(rng.uniform(0, 0.15)),
                phase_deg=float(phase),
                delay_px=float(delay),
                seed=seed,
            )
        if source == "flow":
            return cls(
                source="flow",
                phase_encode_axis=axis,
                lines_per_cycle=float(np.exp(rng.uniform(np.log(2.1), np.log(24)))),
                amplitude=float(rng.uniform(3, 8)),
                phase_deg=float(rng.uniform(0, 120)),
                extent=float(rng.uniform(0.02, 0.06)),
                sharpness=float(rng.uniform(1, 3)),
                irregularity=float(rng.uniform(0, 0.08)),
                seed=seed,
            )
        return cls(
            source="respiration",
            phase_encode_axis=axis,
            lines_per_cycle=float(np.exp(rng.uniform(np.log(2.1), np.log(40)))),
            amplitude=float(rng.uniform(0.1, 0.8)),
            displacement_px=float(shape[axis] * rng.uniform(0.008, 0.03)),
            extent=float(rng.uniform(0.35, 1)),
            sharpness=float(rng.uniform(1, 3)),
            irregularity=float(rng.choice((0.0, rng.uniform(0, 0.15)))),
            seed=seed,
        )

    def modulation(self, lines: int) -> Reals:
        """Return the waveform over the lines of k-space, (lines,), from -1 to 1."""
        rng = np.random.default_rng(self.seed)
        start = rng.random()
        if self.source == "nyquist":
            return np.asarray(np.where(np.arange(lines) % 2, -1, 1), np.float32)
        # The length of each cycle varies by itself, so its phase walks at random.
        walk = np.cumsum(rng.normal(size=lines)) * self.irregularity / np.sqrt(self.lines_per_cycle)
        cycle = np.pi * (start + (np.arange(lines) + walk) / self.lines_per_cycle)
        return np.asarray(1 - 2 * np.abs(np.cos(cycle)) ** (2 * self.sharpness), np.float32)

    def _spoil(self, image: Image) -> Image:
        """Return the image with ghosts along phase encoding."""
        phase = smooth_phase((image.shape[0], image.shape[1]), self.seed)
        ghosted = {"respiration": self._breathe, "flow": self._pulse, "nyquist": self._alternate}[self.source]
        if self.phase_encode_axis == 1:
            return np.asarray(np.abs(ghosted(image.T, phase.T)).T, np.float32)
        return np.asarray(np.abs(ghosted(image, phase)), np.float32)

    def _breathe(self, image: Image, phase: Complex) -> Complex:
        """Modulate the moving part of the body (a smooth edge along phase encoding) and leave the rest."""
        lines = image.shape[0]
        wave = self.severity * self.modulation(lines)
        wave = wave - wave[lines // 2]
        turns = -2 * np.pi * self.displacement_px * wave * _lines_per_pixel(lines)
        factor = (1 + 0.5 * self.amplitude * wave) * np.exp(1j * turns)
        body = image * phase
        return body + _filter_lines(body * self._moving_part(image)[:, None], factor - 1)

    def _moving_part(self, image: Image) -> Reals:
        """Return how much each row moves, 0 to 1: the wall moves and the spine behind it rests."""
        rows = np.arange(image.shape[0], dtype=np.float32)
        if self.extent == 1:
            return np.ones_like(rows)
        inside = np.flatnonzero(body_mask(image).any(axis=1))
        first, last = (inside[0], inside[-1]) if inside.size else (0, rows.size - 1)
        depth = (rows - first) / max(1, last - first)
        if np.random.default_rng(self.seed).random() < 0.5:
            depth = 1 - depth
        return np.asarray(1 / (1 + np.exp(np.clip((depth - self.extent) / 0.08, -30, 30))), np.float32)

    def _pulse(self, image: Image, phase: Complex) -> Complex:
        """Add what one to four vessels in the body give to each line beyond their mean signal."""
        lines, columns = image.shape
        mask = body_mask(image)
        if not mask.any():
            return image * phase
        rng = np.random.default_rng(self.seed)
        radius = self.extent * max(image.shape)
        y, x = np.ogrid[:lines, :columns]
        vessels = np.zeros(image.shape, np.float32)
        rows = np.flatnonzero(mask.any(axis=1))
        for _ in range(int(rng.integers(1, 5))):
            row = rows[int(rng.uniform(0.15, 0.85) * rows.size)]
            across = np.flatnonzero(mask[row])
            column = across[int(rng.uniform(0.15, 0.85) * across.size)]
            distance = np.hypot((y - row) * rng.uniform(0.7, 1), (x - column) * rng.uniform(0.7, 1))
            # Laminar flow: the velocity falls off from the axis of the vessel as a parabola.
            vessels += np.clip(1 - (distance / (radius * rng.uniform(0.5, 1))) ** 2, 0, 1).astype(np.float32)
        blood = np.percentile(image[mask], 95).astype(np.float32) * np.minimum(vessels, 1)
        wave = self.modulation(lines)
        pulse = wave * np.exp(1j * np.deg2rad(self.phase_deg) * wave)
        factor = self.severity * self.amplitude / 2 * (pulse - pulse.mean())
        return image * phase + _filter_lines(blood * phase, factor)

    def _alternate(self, image: Image, phase: Complex) -> Complex:
        """Turn odd and even echoes apart: a phase that is constant and one that grows along readout."""
        lines, columns = image.shape
        sign = self.modulation(lines)[:, None]
        along = (np.arange(columns, dtype=np.float32) - columns // 2) / columns
        half = self.severity * (np.deg2rad(self.phase_deg) / 2 + np.pi * self.delay_px * along)
        gain = 1 + self.severity * self.amplitude / 2 * sign
        spectrum = fft.fftshift(fft.fft(image * phase, axis=0), axes=0)
        spectrum *= gain * (np.cos(half) + 1j * sign * np.sin(half)).astype(np.complex64)
        return np.asarray(fft.ifft(fft.ifftshift(spectrum, axes=0), axis=0), np.complex64)


def _lines_per_pixel(lines: int) -> NDArray[np.float64]:
    """Return the spatial frequency of every line, most negative first, in cycles per pixel."""
    return np.asarray((np.arange(lines) - lines // 2) / lines)


def _filter_lines(body: Complex, factor: NDArray[np.complexfloating]) -> Complex:
    """Multiply every line of k-space (axis 0, most negative first) by a factor; readout stays as it is."""
    spectrum = fft.fft(body.astype(np.complex64, copy=False), axis=0)
    spectrum *= fft.ifftshift(factor).astype(np.complex64)[:, None]
    return np.asarray(fft.ifft(spectrum, axis=0, overwrite_x=True), np.complex64)

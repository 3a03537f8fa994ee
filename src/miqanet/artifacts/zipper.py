"""Zipper: radio-frequency interference that a line of the image receives instead of tissue."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from miqanet.artifacts import checks
from miqanet.artifacts.base import Artifact, Image
from miqanet.artifacts.body import body_signal


@dataclass(frozen=True, kw_only=True)
class Zipper(Artifact):
    """Radio-frequency interference at single frequencies, from a leaking scan room or an electronic device.

    The readout's gradient makes frequency into position: interference of frequency f off the scanner's own
    appears at f / bandwidth pixels from the middle of the readout axis. Its phase has nothing to do with the
    phase encoding, so it spreads along the whole phase-encode axis, as a line of bright and dark dots.

    Severity multiplies the amplitude.
    """

    kind: ClassVar[str] = "zipper"

    frequencies_hz: tuple[float, ...]
    """Interfering frequencies relative to the scanner's; beyond half the receive bandwidth they alias."""

    amplitude: float
    """Root mean square along the line, over the body's median signal."""

    bandwidth_hz: float = 200.0
    """Receive bandwidth per pixel."""

    linewidth_hz: float = 0.0
    """Full width at half maximum of the source's Lorentzian line."""

    drift_hz: float = 0.0
    """Change of frequency from the first phase-encoding step to the last."""

    duty: float = 1.0
    """Fraction of the phase-encoding steps that are hit, in one run; a small one makes long dashes."""

    readout_axis: int = 1
    seed: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        checks.positive(bandwidth_hz=self.bandwidth_hz)
        checks.not_negative(amplitude=self.amplitude, linewidth_hz=self.linewidth_hz)
        checks.fraction(duty=self.duty)
        checks.one_of((0, 1), readout_axis=self.readout_axis)
        if not self.frequencies_hz or not np.isfinite((*self.frequencies_hz, self.drift_hz)).all():
            raise ValueError(
                f"frequencies_hz and drift_hz are finite: {self.frequencies_hz}, {self.drift_hz}"
            )

    @classmethod
    def draw(cls, rng: np.random.Generator, shape: tuple[int, int]) -> Self:
        """Draw one to four lines along either axis, sharp or broad, steady, drifting or in bursts."""
        axis = int(rng.integers(2))
        bandwidth = float(np.exp(rng.uniform(np.log(40), np.log(800))))
        count = int(rng.choice([1, 2, 3, 4], p=[0.55, 0.25, 0.1, 0.1]))
        pixels = np.clip(rng.normal(0, 0.18, count), -0.45, 0.45) * shape[axis]
        return cls(
            frequencies_hz=tuple(float(p * bandwidth) for p in pixels),
            amplitude=float(np.exp(rng.uniform(np.log(1.5), np.log(6.0)))),
            bandwidth_hz=bandwidth,
            linewidth_hz=float(bandwidth * shape[axis] * rng.uniform(0.002, 0.012))
            if rng.random() < 0.7
            else 0.0,
            drift_hz=float(bandwidth * rng.uniform(-6.0, 6.0)) if rng.random() < 0.25 else 0.0,
            duty=float(rng.uniform(0.1, 0.6)) if rng.random() < 0.3 else 1.0,
            readout_axis=axis,
            seed=int(rng.integers(2**31)),
        )

    def _spoil(self, image: Image) -> Image:
        """Return the magnitude of image plus interference."""
        interference = self._unit_interference(
            image.shape[1 - self.readout_axis], image.shape[self.readout_axis]
        )
        if self.readout_axis == 0:
            interference = interference.T
        received = interference * np.float32(self.severity * self.amplitude * body_signal(image))
        received.real += image
        return np.asarray(np.abs(received), np.float32)

    def _unit_interference(self, steps: int, samples: int) -> NDArray[np.complex64]:
        """Return the interference's image, (phase encode, readout), each line's root mean square 1."""
        rng = np.random.default_rng(self.seed)
        time = (np.arange(samples) - samples // 2) / (samples * self.bandwidth_hz)
        tones = np.exp(2j * np.pi * np.outer(self.frequencies_hz, time))
        # The receiver's filter tapers the readout (Hann), or a tone would ring across the whole row.
        tones *= np.hanning(samples + 2)[1:-1] * np.exp(-np.pi * self.linewidth_hz * np.abs(time))
        tones *= samples / np.abs(tones).sum(axis=1, keepdims=True)

        hits = np.zeros(steps)
        run = max(1, round(self.duty * steps))
        start = int(rng.integers(steps - run + 1))
        hits[start : start + run] = np.sqrt(steps / run)
        bursts = rng.normal(size=(2, steps, len(self.frequencies_hz))) * (hits / np.sqrt(2))[:, None]
        signal = ((bursts[0] + 1j * bursts[1]) @ tones).astype(np.complex64)
        if self.drift_hz:
            progress = (np.arange(steps) / max(steps - 1, 1) - 0.5).astype(np.float32)
            turns = np.outer(progress, time.astype(np.float32)) * np.float32(2 * np.pi * self.drift_hz)
            signal *= np.exp(np.complex64(1j) * turns)

        along_readout = fft.fftshift(fft.fft(fft.ifftshift(signal, axes=1), axis=1, norm="forward"), axes=1)
        return np.asarray(fft.ifft(along_readout, axis=0, norm="ortho"), np.complex64)

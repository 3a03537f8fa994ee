"""Spikes in k-space: single corrupt samples that lay stripes over the whole image."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from miqanet.artifacts import checks
from miqanet.artifacts.base import Artifact, Image
from miqanet.artifacts.fourier import smooth_phase


@dataclass(frozen=True, kw_only=True)
class Spike(Artifact):
    """Corduroy or herringbone from electric discharges during the readout.

    A discharge adds a large value to one sample of k-space. Its Fourier transform is a plane wave over the
    whole field of view, air included; several spikes cross to a herringbone (Foo et al., Radiology 1994).
    A sample at (p, q) cycles per field of view gives stripes of period rows / p and columns / q pixels.

    Severity multiplies the amplitude.
    """

    kind: ClassVar[str] = "spike"

    positions: tuple[tuple[float, float], ...]
    """Each spike's place in k-space, in lines from its center: (along rows, along columns)."""

    amplitudes: tuple[float, ...]
    """Each spike's magnitude over that of the center of k-space, which is the sum of the image."""

    seed: int = 0
    """Of the spikes' phases and the image's smooth phase."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.positions or len(self.positions) != len(self.amplitudes):
            counts = f"{len(self.positions)} and {len(self.amplitudes)} are given"
            raise ValueError(f"each spike has a position and an amplitude: {counts}")
        for position in self.positions:
            if len(position) != 2 or not np.isfinite(position).all():
                raise ValueError(f"a position is two finite numbers of k-space lines, not {position}")
        for amplitude in self.amplitudes:
            checks.not_negative(amplitude=amplitude)

    @classmethod
    def draw(cls, rng: np.random.Generator, shape: tuple[int, int]) -> Self:
        """Draw one to five spikes, most often one or two, between coarse bands and the finest stripes."""
        count = int(rng.choice([1, 2, 3, 4, 5], p=[0.45, 0.25, 0.15, 0.1, 0.05]))
        radius = np.exp(rng.uniform(np.log(0.02), np.log(0.35), count)) * min(shape)
        angle = rng.uniform(0, np.pi, count)
        positions = np.rint(np.stack([radius * np.sin(angle), radius * np.cos(angle)], axis=1))
        positions[~positions.any(axis=1)] = (1, 2)
        total = np.exp(rng.uniform(np.log(0.8), np.log(2.5)))
        share = rng.uniform(0.5, 1.0, count)
        return cls(
            positions=tuple((float(p), float(q)) for p, q in positions),
            amplitudes=tuple(float(a) for a in total * share / np.sqrt((share**2).sum())),
            seed=int(rng.integers(2**31)),
        )

    def _spoil(self, image: Image) -> Image:
        """Return the magnitude of image plus plane waves."""
        shape = (image.shape[0], image.shape[1])
        phases = np.random.default_rng(self.seed).uniform(0, 2 * np.pi, len(self.positions))
        # One k-space sample of magnitude a |K(0)| is a plane wave of magnitude a times the image's mean.
        waves = (
            self.severity
            * float(image.mean(dtype=np.float64))
            * np.asarray(self.amplitudes)
            * np.exp(1j * phases)
        )
        along_rows, along_columns = (
            np.exp(2j * np.pi * np.outer(np.arange(n) / n, [position[axis] for position in self.positions]))
            for axis, n in enumerate(shape)
        )
        stripes = (along_rows * waves).astype(np.complex64) @ along_columns.astype(np.complex64).T
        return np.asarray(np.abs(image * smooth_phase(shape, self.seed, cycles=0.4) + stripes), np.float32)

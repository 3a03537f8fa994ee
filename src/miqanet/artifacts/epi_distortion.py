"""EPI distortion: an uneven main field bends the image along its slow axis."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from miqanet.artifacts import checks
from miqanet.artifacts.base import Artifact, Image
from miqanet.artifacts.field import displace, smooth_field


@dataclass(frozen=True, kw_only=True)
class EpiDistortion(Artifact):
    """Stretch and pile-up along the phase-encode axis of echo-planar imaging.

    EPI samples its phase-encode axis with some 10 to 40 Hz per pixel, so a field off by tens of hertz moves
    signal by pixels: displacement = field / bandwidth (Jezzard and Balaban, MRM 1995). The field is worst
    near the interfaces of tissue and air (sinuses, ear canals, bowel), with a smooth remainder that shimming
    leaves. Intensity follows the Jacobian.

    Severity multiplies the field.
    """

    kind: ClassVar[str] = "epi_distortion"

    sources: tuple[tuple[float, float, float, float], ...]
    """Air-tissue interfaces: (row, column, extent) as fractions of the field of view, and the peak in Hz."""

    residual_hz: float
    """Greatest magnitude of the smooth field that shimming leaves."""

    bandwidth_hz: float
    """Bandwidth per pixel along the phase-encode axis: 1 / (echo spacing x lines)."""

    phase_encode_axis: int = 0
    seed: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        checks.positive(bandwidth_hz=self.bandwidth_hz)
        checks.not_negative(residual_hz=self.residual_hz)
        checks.one_of((0, 1), phase_encode_axis=self.phase_encode_axis)
        for source in self.sources:
            if len(source) != 4 or not np.isfinite(source).all() or source[2] <= 0:
                raise ValueError(f"a source is (row, column, extent above 0, Hz), finite, not {source}")

    @classmethod
    def draw(cls, rng: np.random.Generator, shape: tuple[int, int]) -> Self:
        """Draw one to four interfaces that stretch and fold, moving signal by up to a fifth of the view."""
        axis = int(rng.integers(2))
        bandwidth = float(np.exp(rng.uniform(np.log(8), np.log(45))))
        sources = []
        for share in (1.0, *rng.uniform(-0.9, 0.9, int(rng.integers(4)))):
            # An interface lies off center, towards the body's surface.
            angle, distance = rng.uniform(0, 2 * np.pi), rng.uniform(0.08, 0.28)
            row, column = 0.5 + distance * np.sin(angle), 0.5 + distance * np.cos(angle)
            extent = rng.uniform(0.05, 0.13)
            # A Gaussian's steepest slope is peak / (sqrt(e) extent); beyond 1, signal folds over.
            slope = rng.uniform(0.8, 1.9) * rng.choice([-1, 1]) * share
            peak = np.clip(slope * np.sqrt(np.e) * extent, -0.2, 0.2) * shape[axis]
            sources.append((float(row), float(column), float(extent), float(peak * bandwidth)))
        return cls(
            sources=tuple(sources),
            residual_hz=float(rng.uniform(0.01, 0.06) * shape[axis] * bandwidth),
            bandwidth_hz=bandwidth,
            phase_encode_axis=axis,
            seed=int(rng.integers(2**31)),
        )

    def field_hz(self, shape: tuple[int, int]) -> NDArray[np.float32]:
        """Return the field's deviation in Hz, (rows, columns), at severity 1."""
        field = np.float32(self.residual_hz) * smooth_field(shape, self.seed)
        y, x = ((np.arange(n, dtype=np.float32) + 0.5) / n for n in shape)
        for row, column, extent, hertz in self.sources:
            along_rows, along_columns = (
                np.exp(-0.5 * ((a - c) / extent) ** 2) for a, c in ((y, row), (x, column))
            )
            field += np.float32(hertz) * np.outer(along_rows, along_columns).astype(np.float32)
        return field

    def _spoil(self, image: Image) -> Image:
        """Return the image as EPI would place it."""
        pixels = np.float32(self.severity / self.bandwidth_hz) * self.field_hz(
            (image.shape[0], image.shape[1])
        )
        return displace(image, pixels, self.phase_encode_axis)

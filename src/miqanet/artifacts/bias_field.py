"""Bias field: shading by the coils' uneven sensitivity."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from miqanet.artifacts import checks
from miqanet.artifacts.base import Artifact, Image
from miqanet.artifacts.field import smooth_field


@dataclass(frozen=True, kw_only=True)
class BiasField(Artifact):
    """Shading by surface coils, missing coil elements or dielectric standing waves.

    On the axis of a loop of radius R the sensitivity falls with the distance d as (1 + d^2 / R^2)^(-3/2)
    (Biot and Savart). Several loops add as the root of the sum of squares (Roemer et al., MRM 1990). A loop
    whose center lies inside the image stands for a standing wave at high field, bright in the middle.

    Severity multiplies the field's decibels, that is its log-amplitude.
    """

    kind: ClassVar[str] = "bias_field"

    coils: tuple[tuple[float, float], ...]
    """Centers of the loops as fractions (row, column) of the field of view, beyond 0..1 where outside."""

    radius: float
    """Radius of the loops as a fraction of the field of view."""

    range_db: float
    """Ratio of the greatest to the least sensitivity in the field of view, in decibels of amplitude."""

    unevenness: float = 0.0
    """Weight, 0..1, of a smooth random field beside the loops' own."""

    seed: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        checks.positive(radius=self.radius)
        checks.not_negative(range_db=self.range_db)
        checks.fraction(unevenness=self.unevenness)
        if not self.coils or not np.isfinite(self.coils).all() or any(len(coil) != 2 for coil in self.coils):
            raise ValueError(f"coils are one or more pairs of finite numbers, not {self.coils}")

    @classmethod
    def draw(cls, rng: np.random.Generator, shape: tuple[int, int]) -> Self:
        """Draw one to four loops about the body, or a standing wave in its middle; 30 to 56 dB."""
        del shape
        coils: tuple[tuple[float, float], ...]
        if rng.random() < 0.2:
            coils = ((float(rng.uniform(0.35, 0.65)), float(rng.uniform(0.35, 0.65))),)
            radius = rng.uniform(0.2, 0.4)
        else:
            count = int(rng.choice([1, 2, 3, 4], p=[0.5, 0.25, 0.1, 0.15]))
            angles = rng.uniform(0, 2 * np.pi) + 2 * np.pi * np.arange(count) / count
            distance = rng.uniform(0.4, 0.6)
            coils = tuple(
                (float(0.5 + distance * np.sin(a)), float(0.5 + distance * np.cos(a))) for a in angles
            )
            radius = rng.uniform(0.1, 0.4)
        return cls(
            coils=coils,
            radius=float(radius),
            range_db=float(rng.uniform(30, 56)),
            unevenness=float(rng.uniform(0, 0.4)),
            seed=int(rng.integers(2**31)),
        )

    def _spoil(self, image: Image) -> Image:
        """Return image times sensitivity; the sensitivity's geometric mean over the field of view is 1."""
        log_gain = self._log_gain((image.shape[0], image.shape[1]))
        return np.asarray(image * np.exp(np.float32(self.severity) * log_gain), np.float32)

    def _log_gain(self, shape: tuple[int, int]) -> NDArray[np.float32]:
        """Return the sensitivity's natural logarithm, (rows, columns): mean 0, range `range_db`."""
        y, x = ((np.arange(n, dtype=np.float32) + 0.5) / n for n in shape)
        power = np.zeros(shape, np.float32)
        for row, column in self.coils:
            squared = ((y - row) ** 2)[:, None] + (x - column) ** 2
            power += (1 + squared / np.float32(self.radius**2)) ** -3
        log_gain = 0.5 * np.log(power)
        uneven = smooth_field(shape, self.seed)
        log_gain = (1 - self.unevenness) * log_gain / max(
            np.ptp(log_gain), 1e-6
        ) + self.unevenness * 0.5 * uneven
        log_gain *= self.range_db / 20 * np.log(10) / max(np.ptp(log_gain), 1e-6)
        return np.asarray(log_gain - log_gain.mean(), np.float32)

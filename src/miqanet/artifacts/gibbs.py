"""Gibbs ringing: k-space cut off sharply and zero-filled back to the matrix.

A sharp cut convolves the image with a sinc; next to every edge the signal overshoots by 9 % and oscillates
with a period of two acquired pixels (Wood and Henkelman, "Truncation artifacts in MR imaging", MRM 1985).
No apodization: that would be low resolution.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from miqanet.artifacts.base import Artifact, Image
from miqanet.artifacts.checks import fraction, positive
from miqanet.artifacts.fourier import smooth_phase, to_image, to_kspace


def kept_lines(lines: int, fraction: float) -> NDArray[np.float32]:
    """Return weights, (lines,), of the middle `fraction` of k-space: 1 inside, 0 outside.

    The outermost line has the weight of the part of it that is kept, so that the cut moves continuously.
    """
    distance = np.abs(np.arange(lines) - lines // 2)
    return np.clip(fraction * lines / 2 - distance + 0.5, 0, 1).astype(np.float32)


@dataclass(frozen=True, kw_only=True)
class Gibbs(Artifact):
    """Truncation of k-space. `kept` is for severity 1; at severity s the part `kept ** s` remains."""

    kind: ClassVar[str] = "gibbs"

    kept: tuple[float, float]
    """Part of k-space that is acquired along rows and along columns, above 0 and up to 1."""
    seed: int

    def __post_init__(self) -> None:
        super().__post_init__()
        for part in self.kept:
            positive(kept=part)
            fraction(kept=part)

    @classmethod
    def draw(cls, rng: np.random.Generator, shape: tuple[int, int]) -> Self:
        """Draw a few dozen lines along phase encoding, and for some images few along readout too."""
        lines = np.exp(rng.uniform(np.log(18), np.log(56)))
        ratio = np.inf if rng.random() < 0.6 else rng.uniform(1, 3)
        first, second = (lines, ratio * lines) if rng.random() < 0.5 else (ratio * lines, lines)
        return cls(
            kept=(min(1.0, float(first / shape[0])), min(1.0, float(second / shape[1]))),
            seed=int(rng.integers(2**31)),
        )

    def _spoil(self, image: Image) -> Image:
        """Return the image of the truncated k-space."""
        rows, columns = image.shape
        kspace = to_kspace(image * smooth_phase((rows, columns), self.seed, cycles=0.5))
        kspace *= kept_lines(rows, self.kept[0] ** self.severity)[:, None]
        kspace *= kept_lines(columns, self.kept[1] ** self.severity)
        return np.abs(to_image(kspace))

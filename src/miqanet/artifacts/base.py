"""What every artifact is: parameters of a scanner, drawn once, applied to any image."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class Artifact(ABC):
    """Parameters of one artifact, each in the unit that a scanner would use.

    Randomness is apart from action: `draw` makes parameters and `apply` is a pure function of them, so the
    same object spoils the same image the same way for ever.
    """

    kind: ClassVar[str]
    """Name of the artifact in labels, findings and tables."""

    severity: float = 1.0
    """Factor on the artifact's strength: 0 leaves the image as it is, 1 applies what was drawn."""

    def __post_init__(self) -> None:
        if not (np.isfinite(self.severity) and self.severity >= 0):
            raise ValueError(f"severity is a number of at least 0, not {self.severity}")

    @classmethod
    @abstractmethod
    def draw(cls, rng: np.random.Generator, shape: tuple[int, int]) -> Self:
        """Draw the parameters of a ruinous case (severity 1) for an image of `shape` (rows, columns)."""

    def apply(self, image: Image) -> Image:
        """Return the spoiled magnitude image: (rows, columns), float32, not negative, same intensity scale."""
        image = np.asarray(image, np.float32)
        return self._spoil(image) if self.severity else image

    @abstractmethod
    def _spoil(self, image: Image) -> Image:
        """Return what `apply` does to a float32 image at a severity above 0."""

    def at(self, severity: float) -> Self:
        """Return the same artifact, weaker or stronger."""
        return replace(self, severity=severity)

"""Low resolution: an acquired matrix too small for the anatomy, smoothly windowed and interpolated.

The acquired part of k-space is apodized (Hamming or Fermi window, as scanners do against ringing) and brought
back to the matrix by zero filling, or the small magnitude image is interpolated (Bernstein, King and Zhou,
"Handbook of MRI Pulse Sequences", chapter 13).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal, Self, get_args

import numpy as np
from numpy.typing import NDArray

from miqanet.artifacts.base import Artifact, Image
from miqanet.artifacts.checks import fraction, one_of, positive
from miqanet.artifacts.fourier import smooth_phase, to_image, to_kspace

Window = Literal["hamming", "fermi"]
Interpolation = Literal["zero_fill", "linear", "nearest"]

_FERMI_EDGE, _FERMI_WIDTH = 0.85, 0.05


@dataclass(frozen=True, kw_only=True)
class LowResolution(Artifact):
    """A matrix of `acquired` parts of the image's own; at severity s, of `acquired ** s` parts."""

    kind: ClassVar[str] = "low_resolution"

    acquired: tuple[float, float]
    """Acquired pixels / displayed pixels along rows and along columns, above 0 and up to 1."""
    window: Window
    interpolation: Interpolation
    seed: int

    def __post_init__(self) -> None:
        super().__post_init__()
        for part in self.acquired:
            positive(acquired=part)
            fraction(acquired=part)
        one_of(get_args(Window), window=self.window)
        one_of(get_args(Interpolation), interpolation=self.interpolation)

    @classmethod
    def draw(cls, rng: np.random.Generator, shape: tuple[int, int]) -> Self:
        """Draw a matrix of a few dozen lines along both axes or along phase encoding alone."""
        lines = np.exp(rng.uniform(np.log(16), np.log(56)))
        ratio = 1.0 if rng.random() < 0.4 else rng.uniform(1, 4)
        first, second = (lines, ratio * lines) if rng.random() < 0.5 else (ratio * lines, lines)
        return cls(
            acquired=(min(1.0, float(first / shape[0])), min(1.0, float(second / shape[1]))),
            window=get_args(Window)[rng.integers(2)],
            interpolation=get_args(Interpolation)[rng.choice(3, p=(0.5, 0.3, 0.2))],
            seed=int(rng.integers(2**31)),
        )

    def _spoil(self, image: Image) -> Image:
        """Return the image as the small matrix shows it."""
        shape = (image.shape[0], image.shape[1])
        kspace = to_kspace(image * smooth_phase(shape, self.seed, cycles=0.5))
        parts = [part**self.severity for part in self.acquired]
        for weight in np.ix_(*(self._taper(n, part) for n, part in zip(shape, parts, strict=True))):
            kspace *= weight
        if self.interpolation == "zero_fill":
            return np.abs(to_image(kspace))
        matrix = [min(n, max(2, round(n * part))) for n, part in zip(shape, parts, strict=True)]
        small = np.abs(to_image(kspace[np.ix_(*(_middle(n, m) for n, m in zip(shape, matrix, strict=True)))]))
        down, across = (self._interpolator(n, m) for n, m in zip(shape, matrix, strict=True))
        return np.asarray(down @ small @ across.T * np.sqrt(small.size / image.size), np.float32)

    def _taper(self, lines: int, part: float) -> NDArray[np.float32]:
        """Return the window over the lines of k-space, (lines,); it deepens with severity up to 1."""
        distance = np.abs(np.arange(lines) - lines // 2) / (part * lines / 2)
        if self.window == "hamming":
            taper = 0.54 + 0.46 * np.cos(np.pi * np.minimum(distance, 1))
        else:
            taper = 1 / (1 + np.exp((np.minimum(distance, 1) - _FERMI_EDGE) / _FERMI_WIDTH))
        depth = min(1.0, self.severity)
        return np.where(distance <= 1, 1 - depth * (1 - taper), 0).astype(np.float32)

    def _interpolator(self, size: int, acquired: int) -> NDArray[np.float32]:
        """Return the matrix (size, acquired) that interpolates along one axis, the middle pixels aligned."""
        position = (np.arange(size) - size // 2) * acquired / size + acquired // 2
        if self.interpolation == "nearest":
            position = np.round(position)
        left = np.clip(np.floor(position), 0, acquired - 1).astype(np.intp)
        right = np.minimum(left + 1, acquired - 1)
        weight = np.clip(position - left, 0, 1)
        matrix = np.zeros((size, acquired), np.float32)
        matrix[np.arange(size), left] += 1 - weight
        matrix[np.arange(size), right] += weight
        return matrix


def _middle(size: int, kept: int) -> NDArray[np.intp]:
    """Return the indices of the `kept` middle lines of `size`, zero frequency to zero frequency."""
    return np.arange(kept) - kept // 2 + size // 2

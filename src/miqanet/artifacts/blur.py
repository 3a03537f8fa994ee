"""Blur: signal that fades or smears while k-space is filled.

Three causes, each a transfer function of k-space: T2 decay along the echo train (centric order: an
exponential along phase encoding, hence a Lorentzian point spread; Constable and Gore, MRM 1992), a slow drift
or many small movements (a Gaussian), and steady motion during every readout (a box along one direction, hence
a sinc).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal, Self, get_args

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from miqanet.artifacts.base import Artifact, Image
from miqanet.artifacts.checks import not_negative, one_of
from miqanet.artifacts.fourier import smooth_phase

Cause = Literal["t2_decay", "gaussian", "steady_motion"]


@dataclass(frozen=True, kw_only=True)
class Blur(Artifact):
    """A point spread of `fwhm_px` full widths at half maximum along rows and along columns.

    For steady motion the two are the components of the path, and its length is the width of the box.
    """

    kind: ClassVar[str] = "blur"

    cause: Cause
    fwhm_px: tuple[float, float]
    seed: int

    def __post_init__(self) -> None:
        super().__post_init__()
        one_of(get_args(Cause), cause=self.cause)
        for width in self.fwhm_px:
            not_negative(fwhm_px=abs(width) if self.cause == "steady_motion" else width)

    @classmethod
    def draw(cls, rng: np.random.Generator, shape: tuple[int, int]) -> Self:
        """Draw a blur that hides small structures in an image of `shape` (rows, columns)."""
        cause: Cause = get_args(Cause)[rng.choice(3, p=(0.3, 0.4, 0.3))]
        width = max(shape) * rng.uniform(0.02, 0.045)
        if cause == "t2_decay":
            widths = (1.3 * width, 0.0) if rng.random() < 0.5 else (0.0, 1.3 * width)
        elif cause == "gaussian":
            other = width * rng.uniform(0.2, 1)
            widths = (width, other) if rng.random() < 0.5 else (other, width)
        else:
            angle = rng.uniform(0, np.pi)
            widths = (1.5 * width * np.cos(angle), 1.5 * width * np.sin(angle))
        return cls(
            cause=cause,
            fwhm_px=(float(widths[0]), float(widths[1])),
            seed=int(rng.integers(2**31)),
        )

    def transfer(self, shape: tuple[int, int]) -> NDArray[np.float32]:
        """Return the factor on every point of k-space, (rows, columns), zero frequency first."""
        down, across = (
            fft.fftfreq(n) * width * self.severity for n, width in zip(shape, self.fwhm_px, strict=True)
        )
        if self.cause == "steady_motion":
            return np.asarray(np.sinc(np.add.outer(down, across)), np.float32)
        if self.cause == "t2_decay":
            rows, columns = np.exp(-np.pi * np.abs(down)), np.exp(-np.pi * np.abs(across))
        else:
            shape_factor = np.pi**2 / (4 * np.log(2))
            rows, columns = np.exp(-shape_factor * down**2), np.exp(-shape_factor * across**2)
        return np.outer(rows, columns).astype(np.float32)

    def _spoil(self, image: Image) -> Image:
        """Return the blurred image."""
        shape = (image.shape[0], image.shape[1])
        spectrum = fft.fft2(image * smooth_phase(shape, self.seed, cycles=0.5), overwrite_x=True)
        blurred = fft.ifft2(spectrum * self.transfer(shape), overwrite_x=True)
        return np.asarray(np.abs(blurred), np.float32)

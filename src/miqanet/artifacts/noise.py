"""Thermal noise: what is left of an image whose signal is too weak."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from miqanet.artifacts import checks
from miqanet.artifacts.base import Artifact, Image
from miqanet.artifacts.body import body_signal
from miqanet.artifacts.field import smooth_field


@dataclass(frozen=True, kw_only=True)
class Noise(Artifact):
    """Complex Gaussian noise of the receive chain, seen in the magnitude image.

    Real and imaginary part carry independent Gaussian noise, so that the magnitude is Rician, and Rayleigh in
    air (Gudbjartsson and Patz, MRM 1995). Parallel imaging amplifies it where coils cannot tell aliased
    pixels apart (the g-factor; Pruessmann et al., MRM 1999); zero filling of k-space makes it coarse-grained.

    Severity multiplies the standard deviation.
    """

    kind: ClassVar[str] = "noise"

    snr: float
    """The body's median signal over the standard deviation of the real (or imaginary) part's noise."""

    g_factor: float = 1.0
    """Greatest amplification by parallel imaging; 1 is even noise."""

    zero_filling: float = 1.0
    """Rows and columns of the image over those acquired; 1 is white noise."""

    seed: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        checks.positive(snr=self.snr)
        if not 1 <= self.g_factor < np.inf:
            raise ValueError(f"g_factor is a number of at least 1, not {self.g_factor}")
        if not 1 <= self.zero_filling < np.inf:
            raise ValueError(f"zero_filling is a number of at least 1, not {self.zero_filling}")

    @classmethod
    def draw(cls, rng: np.random.Generator, shape: tuple[int, int]) -> Self:
        """Draw an SNR of 0.7 to 2.5, twice that with parallel imaging; large matrices are interpolated."""
        interpolated = max(1.0, min(shape) / 320) * rng.uniform(1.0, 2.0)
        parallel = rng.random() < 0.35
        return cls(
            snr=float(np.exp(rng.uniform(np.log(0.7), np.log(2.5)))) * (2 if parallel else 1),
            g_factor=float(rng.uniform(1.5, 4)) if parallel else 1.0,
            zero_filling=float(interpolated) if rng.random() < 0.6 else 1.0,
            seed=int(rng.integers(2**31)),
        )

    def _spoil(self, image: Image) -> Image:
        """Return the magnitude of image plus complex noise."""
        shape = (image.shape[0], image.shape[1])
        noise = self._unit_noise(shape) * np.float32(self.severity * body_signal(image) / self.snr)
        if self.g_factor > 1:
            noise *= 1 + np.float32(self.g_factor - 1) * self._aliasing(shape)
        noise.real += image
        return np.asarray(np.abs(noise), np.float32)

    def _unit_noise(self, shape: tuple[int, int]) -> NDArray[np.complex64]:
        """Return complex noise of standard deviation 1 in either part, from the acquired k-space only."""
        acquired = tuple(max(1, round(n / self.zero_filling)) for n in shape)
        rng = np.random.default_rng(self.seed)
        parts = rng.standard_normal((*acquired, 2), dtype=np.float32)
        noise = parts.view(np.complex64)[..., 0]
        if acquired == shape:
            return noise
        kspace = np.zeros(shape, np.complex64)
        top, left = ((n - m) // 2 for n, m in zip(shape, acquired, strict=True))
        kspace[top : top + acquired[0], left : left + acquired[1]] = noise
        filled = fft.ifft2(fft.ifftshift(kspace), norm="ortho", overwrite_x=True)
        return np.asarray(filled * np.float32(np.sqrt(kspace.size / noise.size)), np.complex64)

    def _aliasing(self, shape: tuple[int, int]) -> NDArray[np.float32]:
        """Return where unfolding is ill-conditioned, 0..1: the middle, between bands of the folded coils."""
        y, x = (np.linspace(-1, 1, n, dtype=np.float32) for n in shape)
        middle = np.exp(-((y[:, None] / 0.6) ** 2 + (x / 0.6) ** 2))
        return np.asarray(middle * (0.75 + 0.25 * smooth_field(shape, self.seed, order=8)), np.float32)

"""Between an image and its k-space: centered, orthonormal two-dimensional Fourier transforms."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import fft

Complex = NDArray[np.complex64]


def to_kspace(image: NDArray[np.floating] | Complex) -> Complex:
    """Return the k-space of an image (rows, columns), the zero frequency in the middle; energy is kept."""
    spectrum = fft.fft2(fft.ifftshift(image).astype(np.complex64, copy=False), norm="ortho", overwrite_x=True)
    return np.asarray(fft.fftshift(spectrum), np.complex64)


def to_image(kspace: Complex) -> Complex:
    """Return the complex image of a k-space (rows, columns); the inverse of `to_kspace`."""
    image = fft.ifft2(fft.ifftshift(kspace), norm="ortho", overwrite_x=True)
    return np.asarray(fft.fftshift(image), np.complex64)


def smooth_phase(shape: tuple[int, int], seed: int, cycles: float = 1.0) -> Complex:
    """Return a unit-magnitude field of smooth random phase, (rows, columns).

    A magnitude image has lost its phase; real ones have a smooth one from receive coils and B0. `cycles` is
    about how often the phase turns across the field of view.
    """
    rng = np.random.default_rng(seed)
    y, x = np.meshgrid(*(np.linspace(-1, 1, n, dtype=np.float32) for n in shape), indexing="ij")
    a = rng.normal(size=6).astype(np.float32)
    bend = a[1] * y + a[2] * x + a[3] * x * y + 0.5 * a[4] * y * y + 0.5 * a[5] * x * x
    return unit_phasor(np.float32(np.pi) * (a[0] + np.float32(cycles) * bend))


def unit_phasor(radians: NDArray[np.float32]) -> Complex:
    """Return exp(i radians), complex64; real and imaginary part apart take half the time of a complex exp."""
    phasor = np.empty(radians.shape, np.complex64)
    phasor.real, phasor.imag = np.cos(radians), np.sin(radians)
    return phasor

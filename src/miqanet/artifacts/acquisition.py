"""What differs between healthy scans: field of view, matrix, contrast, coil, noise floor, interpolation, window.

None of it harms an image. A model that has not seen it takes a new scanner for a bad one (domain randomization:
Billot et al., "SynthSeg", Medical Image Analysis 2023).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from PIL import Image as Picture
from scipy import ndimage

from miqanet.artifacts.base import Image
from miqanet.artifacts.field import smooth_field
from miqanet.artifacts.fourier import to_image, to_kspace

_AIR = 0.08
"""Relative signal up to which a contrast curve brightens nothing: air has no contrast, only noise."""

_LARGEST_MATRIX = 512

_STEEPEST = 1.6
"""Greatest slope of a contrast curve: beyond it noise and gray levels stand out."""


@dataclass(frozen=True, kw_only=True)
class Acquisition:
    """One healthy way to scan an object and to show it; `scan` comes before artifacts, `show` after them."""

    quarter_turns: int = 0
    flip: bool = False
    field_of_view: tuple[float, float] = (1.0, 1.0)
    """Rows and columns of the field of view over those of the original; above 1 adds air."""
    matrix: int = 256
    """Longer side of the acquired matrix in pixels."""
    contrast: tuple[float, ...] = (0.0, 1.0)
    """Signal at evenly spaced levels of the original signal, 0 to 1."""
    warp_percent: float = 0.0
    """RMS displacement of a smooth warp, in percent of the longer side: another anatomy."""
    shading: float = 0.0
    """Natural logarithm of the coil's largest to its smallest sensitivity; under 0.4 it does no harm."""
    snr: float = np.inf
    """Body signal over the standard deviation of thermal noise."""
    zero_fill: float = 1.0
    """Factor by which the scanner interpolates the matrix in k-space."""
    apodization: float = 0.0
    """Strength 0..1 of the Hamming window on k-space."""
    window: tuple[float, float] = (0.0, 100.0)
    """Percentiles of the signal at which an exported picture is black and white."""
    gray_levels: int = 0
    """Number of gray levels of an exported picture; 0 keeps the full depth."""
    seed: int = 0
    """Of the warp, the coil and the noise."""

    @classmethod
    def draw(cls, rng: np.random.Generator, shape: tuple[int, int], scale: float = 1.0) -> Self:
        """Draw a healthy acquisition for an object of `shape` (rows, columns), its matrix times `scale`."""
        longer = max(shape)
        shrink = rng.uniform(0.6, 1.0) if rng.random() < 0.35 else 1.0
        fov = rng.uniform(0.65, 1.35) * np.exp(rng.normal(0, 0.06, 2)) if rng.random() < 0.5 else np.ones(2)
        contrast: tuple[float, ...] = (0.0, 1.0)
        if rng.random() < 0.5:
            contrast = _random_contrast(rng, monotone=bool(rng.random() < 0.7))
        exported = rng.random() < 0.4
        return cls(
            quarter_turns=int(rng.integers(4)),
            flip=bool(rng.random() < 0.5),
            field_of_view=(float(fov[0]), float(fov[1])),
            matrix=round(scale * float(np.clip(longer * shrink * float(fov.max()), 96, _LARGEST_MATRIX))),
            contrast=contrast,
            warp_percent=float(rng.uniform(0.5, 4.0)) if rng.random() < 0.5 else 0.0,
            shading=float(rng.uniform(0, 0.4)) if rng.random() < 0.4 else 0.0,
            snr=float(np.exp(rng.uniform(np.log(18), np.log(120)))) if rng.random() < 0.6 else np.inf,
            zero_fill=float(rng.choice((1.25, 1.5, 2.0))) if rng.random() < 0.25 else 1.0,
            apodization=float(rng.uniform(0.2, 1.0)) if rng.random() < 0.3 else 0.0,
            window=(float(rng.uniform(0, 2)), float(rng.uniform(98.5, 100))) if exported else (0.0, 100.0),
            gray_levels=int(rng.choice((256, 256, 1024, 4096))) if exported else 0,
            seed=int(rng.integers(2**31)),
        )

    def scan(self, image: Image) -> Image:
        """Return what this scanner would have acquired of the object, scaled to a largest signal of about 1."""
        rng = np.random.default_rng(self.seed)
        x = np.rot90(np.asarray(image, np.float32), self.quarter_turns)
        x = x[:, ::-1] if self.flip else x
        x = x / max(float(np.percentile(x, 99.5)), float(np.finfo(np.float32).tiny))
        x = _resample(x, self.field_of_view, self.matrix)
        if self.warp_percent:
            x = _warp(x, self.warp_percent / 100 * max(x.shape), rng)
        if len(self.contrast) > 2:
            x = _recontrast(x, self.contrast)
        if self.shading:
            x = x * np.exp(self.shading / 2 * smooth_field((x.shape[0], x.shape[1]), self.seed))
        if np.isfinite(self.snr):
            noise = rng.normal(0, 0.5 / self.snr, (2, *x.shape)).astype(np.float32)
            x = np.hypot(x + noise[0], noise[1])
        return np.ascontiguousarray(x, np.float32)

    def show(self, image: Image) -> Image:
        """Return the image as its file holds it: interpolated, windowed, in so many gray levels."""
        x = image
        if self.apodization or self.zero_fill > 1:
            x = _reconstruct(x, self.zero_fill, self.apodization)
        if self.window != (0.0, 100.0):
            black, white = np.percentile(x, self.window)
            x = np.clip(x, black, max(white, black + 1e-6)) - black
        if self.gray_levels:
            top = max(float(x.max()), 1e-6)
            x = np.round(x * np.float32((self.gray_levels - 1) / top)) * np.float32(
                top / (self.gray_levels - 1)
            )
        return np.asarray(x, np.float32)


def _resample(x: Image, field_of_view: tuple[float, float], matrix: int) -> Image:
    """Crop or pad with air to the field of view, then resize so that the longer side is `matrix`."""
    rows, columns = (max(16, round(n * f)) for n, f in zip(x.shape, field_of_view, strict=True))
    framed = np.zeros((rows, columns), np.float32)
    source, target = [], []
    for old, new in zip(x.shape, framed.shape, strict=True):
        common = min(old, new)
        source.append(slice((old - common) // 2, (old - common) // 2 + common))
        target.append(slice((new - common) // 2, (new - common) // 2 + common))
    framed[tuple(target)] = x[tuple(source)]
    scale = matrix / max(rows, columns)
    if abs(scale - 1) < 0.02:
        return framed
    size = max(16, round(columns * scale)), max(16, round(rows * scale))
    return np.asarray(Picture.fromarray(framed).resize(size, Picture.Resampling.BICUBIC)).clip(0)


def _warp(x: Image, displacement_px: float, rng: np.random.Generator) -> Image:
    """Displace pixels smoothly; the grid is coarse, so that anatomy changes and texture does not."""
    grid = np.indices(x.shape, np.float32)
    for axis in (0, 1):
        grid[axis] += 2 * displacement_px * smooth_field((x.shape[0], x.shape[1]), int(rng.integers(2**31)))
    return np.asarray(ndimage.map_coordinates(x, grid, order=1, mode="constant"), np.float32)


def _random_contrast(rng: np.random.Generator, *, monotone: bool) -> tuple[float, ...]:
    """Draw a contrast curve: a power law, or one that reorders tissues as another weighting would."""
    if monotone:
        return tuple(float(level) for level in np.linspace(0, 1, 9) ** np.exp(rng.normal(0, 0.25)))
    levels = [0.0]
    for _ in range(8):
        step = float(rng.uniform(-_STEEPEST, _STEEPEST)) / 8
        # Turned back at the bounds, not held there: a flat stretch would merge tissues into one.
        inside = 0.1 <= levels[-1] + step <= 1.0
        levels.append(max(0.1, levels[-1] + (step if inside else -step)))
    top = max(levels)
    return tuple(level / top for level in levels)


def _recontrast(x: Image, contrast: tuple[float, ...]) -> Image:
    levels = np.linspace(0, 1, len(contrast))
    mapped = np.interp(x, levels, contrast).astype(np.float32)
    tissue = np.clip(x / _AIR - 1, 0, 1)
    return np.asarray(tissue * mapped + (1 - tissue) * np.minimum(x, mapped), np.float32)


def _reconstruct(x: Image, zero_fill: float, apodization: float) -> Image:
    """Window the k-space and embed it in a larger one."""
    kspace = to_kspace(x)
    for axis, n in enumerate(x.shape):
        window = 1 - apodization * (1 - np.hamming(n).astype(np.float32))
        kspace *= window.reshape(-1, 1) if axis == 0 else window
    if zero_fill > 1:
        larger = [round(n * zero_fill) for n in x.shape]
        # The zero frequency stands at n // 2; it has to stay there in the larger k-space.
        padding = [(m // 2 - n // 2, m - n - (m // 2 - n // 2)) for n, m in zip(x.shape, larger, strict=True)]
        kspace = np.pad(kspace, padding) * np.float32(zero_fill)
    return np.abs(to_image(kspace))

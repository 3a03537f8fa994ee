"""From an image to what the network sees: one definition for training and for inference."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

SIZE = 512
"""Side of the network's input in pixels (Chen et al., VCIP 2022, section III)."""

_DARKEST, _BRIGHTEST = 0.5, 99.5


def scale_intensities(pixels: NDArray[np.floating]) -> NDArray[np.float32]:
    """Map the image's own 0.5th to 99.5th percentile to 0..1, clip what lies beyond, and take the square root.

    The root spreads the dark end: a ghost, a zipper or noise in air has a few hundredths of the body's signal,
    and a network that begins with random weights would long overlook it. Percentiles ignore the few pixels that
    a spike, a vessel or a burnt-in mark makes extreme. Where they coincide (a small object in much air), the
    least and the greatest value take their place.
    """
    darkest, brightest = np.percentile(pixels, (_DARKEST, _BRIGHTEST))
    if brightest <= darkest:
        darkest, brightest = pixels.min(), pixels.max()
    span = max(float(brightest) - float(darkest), float(np.finfo(np.float32).tiny))
    scaled = (pixels.astype(np.float32) - np.float32(darkest)) / np.float32(span)
    return np.asarray(np.sqrt(np.clip(scaled, 0.0, 1.0)), np.float32)


def letterbox_placement(shape: tuple[int, int], size: int = SIZE) -> tuple[int, int, int, int]:
    """Return (top, left, rows, columns) of an image of `shape` inside the `size` x `size` square."""
    rows, columns = shape
    scale = size / max(rows, columns)
    fitted_rows, fitted_columns = max(1, round(rows * scale)), max(1, round(columns * scale))
    return (size - fitted_rows) // 2, (size - fitted_columns) // 2, fitted_rows, fitted_columns


def letterbox(pixels: NDArray[np.float32], size: int = SIZE) -> NDArray[np.float32]:
    """Fit the whole image into a black square, its aspect kept.

    Nothing is cropped: ghosts, wrap-around and zippers live in the air that a crop would remove. Reduction is
    antialiased (bilinear), so that aliasing does not pass for an artifact.
    """
    top, left, rows, columns = letterbox_placement((pixels.shape[0], pixels.shape[1]), size)
    fitted = Image.fromarray(pixels).resize((columns, rows), Image.Resampling.BILINEAR)
    square = np.zeros((size, size), np.float32)
    square[top : top + rows, left : left + columns] = np.asarray(fitted)
    return square


def prepare(pixels: NDArray[np.floating], size: int = SIZE) -> NDArray[np.float32]:
    """Return the network's input, (size, size) in 0..1, for an image of any shape and intensity range."""
    return letterbox(scale_intensities(pixels), size)

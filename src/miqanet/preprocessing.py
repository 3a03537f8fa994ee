"""From an image to what the network sees: one definition for training and for inference."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

SIZE = 512
"""Side of the network's input in pixels (Chen et al., VCIP 2022, section III)."""

DOUBT = 2.0
"""How near to 0 the logit of low has to be for a second look: the image is judged once more, turned by half.

What differs between the two is none of the artifact, and half of it is gone from their mean.
"""

_DARKEST, _BRIGHTEST = 0.005, 0.995


def scale_intensities(pixels: NDArray[np.floating]) -> NDArray[np.float32]:
    """Map the image's own 0.5th to 99.5th percentile to 0..1, clip what lies beyond, and take the square root.

    The root spreads the dark end: a ghost, a zipper or noise in air has a few hundredths of the body's signal,
    and a network that begins with random weights would long overlook it. Percentiles ignore the few pixels that
    a spike, a vessel or a burnt-in mark makes extreme. Where they coincide (a small object in much air), the
    least and the greatest value take their place.
    """
    darkest, brightest = _quantile(pixels, _DARKEST), _quantile(pixels, _BRIGHTEST)
    if brightest <= darkest:
        darkest, brightest = float(pixels.min()), float(pixels.max())
    span = max(brightest - darkest, float(np.finfo(np.float32).tiny))
    scaled = pixels.astype(np.float32)
    # In place: memory that is new to the process costs more than the arithmetic.
    scaled -= np.float32(darkest)
    scaled /= np.float32(span)
    np.clip(scaled, 0.0, 1.0, out=scaled)
    return np.sqrt(scaled, out=scaled)


def _quantile(pixels: NDArray[np.floating], share: float) -> float:
    """Return the value below which a share of the pixels lies, interpolated linearly.

    One selection a value; `numpy.percentile` takes five times as long.
    """
    whole, part = divmod(share * (pixels.size - 1), 1)
    selected = np.partition(pixels, int(whole), axis=None)
    below = float(selected[int(whole)])
    return below + part * (float(selected[int(whole) + 1 :].min()) - below) if part else below


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
    if pixels.shape == (size, size):
        return pixels
    fitted = Image.fromarray(pixels).resize((columns, rows), Image.Resampling.BILINEAR)
    square = np.zeros((size, size), np.float32)
    square[top : top + rows, left : left + columns] = np.asarray(fitted)
    return square


def prepare(pixels: NDArray[np.floating], size: int = SIZE) -> NDArray[np.float32]:
    """Return the network's input, (size, size) in 0..1, for an image of any shape and intensity range."""
    return letterbox(scale_intensities(pixels), size)

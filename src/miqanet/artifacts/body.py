"""Where the body is: the mask inside which an artifact's harm is measured, and outside which is air."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

_LEVEL = 0.12
"""Fraction of the 98th percentile above which smoothed signal is tissue rather than air."""


def body_mask(image: NDArray[np.floating]) -> NDArray[np.bool_]:
    """Return the mask (rows, columns) of tissue: smoothed signal above the air's level, holes filled."""
    radius = max(1, round(max(image.shape) / 128))
    smooth = ndimage.uniform_filter(image.astype(np.float32, copy=False), 2 * radius + 1)
    mask = smooth > _LEVEL * np.percentile(smooth, 98)
    return np.asarray(ndimage.binary_fill_holes(mask), bool)


def body_signal(image: NDArray[np.floating]) -> float:
    """Return the median intensity above the air's level: what noise and interference are measured against.

    It scales with the image. An image without signal gives 0.
    """
    signal = image[image > _LEVEL * np.percentile(image, 98)]
    return float(np.median(signal)) if signal.size else 0.0

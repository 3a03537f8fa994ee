"""What the methods ask of an image."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray


def checked(image: ArrayLike, method: str, least: int) -> NDArray[np.float64]:
    """Return `image` as float64, (rows, columns), each at least `least` pixels; ValueError says what is wrong.

    Values are taken as they are. The releases saw 0..255, and their constants assume that range.
    """
    return np.asarray(checked_as_is(image, method, least), np.float64)


def checked_as_is(image: ArrayLike, method: str, least: int) -> NDArray[Any]:
    """Return `image` as `checked` does, but as numbers of its own type."""
    pixels = np.asarray(image)
    if pixels.dtype.kind not in "biuf":
        raise ValueError(f"{method} takes real numbers, not {pixels.dtype}; of complex ones, their magnitude")
    if pixels.ndim != 2:
        raise ValueError(f"{method} takes one image of two axes (rows, columns), not shape {pixels.shape}")
    if min(pixels.shape) < least:
        rows, columns = pixels.shape
        raise ValueError(
            f"{method} takes images of at least {least} x {least} pixels, not {rows} x {columns}"
        )
    if not np.isfinite(pixels).all():
        raise ValueError(f"{method} takes finite values only; the image holds NaN or infinity")
    return pixels

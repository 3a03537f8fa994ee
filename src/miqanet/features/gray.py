"""From an image's own intensities to the gray levels that the classical methods were made for."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_WHITE = 255.0


def to_gray(pixels: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return an image with values 0..255, without rounding.

    One of eight bits (whole numbers from 0 to 255) stays as it is, so that a picture has its published features. Any
    other has its greatest value white, and zero black, or its least value where that is below: as the database
    keeps images.
    """
    values = pixels.astype(np.float64)
    least, greatest = values.min(), values.max()
    if least >= 0 and greatest <= _WHITE and np.array_equal(values, np.rint(values)):
        return values
    black = min(0.0, least)
    # An image whose values are all equal, and not positive, has no white.
    span = (greatest - black) or 1.0
    return np.asarray((values - black) / span * _WHITE, np.float64)

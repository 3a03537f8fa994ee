"""Other ways to show an image that leave its label alone: turns, flips, interpolation and window.

A clean slice that is spoiled afresh has been through all of them (`miqanet.artifacts.acquisition`) before its
artifacts, whose axes and signs are drawn as well. A stored image always looks the same; it is what this is for.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from miqanet.artifacts.acquisition import Acquisition


def vary(image: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """Return the image, (rows, columns), in one of its eight orientations, zero-filled and windowed as drawn."""
    turned = np.rot90(image, int(rng.integers(4)))
    turned = turned[:, ::-1] if rng.random() < 0.5 else turned
    # Apodization is left out: what a k-space window smooths away may be what made the image low.
    shown = replace(Acquisition.draw(rng, (image.shape[0], image.shape[1])), apodization=0.0)
    return np.ascontiguousarray(shown.show(turned))

"""No-reference image quality, one method a file: numbers that say how an image deviates from clean ones."""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from miqanet.features.bliinds2 import bliinds2
from miqanet.features.brisque import brisque
from miqanet.features.cornia import CorniaCodebook, cornia
from miqanet.features.diivine import diivine
from miqanet.features.measures import NAMES, measures

Method = Callable[[ArrayLike], NDArray[np.float64]]

METHODS: dict[str, Method] = {
    "bliinds2": bliinds2,
    "brisque": brisque,
    "diivine": diivine,
    "measures": measures,
}
"""The methods that need an image with values 0..255 and nothing else, by name. CORNIA needs a codebook, too."""


def _numbered(method: str, count: int) -> tuple[str, ...]:
    """Return names of features that the papers only count, from 1."""
    return tuple(f"{method}_{number}" for number in range(1, count + 1))


FEATURE_NAMES: dict[str, tuple[str, ...]] = {
    "bliinds2": _numbered("bliinds2", 24),
    "brisque": _numbered("brisque", 36),
    "diivine": _numbered("diivine", 88),
    "measures": NAMES,
}
"""A name for each feature of a method, in order; unique over all methods."""

__all__ = [
    "FEATURE_NAMES",
    "METHODS",
    "CorniaCodebook",
    "Method",
    "bliinds2",
    "brisque",
    "cornia",
    "diivine",
    "measures",
]

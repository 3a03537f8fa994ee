"""CORNIA: codebook representation for no-reference image assessment.

Ye, Kumar, Kang & Doermann, "Unsupervised feature learning framework for no-reference image quality assessment", CVPR
2012. How strongly does any patch of the image look like each pattern of a codebook, or like its negative? Numbers as
of the authors' release (v0).
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from miqanet.features.checks import checked
from miqanet.features.codebook import CorniaCodebook
from miqanet.features.patches import SIDE, normalized_patches, patch_count

__all__ = ["CorniaCodebook", "cornia"]

LEAST_SIZE = SIDE

_PATCHES, _ATOMS = 256, 512
"""Responses are computed in blocks of so many, which stay in the processor's cache."""


def cornia(
    image: ArrayLike, codebook: CorniaCodebook, patches: Literal["all"] | ArrayLike = "all"
) -> NDArray[np.float64]:
    """Return the (2K,) features of a gray image (rows, columns) with values 0..255, for a codebook of K atoms.

    First the greatest response of any patch to each atom, then to its negative; 0 where none is positive.

    Args:
        image: at least 7 x 7.
        codebook: learned on other images.
        patches: "all", or indices of some, counted from 0 down the columns of the (rows - 6) x (columns - 6)
            positions, as in MATLAB's im2col. `miqanet.features.patches.draw_patches` draws as the release does.

    Raises:
        ValueError: the image is below 7 x 7 or holds what is no finite number, or `patches` are not of this image.
    """
    pixels = checked(image, "CORNIA", LEAST_SIZE)
    indices = _indices(patches, patch_count(pixels.shape))
    # Exact in this order, too: ((x - M) P) D = (x - M) (P D).
    lengths = np.linalg.norm(codebook.atoms, axis=0) + 1e-20
    projection = codebook.whitening @ (codebook.atoms / lengths)
    greatest, least = np.zeros(projection.shape[1]), np.zeros(projection.shape[1])
    for start in range(0, len(indices), _PATCHES):
        centered = normalized_patches(pixels, indices[start : start + _PATCHES]) - codebook.mean
        for first in range(0, projection.shape[1], _ATOMS):
            atoms = slice(first, first + _ATOMS)
            responses = centered @ projection[:, atoms]
            np.maximum(greatest[atoms], responses.max(axis=0), out=greatest[atoms])
            np.minimum(least[atoms], responses.min(axis=0), out=least[atoms])
    return np.concatenate([greatest, 0 - least])


def _indices(patches: Literal["all"] | ArrayLike, available: int) -> NDArray[np.integer]:
    """Return the indices of the patches to be looked at, once they are known to be of the image."""
    if isinstance(patches, str):
        if patches != "all":
            raise ValueError(f'patches are "all" or an array of indices, not {patches!r}')
        return np.arange(available)
    indices = np.asarray(patches)
    if indices.ndim != 1 or not indices.size or not np.issubdtype(indices.dtype, np.integer):
        raise ValueError("patches is a list of at least one whole number, the indices of patches")
    if indices.min() < 0 or indices.max() >= available:
        raise ValueError(f"the image has {available} patches, so indices are 0 to {available - 1}")
    return indices

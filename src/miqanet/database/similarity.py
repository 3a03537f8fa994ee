"""Near-duplicates by perceptual hash: the signs of an image's lowest spatial frequencies.

C. Zauner, "Implementation and Benchmarking of Perceptual Image Hash Functions", 2010 (pHash): the low frequencies of
the cosine transform, each against their median. What changes gray levels or fine detail changes few bits.
"""

from __future__ import annotations

import imagehash
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from miqanet.preprocessing import scale_intensities

_SIDE = 16
"""Frequencies along each axis. Half of it, the usual, takes many a brain for another one at the same level."""

BITS = _SIDE**2

DISTANCE = 24
"""Bits by which near-duplicates may differ. Different people's images in the same plane differ by 30 and more."""


def perceptual_hash(pixels: NDArray[np.floating]) -> NDArray[np.bool_]:
    """Return the hash, (BITS,), of an image (rows, columns) of any size and intensity range."""
    gray = np.round(255 * scale_intensities(pixels)).astype(np.uint8)
    return np.asarray(imagehash.phash(Image.fromarray(gray), hash_size=_SIDE).hash, np.bool_).ravel()


def distances(hashes: NDArray[np.bool_], others: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return by how many bits each of `hashes` (n, BITS) differs from each of `others` (m, BITS): (n, m)."""
    one, other = (np.where(bits, np.float32(1), np.float32(-1)) for bits in (hashes, others))
    return np.rint((BITS - one @ other.T) / 2).astype(np.int64)

"""What pixels must be to be judged, and how large a file may claim to be before it is refused.

Sizes come from headers, and a damaged or hostile header claims anything. Every size is checked against these
limits before memory is taken for it.
"""

from __future__ import annotations

from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

MAX_PIXELS = 2**26
"""Pixels of one image: 8192 x 8192, four times the side of the largest clinical MR matrix."""

MAX_FRAMES = 2**18
"""Frames of one file."""

MAX_BYTES_AT_ONCE = 2**30
"""Bytes of a frame, or of a volume whose slices do not follow each other in the file."""

_GRAY_TOLERANCE = 3
"""Difference of color channels, of 255, that lossy compression leaves in a gray picture."""


class UnreadableError(Exception):
    """Something that gives no image. `reason` is fit for the user's eyes: it holds nothing of a patient's."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class SkippedError(UnreadableError):
    """Something sound that is no MR image."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"skipped: {reason}")


def check_size(rows: int, columns: int, frames: int = 1) -> None:
    """Raise `UnreadableError` for an image or a file whose declared size cannot be meant."""
    if rows < 1 or columns < 1 or frames < 1:
        raise UnreadableError(f"declares {frames} frames of {rows} x {columns} pixels: nothing to read")
    if rows * columns > MAX_PIXELS:
        raise UnreadableError(f"declares {rows} x {columns} pixels: more than {MAX_PIXELS:,} are not read")
    if frames > MAX_FRAMES:
        raise UnreadableError(f"declares {frames:,} frames: more than {MAX_FRAMES:,} are not read")
    if rows == 1 or columns == 1:
        raise UnreadableError(f"{rows} x {columns} pixels are a line, not an image")


def checked(pixels: NDArray[Any]) -> NDArray[np.float32]:
    """Return the pixels as float32, C order, or raise `UnreadableError` if they cannot be judged.

    A complex image (NIfTI, NPY) is judged by its magnitude, as a radiologist sees it.
    """
    check_size(*pixels.shape)
    magnitude = np.abs(pixels) if np.iscomplexobj(pixels) else pixels
    with np.errstate(over="ignore"):
        values = np.ascontiguousarray(magnitude, np.float32)
    least, greatest = float(values.min()), float(values.max())
    if not np.isfinite(least + greatest):
        raise UnreadableError("pixels are not finite (NaN or infinity)")
    if greatest - least > np.finfo(np.float32).max:
        raise UnreadableError("pixels from one end of single precision to the other: nothing can be computed")
    if least == greatest:
        raise UnreadableError(f"constant pixels: every one is {least:g}")
    return values


def rescaled(pixels: NDArray[Any], slope: float, intercept: float) -> NDArray[Any]:
    """Return stored values times slope plus intercept, in floats that hold them."""
    if (slope, intercept) == (1.0, 0.0):
        return pixels
    dtype = np.result_type(pixels.dtype, np.float32)
    values: NDArray[Any] = np.multiply(pixels, slope, dtype=dtype)
    values += intercept
    return values


def gray(pixels: NDArray[Any]) -> NDArray[Any]:
    """Return the one channel of a gray picture that is stored as color, (rows, columns, 3), else raise."""
    spread = pixels.max(axis=2) - pixels.min(axis=2)
    tolerance = _GRAY_TOLERANCE * (np.iinfo(pixels.dtype).max // 255) if pixels.dtype.kind == "u" else 0
    if spread.max() > tolerance:
        raise SkippedError("color picture, MR images are gray")
    return pixels[:, :, 0]


def read_exactly(stream: BinaryIO, size: int, what: str) -> bytes:
    """Return the next `size` bytes, or raise `UnreadableError` if the file ends before."""
    if size > MAX_BYTES_AT_ONCE:
        raise UnreadableError(
            f"{what} is declared as {size:,} bytes: more than {MAX_BYTES_AT_ONCE:,} are not read"
        )
    data = stream.read(size)
    if len(data) < size:
        raise UnreadableError(f"truncated: {what} needs {size:,} bytes, the file has {len(data):,} left")
    return data

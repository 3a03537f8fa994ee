"""NumPy arrays (.npy): one image, or frames along the first axis. Nothing is ever unpickled."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from miqanet.reading.checks import (
    SkippedError,
    check_size,
    gray,
    read_exactly,
)
from miqanet.reading.records import Origin, Row


def read_npy(stream: BinaryIO, path: str) -> Iterator[Row]:
    """Yield the frames of an array: (rows, columns), (frames, rows, columns) or (rows, columns, 3 or 4).

    Axes before the last two are counted as one, and axes of length one are not counted.
    """
    major, _minor = np.lib.format.read_magic(stream)
    read_header = np.lib.format.read_array_header_1_0 if major == 1 else np.lib.format.read_array_header_2_0
    declared, is_fortran, dtype = read_header(stream)
    if dtype.kind not in "biufc":
        raise SkippedError("array of something other than numbers")
    shape = tuple(n for n in declared if n != 1)
    if len(shape) < 2:
        raise SkippedError(f"array of {len(shape)} axes, no image")
    is_color = dtype == np.uint8 and len(shape) == 3 and shape[2] in (3, 4)
    frame_axes = 3 if is_color else 2
    rows, columns = shape[-frame_axes:][:2]
    check_size(rows, columns, math.prod(shape[:-frame_axes]))
    origin = Origin(path)
    for frame, pixels in enumerate(_frames(stream, shape, frame_axes, dtype, is_fortran)):
        yield origin.row(frame, gray(pixels[:, :, :3]) if is_color else pixels)


def _frames(
    stream: BinaryIO, shape: tuple[int, ...], frame_axes: int, dtype: np.dtype[Any], is_fortran: bool
) -> Iterator[NDArray[Any]]:
    """Yield what lies along the last `frame_axes` axes, piece by piece unless the order is Fortran's."""
    frame_shape = shape[-frame_axes:]
    if not is_fortran:
        for frame in range(math.prod(shape[:-frame_axes])):
            data = read_exactly(stream, math.prod(frame_shape) * dtype.itemsize, f"frame {frame}")
            yield np.frombuffer(data, dtype).reshape(frame_shape)
        return
    size = math.prod(shape) * dtype.itemsize
    array = np.frombuffer(read_exactly(stream, size, "the array"), dtype).reshape(shape, order="F")
    for index in np.ndindex(shape[:-frame_axes]):
        yield array[index]

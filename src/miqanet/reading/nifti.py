"""NIfTI-1 and NIfTI-2 volumes in one file (.nii), packed or not; series of volumes too.

Slices are read one after another where they lie so in the file, which is along the third axis; along another
one a volume is held at a time.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np
from nibabel.nifti1 import Nifti1Header
from nibabel.nifti2 import Nifti2Header
from nibabel.spatialimages import HeaderDataError
from numpy.typing import NDArray

from miqanet.reading.checks import (
    SkippedError,
    UnreadableError,
    check_size,
    read_exactly,
    rescaled,
)
from miqanet.reading.records import Origin, Request, Row

_FIRST_VOXEL = {348: 352, 540: 544}
"""Least offset of the voxels by size of the header: four bytes tell of extensions."""

_MILLIMETRES = {1: 1000.0, 3: 0.001}
"""Length of the unit of distance by its code (metre, micron); all else means millimetres."""


@dataclass(frozen=True, slots=True)
class _Volume:
    shape: tuple[int, int, int]
    """Voxels along x, y and z; x is fastest in the file."""

    count: int
    spacing_mm: tuple[float, float, float]
    dtype: np.dtype[Any]
    offset: int
    slope: float
    intercept: float

    def slice_axis(self) -> int:
        """Return the axis of the largest spacing, the third where there is no larger one.

        What is a picture rather than a volume, with one voxel along an axis, is sliced along that.
        """
        flat = [axis for axis in range(3) if self.shape[axis] == 1]
        if len(flat) == 1:
            return flat[0]
        spacing = [s if s > 0 else 1.0 for s in self.spacing_mm]
        # Headers hold single precision: 0.9999999 is not larger than 1.
        return 2 if spacing[2] > 0.999 * max(spacing) else int(np.argmax(spacing))


def read_nifti(stream: BinaryIO, path: str, request: Request) -> Iterator[Row]:
    """Yield the slices of a NIfTI file, numbered over volumes and then slices.

    Slices are turned a quarter, so that the axis which comes later (anterior, superior) points up.
    """
    volume = _read_header(stream)
    axis = volume.slice_axis() if request.slice_axis is None else request.slice_axis
    column_axis, row_axis = (other for other in range(3) if other != axis)
    check_size(volume.shape[row_axis], volume.shape[column_axis], volume.count * volume.shape[axis])
    spacing = (volume.spacing_mm[row_axis], volume.spacing_mm[column_axis])
    origin = Origin(path)
    stream.seek(volume.offset)
    for frame, pixels in enumerate(_slices(stream, volume, axis)):
        values = rescaled(np.rot90(pixels), volume.slope, volume.intercept)
        yield origin.row(frame, values, spacing if min(spacing) > 0 else None)


def _read_header(stream: BinaryIO) -> _Volume:
    start = stream.read(8)
    stream.seek(0)
    header = (Nifti2Header if start[4:7] == b"n+2" else Nifti1Header).from_fileobj(stream, check=False)
    if len(start) < 8 or int(header["sizeof_hdr"]) not in _FIRST_VOXEL:
        raise UnreadableError("damaged NIfTI header: no valid size of itself")
    dimensions = int(header["dim"][0])
    shape = [int(n) for n in header["dim"][1 : dimensions + 1]]
    if not 2 <= dimensions <= 7 or min(shape) < 1:
        raise UnreadableError("damaged NIfTI header: no valid dimensions")
    shape += [1] * (3 - dimensions)
    try:
        dtype = header.get_data_dtype()
        slope, intercept = header.get_slope_inter()
    except HeaderDataError:
        raise UnreadableError("damaged NIfTI header: no valid data type or scale") from None
    if dtype.kind not in "iufc":
        raise SkippedError("color NIfTI, MR images are gray")
    unit = _MILLIMETRES.get(int(header["xyzt_units"]) & 7, 1.0)
    spacing = [unit * abs(float(s)) for s in header["pixdim"][1:4]]
    return _Volume(
        shape=(shape[0], shape[1], shape[2]),
        count=math.prod(shape[3:]),
        spacing_mm=tuple(s if math.isfinite(s) else 0.0 for s in spacing),  # type: ignore[arg-type]
        dtype=dtype,
        offset=max(int(header["vox_offset"]), _FIRST_VOXEL[int(header["sizeof_hdr"])]),
        slope=1.0 if slope is None else float(slope),
        intercept=0.0 if intercept is None else float(intercept),
    )


def _slices(stream: BinaryIO, volume: _Volume, axis: int) -> Iterator[NDArray[Any]]:
    if axis == 2:
        shape = volume.shape[:2]
        for frame in range(volume.count * volume.shape[2]):
            data = read_exactly(stream, math.prod(shape) * volume.dtype.itemsize, f"slice {frame}")
            yield np.frombuffer(data, volume.dtype).reshape(shape, order="F")
        return
    size = math.prod(volume.shape) * volume.dtype.itemsize
    for index in range(volume.count):
        data = read_exactly(stream, size, f"volume {index}")
        voxels = np.frombuffer(data, volume.dtype).reshape(volume.shape, order="F")
        for position in range(volume.shape[axis]):
            yield voxels.take(position, axis)

"""One file to its images, whatever the file is."""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterable, Iterator
from gzip import BadGzipFile
from typing import BinaryIO, cast

from PIL.Image import DecompressionBombError

from miqanet.image import MRImage
from miqanet.reading.checks import MAX_PIXELS, SkippedError, UnreadableError
from miqanet.reading.detect import HEAD_BYTES, Format, describe, detect
from miqanet.reading.dicom import read_dicom
from miqanet.reading.nifti import read_nifti
from miqanet.reading.npy import read_npy
from miqanet.reading.quiet import quietly
from miqanet.reading.raster import read_raster
from miqanet.reading.records import ReadError, Request, Row
from miqanet.reading.streams import BoundedGzip, open_regular
from miqanet.reading.walk import explain


def read_file(
    path: str | os.PathLike[str],
    *,
    modalities: str | Iterable[str] = ("MR",),
    slice_axis: int | None = None,
    with_patient: bool = False,
) -> Iterator[Row]:
    """Yield the images of one file, and an error for each frame that gives none.

    A file that gives no image at all is one error, its first. `modalities` are the DICOM modalities to be
    read, `*` standing for every one; other formats state none and are always read. `slice_axis` (0, 1 or 2)
    is the axis along which slices of NIfTI volumes are taken, by default that of the largest spacing.
    `with_patient` reads patients' names and IDs into the images.

    Any number of threads may read files at the same time.
    """
    return read_requested(os.fspath(path), Request.of(modalities, slice_axis, with_patient))


def read_requested(path: str, request: Request) -> Iterator[Row]:
    """Yield the rows of one file, see `read_file`."""
    return _one_error_if_nothing_else(quietly(_read(path, request)))


def _one_error_if_nothing_else(rows: Iterator[Row]) -> Iterator[Row]:
    """Hold errors back until an image comes, and give only the first of them if none does."""
    held: list[ReadError] = []
    for row in rows:
        if isinstance(row, MRImage):
            yield from held
            yield row
            yield from rows
            return
        held.append(row)
    yield from held[:1]


def _read(path: str, request: Request) -> Iterator[Row]:
    frame = 0
    try:
        with open_regular(path) as stream:
            for row in _rows(stream, path, request):
                yield row
                frame = row.frame + 1
    except Exception as error:
        yield ReadError(path, frame, _reason(error), _is_passing(error))


def _rows(stream: BinaryIO, path: str, request: Request) -> Iterator[Row]:
    head = stream.read(HEAD_BYTES)
    stream.seek(0)
    if not head:
        raise UnreadableError("empty file: zero bytes")
    kind = detect(head)
    if kind is Format.GZIP:
        stream = cast("BinaryIO", BoundedGzip(fileobj=stream, mode="rb"))
        head = stream.read(HEAD_BYTES)
        stream.seek(0)
        kind = detect(head)
        if kind not in (Format.DICOM, Format.NIFTI):
            raise SkippedError("gzip archive of something other than NIfTI or DICOM")
    match kind:
        case Format.DICOM:
            yield from read_dicom(stream, path, request)
        case Format.NIFTI:
            yield from read_nifti(stream, path, request)
        case Format.NIFTI_PAIR:
            raise SkippedError("header of a NIfTI pair: convert it to one .nii file")
        case Format.NPY:
            yield from read_npy(stream, path)
        case Format.PNG | Format.TIFF | Format.JPEG | Format.BMP:
            yield from read_raster(stream, path, kind.value)
        case _:
            raise UnreadableError(describe(head, path))


def _is_passing(error: Exception) -> bool:
    """Return whether the machine, not the file, is to blame. Decoders raise an OSError, too, but without a number."""
    if isinstance(error, OSError):
        return error.errno is not None and not isinstance(error, FileNotFoundError | PermissionError)
    return isinstance(error, MemoryError)


def _reason(error: Exception) -> str:
    """Return a reason that is fit for the user's eyes.

    Texts of foreign exceptions are not: they quote values of the file, which may be a patient's.
    """
    match error:
        case UnreadableError():
            return error.reason
        case BadGzipFile() | zlib.error():
            return "damaged: compressed data cannot be unpacked"
        case EOFError():
            return "truncated: compressed data end too early"
        case DecompressionBombError():
            return f"declares more than the {MAX_PIXELS:,} pixels that are read"
        case MemoryError():
            return "needs more memory than there is"
        case RecursionError():
            return "damaged: nested too deeply"
        case OSError() if error.errno is not None:
            return explain(error)
        case _:
            return f"damaged or truncated: cannot be parsed ({type(error).__name__})"

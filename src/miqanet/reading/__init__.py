"""Files to images: folders, DICOM, NIfTI, pictures and arrays, one image at a time.

Reading never stops at a file: whatever is wrong with one is a `ReadError` in place of its images.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator

from miqanet.reading.files import read_file, read_requested
from miqanet.reading.records import ReadError, Request, Row
from miqanet.reading.walk import list_files

__all__ = ["ReadError", "Row", "list_files", "read_file", "read_images"]


def read_images(
    paths: Iterable[str | os.PathLike[str]],
    *,
    modalities: str | Iterable[str] = ("MR",),
    slice_axis: int | None = None,
    with_patient: bool = False,
) -> Iterator[Row]:
    """Yield every image at or below `paths`, and an error for everything that gives none.

    The order is that of `list_files`, and frames within a file; memory does not grow with the number of
    files. Every regular file gives at least one row. See `read_file` for the options.
    """
    return _read_all(list_files(paths), Request.of(modalities, slice_axis, with_patient))


def _read_all(found: Iterator[str | ReadError], request: Request) -> Iterator[Row]:
    for file in found:
        if isinstance(file, ReadError):
            yield file
        else:
            yield from read_requested(file, request)

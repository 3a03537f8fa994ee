"""Opening files so that nothing waits for ever and nothing unpacks without end."""

from __future__ import annotations

import gzip
import os
import stat
import zlib
from pathlib import Path
from typing import BinaryIO

from miqanet.reading.checks import SkippedError, UnreadableError

MAX_INFLATED_BYTES = 2**31
"""Bytes of a gzip file that are unpacked, one piece after another; a bomb makes a thousand of every one."""

_MAX_DEFLATED_DATASET_BYTES = 2**28
"""Bytes of a deflated DICOM dataset, which is unpacked as a whole."""


IRREGULAR = "no regular file (pipe, socket or device)"


def _open_without_waiting(path: str, flags: int) -> int:
    # Opening a named pipe waits for a writer, but for O_NONBLOCK (Windows has neither).
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def open_regular(path: str) -> BinaryIO:
    """Open a regular file for reading; raise `SkippedError` for others, OSError where it cannot be opened.

    The file's kind is asked before and after: before, since opening a device may already do something;
    after, since another program may have put something else in its place.
    """
    if not stat.S_ISREG(Path(path).stat().st_mode):
        raise SkippedError(IRREGULAR)
    stream = open(path, "rb", opener=_open_without_waiting)  # noqa: SIM115 -- the caller closes it
    if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
        stream.close()
        raise SkippedError(IRREGULAR)
    return stream


class BoundedGzip(gzip.GzipFile):
    """A gzip file as a stream that refuses to go beyond `MAX_INFLATED_BYTES`."""

    def read(self, size: int | None = -1) -> bytes:
        """Return the next bytes; -1, all that are left, is refused: it has no bound."""
        if size is None or size < 0 or self.tell() + size > MAX_INFLATED_BYTES:
            raise UnreadableError(f"unpacks to more than {MAX_INFLATED_BYTES:,} bytes")
        return super().read(size)

    def tell(self) -> int:
        """Return the position in the unpacked bytes."""
        return super().seek(0, os.SEEK_CUR)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to a position, by unpacking all that lies before it."""
        target = offset if whence == os.SEEK_SET else self.tell() + offset
        if whence == os.SEEK_END or target > MAX_INFLATED_BYTES:
            raise UnreadableError(f"unpacks to more than {MAX_INFLATED_BYTES:,} bytes")
        return super().seek(target)


def inflate_dataset(stream: BinaryIO) -> bytes:
    """Return the rest of `stream`, a raw deflate stream (DICOM PS3.5 A.5), unpacked.

    A truncated stream gives what can be had of it.
    """
    decompressor = zlib.decompressobj(-zlib.MAX_WBITS)
    unpacked = bytearray()
    while packed := stream.read(2**20):
        unpacked += decompressor.decompress(packed, _MAX_DEFLATED_DATASET_BYTES - len(unpacked) + 1)
        if len(unpacked) > _MAX_DEFLATED_DATASET_BYTES:
            raise UnreadableError(f"deflated dataset of more than {_MAX_DEFLATED_DATASET_BYTES:,} bytes")
    return bytes(unpacked)

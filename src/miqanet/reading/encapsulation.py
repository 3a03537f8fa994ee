"""Frames of encapsulated pixel data (DICOM PS3.5, section A.4), one at a time and as far as the file goes.

The pixels are a sequence of items: first the basic offset table, which may be empty, then fragments. A frame
is one fragment or several. pydicom reads this too, but gives nothing of a file that is cut off, as an
interrupted transfer or a full disk leaves it.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import BinaryIO

from miqanet.reading.checks import MAX_FRAMES, UnreadableError, read_exactly

_ITEM = b"\xfe\xff\x00\xe0"
_STARTS_OF_CODESTREAM = (b"\xff\xd8", b"\xff\x4f")
"""First bytes of JPEG and JPEG-LS, and of JPEG 2000."""

_MAX_FRAME_BYTES = 2**28


def frames(
    stream: BinaryIO, number_of_frames: int, is_rle: bool, extended_offsets: tuple[int, ...] = ()
) -> Iterator[bytes]:
    """Yield the encoded frames of the pixel data at whose value `stream` stands.

    `extended_offsets` is the extended offset table, where the dataset has one. Raises `UnreadableError` at
    the first frame that the file does not hold.
    """
    offsets = _offset_table(stream) or extended_offsets
    base = stream.tell()
    starts = {base + offset for offset in offsets} if len(offsets) == number_of_frames else set()
    frame = bytearray()
    given = 0
    while (header := _item_header(stream)) is not None and given < number_of_frames:
        position, length = header
        fragment = stream.read(min(length, _MAX_FRAME_BYTES))
        if starts:
            begins = position in starts
        else:
            # Without a table: a frame of RLE is one fragment, and a codestream says where it starts.
            begins = number_of_frames > 1 and (is_rle or fragment.startswith(_STARTS_OF_CODESTREAM))
        if begins and frame:
            yield bytes(frame)
            given += 1
            frame.clear()
        frame += fragment
        if len(frame) > _MAX_FRAME_BYTES or length > _MAX_FRAME_BYTES:
            raise UnreadableError(f"compressed frame of more than {_MAX_FRAME_BYTES:,} bytes")
        if len(fragment) < length:
            raise UnreadableError(f"truncated within the compressed pixels of frame {given}")
    if frame and given < number_of_frames:
        yield bytes(frame)
        given += 1
    if given < number_of_frames:
        raise UnreadableError(f"truncated: {given} of {number_of_frames} compressed frames are there")


def _offset_table(stream: BinaryIO) -> tuple[int, ...]:
    header = _item_header(stream)
    if header is None or header[1] % 4 or header[1] > 4 * MAX_FRAMES:
        raise UnreadableError("damaged or truncated: no offset table before the compressed pixels")
    _, length = header
    return struct.unpack(f"<{length // 4}I", read_exactly(stream, length, "the offset table"))


def _item_header(stream: BinaryIO) -> tuple[int, int] | None:
    """Return position and length of the next item, None at the delimiter or where the file ends."""
    position = stream.tell()
    header = stream.read(8)
    if len(header) < 8 or header[:4] != _ITEM:
        return None
    return position, int.from_bytes(header[4:], "little")

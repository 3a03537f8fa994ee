"""Which format a file has, told by its content: scanners and people name files as they like."""

from __future__ import annotations

import codecs
import struct
from enum import Enum
from pathlib import PurePath

from pydicom.valuerep import EXPLICIT_VR_LENGTH_32, VR

HEAD_BYTES = 540
"""Bytes from the start of a file that tell its format (the NIfTI-2 header is the longest)."""

_EXTENSIONS = frozenset(
    {".dcm", ".dicom", ".ima", ".nii", ".png", ".tif", ".tiff", ".jpg", ".jpeg", ".bmp", ".npy"}
)
_VRS = frozenset(vr.value.encode() for vr in VR if len(vr.value) == 2)
_LONG_VRS = frozenset(vr.value.encode() for vr in EXPLICIT_VR_LENGTH_32)
_BMP_HEADER_BYTES = frozenset({12, 40, 52, 56, 64, 108, 124})

_OTHERS = (
    (b"%PDF", "PDF document"),
    (b"PK\x03\x04", "ZIP archive"),
    (b"GIF8", "GIF picture"),
    (b"\x89HDF", "HDF5 file"),
    (b"\xd0\xcf\x11\xe0", "office document"),
    (b"SQLite format 3", "SQLite database"),
    (b"\x7fELF", "program"),
)


class Format(Enum):
    """Formats that may hold images; pictures carry Pillow's names."""

    DICOM = "DICOM"
    NIFTI = "NIfTI"
    NIFTI_PAIR = "header of a NIfTI pair"
    NPY = "NPY"
    PNG = "PNG"
    TIFF = "TIFF"
    JPEG = "JPEG"
    BMP = "BMP"
    GZIP = "gzip"


def detect(head: bytes) -> Format | None:
    """Return the format of a file by its first `HEAD_BYTES` (or all there are), None if unknown."""
    if head[128:132] == b"DICM":
        return Format.DICOM
    if head[344:348] == b"n+1\0" or head[4:12] == b"n+2\0\r\n\x1a\n":
        return Format.NIFTI
    if head[344:348] == b"ni1\0" or head[4:12] == b"ni2\0\r\n\x1a\n":
        return Format.NIFTI_PAIR
    if head.startswith(b"\x93NUMPY"):
        return Format.NPY
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return Format.PNG
    if head.startswith((b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")):
        return Format.TIFF
    if head.startswith(b"\xff\xd8\xff"):
        return Format.JPEG
    if head.startswith(b"BM") and int.from_bytes(head[14:18], "little") in _BMP_HEADER_BYTES:
        return Format.BMP
    if head.startswith(b"\x1f\x8b"):
        return Format.GZIP
    if _is_bare_dataset(head):
        return Format.DICOM
    return None


def _is_bare_dataset(head: bytes) -> bool:
    """Return whether `head` is a DICOM dataset without preamble: two elements in a row that make sense."""
    position = last = 0
    for _ in range(2):
        if len(head) < position + 12:
            return False
        group, element = struct.unpack_from("<HH", head, position)
        tag = group << 16 | element
        if group not in (0x0002, 0x0008) or (position > 0 and tag <= last):
            return False
        vr = head[position + 4 : position + 6]
        if vr in _LONG_VRS:
            length = 12 + int(struct.unpack_from("<I", head, position + 8)[0])
        elif vr in _VRS:
            length = 8 + int(struct.unpack_from("<H", head, position + 6)[0])
        else:
            length = 8 + int(struct.unpack_from("<I", head, position + 4)[0])
        position, last = position + length, tag
    return True


def describe(head: bytes, path: str) -> str:
    """Return the reason why a file of no known format gives no image."""
    for magic, name in _OTHERS:
        if head.startswith(magic):
            return f"skipped: {name}, no image that is read"
    suffix = PurePath(path).suffix.lower()
    kind = "text" if _is_text(head) else "unknown content"
    if suffix in _EXTENSIONS:
        return f"no image: {kind}, nothing of what the extension {suffix} promises"
    return f"skipped: {kind}, no image"


def _is_text(head: bytes) -> bool:
    try:
        # Not final: the last character may be cut off.
        decoded = codecs.getincrementaldecoder("utf-8")().decode(head, final=False)
    except UnicodeDecodeError:
        return head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    return "\0" not in decoded

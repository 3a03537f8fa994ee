"""The elements of a DICOM file up to its pixels, and where the pixels lie."""

from __future__ import annotations

import io
from collections.abc import Iterable
from dataclasses import dataclass
from typing import BinaryIO

import pydicom.uid as uids
from pydicom import Dataset
from pydicom.filereader import read_dataset, read_preamble
from pydicom.tag import Tag

from miqanet.reading.elements import text
from miqanet.reading.streams import inflate_dataset

INTEGERS, FLOATS, DOUBLES = 0x7FE00010, 0x7FE00008, 0x7FE00009
"""Tags of the three elements that may hold pixels (PS3.3, sections C.7.6.3, C.7.6.24 and C.7.6.25)."""

UNDEFINED_LENGTH = 0xFFFFFFFF

_ELEMENTS = (
    "SOPClassUID",
    "SOPInstanceUID",
    "ImageType",
    "ComplexImageComponent",
    "Modality",
    "SeriesDescription",
    "BodyPartExamined",
    "AnatomicRegionSequence",
    "StudyInstanceUID",
    "SeriesInstanceUID",
    "SamplesPerPixel",
    "PhotometricInterpretation",
    "PlanarConfiguration",
    "NumberOfFrames",
    "Rows",
    "Columns",
    "PixelSpacing",
    "BitsAllocated",
    "BitsStored",
    "HighBit",
    "PixelRepresentation",
    "PixelPaddingValue",
    "PixelPaddingRangeLimit",
    "RescaleIntercept",
    "RescaleSlope",
    "SharedFunctionalGroupsSequence",
    "PerFrameFunctionalGroupsSequence",
    "ExtendedOffsetTable",
    # GE's private elements that tell phase from magnitude: their creator, and the kind of image.
    "00430010",
    "0043102F",
)
_PATIENT_ELEMENTS = ("PatientName", "PatientID")


@dataclass(frozen=True, slots=True)
class PixelElement:
    """Where the pixels are."""

    tag: int
    position: int
    """Of the value's first byte in the header's stream."""

    length: int
    """Bytes that the element claims, or `UNDEFINED_LENGTH`."""


@dataclass(frozen=True, slots=True)
class Header:
    """What is known of a file before its pixels are read."""

    dataset: Dataset
    media_storage_sop_class_uid: str
    transfer_syntax: str
    stream: BinaryIO
    """The file, or its unpacked dataset where that is deflated."""

    pixels: PixelElement | None


def read_header(stream: BinaryIO, with_patient: bool = False, keywords: Iterable[str] = _ELEMENTS) -> Header:
    """Read the elements that are needed; patient's name and ID are not even parsed unless `with_patient`.

    `keywords` names the elements (or gives their tags in hexadecimal), by default those that images are made of.
    """
    read_preamble(stream, force=True)
    meta = read_dataset(stream, is_implicit_VR=False, is_little_endian=True, stop_when=_after_meta)
    transfer_syntax = text(meta, "TransferSyntaxUID") or _guess_transfer_syntax(stream)
    if transfer_syntax == uids.DeflatedExplicitVRLittleEndian:
        stream = io.BytesIO(inflate_dataset(stream))

    pixels: PixelElement | None = None

    def at_pixels(tag: int, _: str | None, length: int) -> bool:
        nonlocal pixels
        if tag in (INTEGERS, FLOATS, DOUBLES):
            pixels = PixelElement(int(tag), stream.tell(), length)
        return tag >= FLOATS

    wanted = (*keywords, *(_PATIENT_ELEMENTS if with_patient else ()))
    dataset = read_dataset(
        stream,
        is_implicit_VR=transfer_syntax == uids.ImplicitVRLittleEndian,
        is_little_endian=transfer_syntax != uids.ExplicitVRBigEndian,
        stop_when=at_pixels,
        specific_tags=[Tag(keyword) for keyword in wanted],
    )
    return Header(dataset, text(meta, "MediaStorageSOPClassUID"), transfer_syntax, stream, pixels)


def _after_meta(tag: int, _: str | None, __: int) -> bool:
    return tag >> 16 != 2


def _guess_transfer_syntax(stream: BinaryIO) -> str:
    """Return the transfer syntax of a dataset without meta information, by its first element."""
    start = stream.tell()
    head = stream.read(6)
    stream.seek(start)
    if not head[4:6].isalpha():
        return uids.ImplicitVRLittleEndian
    # The first group is small (0008): read in the wrong order of bytes it is large.
    little = int.from_bytes(head[:2], "little") < 0x0400
    return uids.ExplicitVRLittleEndian if little else uids.ExplicitVRBigEndian

"""DICOM files (PS3.10): MR images classic, enhanced multi-frame and legacy converted, in any transfer syntax.

Pixels are read frame by frame: uncompressed ones here, compressed ones in a worker process.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np
import pydicom.uid as uids
from numpy.typing import NDArray

from miqanet.reading import encapsulation
from miqanet.reading.checks import SkippedError, UnreadableError, check_size, gray, read_exactly, rescaled
from miqanet.reading.decoding import DecoderDiedError, decoder
from miqanet.reading.decoding_worker import DECODABLE
from miqanet.reading.dicom_header import (
    DOUBLES,
    INTEGERS,
    UNDEFINED_LENGTH,
    Header,
    PixelElement,
    read_header,
)
from miqanet.reading.elements import FunctionalGroups, integer, octets, stored, text
from miqanet.reading.records import Origin, ReadError, Request, Row

_MR_IMAGES = frozenset(
    {uids.MRImageStorage, uids.EnhancedMRImageStorage, uids.LegacyConvertedEnhancedMRImageStorage}
)
_NATIVE = frozenset(
    {
        uids.ImplicitVRLittleEndian,
        uids.ExplicitVRLittleEndian,
        uids.ExplicitVRBigEndian,
        uids.DeflatedExplicitVRLittleEndian,
    }
)
_MODALITIES = """
AR AS AU BDUS BI BMD CR CT DG DOC DX ECG EEG EMG EOG EPS ES FID GM HC HD IO IVOCT IVUS KER KO LEN LS MG MR NM
OAM OCT OP OPM OPT OPTBSV OPTENF OPV OSS OT PLAN POS PR PT PX REG RESP RF RG RTDOSE RTIMAGE RTPLAN RTRECORD
RTSTRUCT RWV SEG SM SMR SR SRF STAIN TG US VA XA XC
"""
"""Defined terms of the modality (PS3.3, section C.7.3.1.1.1)."""

_MAX_DEAD_DECODERS = 3
"""Frames of one file that may crash or hang the decoder before the rest of the file is given up."""


@dataclass(frozen=True, slots=True)
class _PixelModule:
    """How pixels are stored (PS3.3, section C.7.6.3)."""

    rows: int
    columns: int
    frames: int
    samples: int
    bits_allocated: int
    bits_stored: int
    high_bit: int
    signed: bool
    planar: bool
    photometric: str
    padding: tuple[int, int] | None
    """Least and greatest of the stored values that fill up the image (section C.7.5.1.1.2)."""


def read_dicom(stream: BinaryIO, path: str, request: Request) -> Iterator[Row]:
    """Yield the frames of a DICOM file."""
    header = read_header(stream, request.with_patient)
    dataset = header.dataset
    groups = FunctionalGroups(dataset)
    origin = Origin(
        path,
        modality=_admitted_modality(header, request),
        body_part=groups.body_part(),
        study_instance_uid=text(dataset, "StudyInstanceUID"),
        series_instance_uid=text(dataset, "SeriesInstanceUID"),
        sop_instance_uid=text(dataset, "SOPInstanceUID"),
        series_description=text(dataset, "SeriesDescription"),
        patient=f"{text(dataset, 'PatientName')} ({text(dataset, 'PatientID')})"
        if request.with_patient
        else "",
    )
    if header.pixels is None:
        sop_class = text(dataset, "SOPClassUID")
        # Spectra have rows and columns, of voxels.
        if sop_class in _MR_IMAGES or ("Rows" in dataset and sop_class != uids.MRSpectroscopyStorage):
            raise UnreadableError("truncated or damaged: the image has no pixel data")
        raise SkippedError(f"no pixels{_sop_class(header)}")
    module = _pixel_module(header)
    header.stream.seek(header.pixels.position)
    read_frames = _native_frames if header.transfer_syntax in _NATIVE else _decoded_frames
    frames: Iterator[NDArray[Any] | UnreadableError] = read_frames(header, header.pixels, module)
    for frame, pixels in enumerate(frames):
        if not isinstance(pixels, np.ndarray):
            yield ReadError(path, frame, pixels.reason)
        elif origin.modality == "MR" and groups.is_phase(frame):
            yield ReadError(path, frame, SkippedError("phase image, magnitudes are judged").reason)
        else:
            values = _intensities(pixels, module, *groups.rescale(frame))
            yield origin.row(frame, values, groups.spacing_mm(frame))


def _admitted_modality(header: Header, request: Request) -> str:
    """Return the modality if it is wanted, else raise."""
    if header.media_storage_sop_class_uid == uids.MediaStorageDirectoryStorage:
        raise SkippedError("DICOMDIR index")
    modality = text(header.dataset, "Modality").upper()
    if not modality and text(header.dataset, "SOPClassUID") in _MR_IMAGES:
        modality = "MR"
    if not modality and header.pixels is None:
        raise UnreadableError("damaged or truncated: DICOM without modality and pixels")
    if not request.admits(modality):
        if not modality:
            raise SkippedError(f"states no modality{_sop_class(header)}")
        # A damaged header may have anything in this place, a patient's name or number included.
        shown = modality if modality in _MODALITIES.split() else "not a valid one"
        raise SkippedError(f"modality is {shown}{_sop_class(header)}, not {' or '.join(request.modalities)}")
    return modality


def _sop_class(header: Header) -> str:
    """Return the SOP class's registered name in parentheses, nothing for one that is not registered."""
    name = _registered_name(text(header.dataset, "SOPClassUID"))
    return f" ({name})" if name else ""


def _registered_name(uid: str) -> str:
    name = uids.UID(uid).name
    return "" if name == uid else name


def _pixel_module(header: Header) -> _PixelModule:
    dataset = header.dataset
    bits_allocated = integer(dataset, "BitsAllocated")
    bits_stored = integer(dataset, "BitsStored", bits_allocated)
    signed = integer(dataset, "PixelRepresentation") == 1
    module = _PixelModule(
        rows=integer(dataset, "Rows"),
        columns=integer(dataset, "Columns"),
        frames=integer(dataset, "NumberOfFrames", 1) or 1,
        samples=integer(dataset, "SamplesPerPixel", 1),
        bits_allocated=bits_allocated,
        bits_stored=bits_stored,
        high_bit=integer(dataset, "HighBit", bits_stored - 1),
        signed=signed,
        planar=integer(dataset, "PlanarConfiguration") == 1,
        photometric=text(dataset, "PhotometricInterpretation").upper() or "MONOCHROME2",
        padding=_padding(header, signed),
    )
    check_size(module.rows, module.columns, module.frames)
    if module.photometric == "PALETTE COLOR":
        raise SkippedError("color picture (palette), MR images are gray")
    if module.samples not in (1, 3):
        raise UnreadableError(f"declares {module.samples} samples per pixel")
    if bits_allocated not in (8, 16, 32, 64) or not 1 <= bits_stored <= bits_allocated:
        raise UnreadableError(f"declares {bits_stored} bits stored of {bits_allocated} allocated: not read")
    return module


def _padding(header: Header, signed: bool) -> tuple[int, int] | None:
    value = stored(header.dataset, "PixelPaddingValue", signed=signed)
    if value is None:
        return None
    limit = stored(header.dataset, "PixelPaddingRangeLimit", signed=signed)
    other = value if limit is None else limit
    return min(value, other), max(value, other)


def _native_frames(header: Header, element: PixelElement, module: _PixelModule) -> Iterator[NDArray[Any]]:
    """Yield frames of uncompressed pixels, as stored, (rows, columns) or (rows, columns, 3)."""
    if element.length == UNDEFINED_LENGTH:
        raise UnreadableError("damaged: compressed pixels under an uncompressed transfer syntax")
    if module.samples == 3 and module.photometric != "RGB":
        raise SkippedError("color picture, MR images are gray")
    kind = ("i" if module.signed else "u") if element.tag == INTEGERS else "f"
    order = ">" if header.transfer_syntax == uids.ExplicitVRBigEndian else "<"
    size = 8 if element.tag == DOUBLES else module.bits_allocated // 8
    dtype = np.dtype(f"{order}{kind}{size}")
    frame_bytes = module.rows * module.columns * module.samples * dtype.itemsize
    for frame in range(module.frames):
        data = read_exactly(header.stream, frame_bytes, f"frame {frame}")
        if (frame + 1) * frame_bytes > element.length:
            raise UnreadableError(f"damaged: the pixel data have no room for frame {frame}")
        pixels = np.frombuffer(data, dtype)
        if module.samples == 1:
            yield _used_bits(pixels.reshape(module.rows, module.columns), module)
        elif module.planar:
            yield pixels.reshape(3, module.rows, module.columns).transpose(1, 2, 0)
        else:
            yield pixels.reshape(module.rows, module.columns, 3)


def _used_bits(pixels: NDArray[Any], module: _PixelModule) -> NDArray[Any]:
    """Return the pixels without what else lies in their words, such as the overlays of old scanners."""
    above = module.bits_allocated - 1 - module.high_bit
    unused = module.bits_allocated - module.bits_stored
    if pixels.dtype.kind == "f" or not unused or not 0 <= above <= unused:
        return pixels
    return (pixels << above) >> unused


def _decoded_frames(
    header: Header, element: PixelElement, module: _PixelModule
) -> Iterator[NDArray[Any] | UnreadableError]:
    """Yield frames of compressed pixels, or the error of a frame, (rows, columns) or (rows, columns, 3)."""
    if header.transfer_syntax not in DECODABLE:
        name = _registered_name(header.transfer_syntax) or "not a registered one"
        raise UnreadableError(f"the transfer syntax cannot be decoded: {name}")
    if element.length != UNDEFINED_LENGTH or element.tag != INTEGERS:
        raise UnreadableError("damaged: uncompressed pixels under a compressed transfer syntax")
    table = octets(header.dataset, "ExtendedOffsetTable")
    encoded = encapsulation.frames(
        header.stream,
        module.frames,
        is_rle=header.transfer_syntax == uids.RLELossless,
        extended_offsets=struct.unpack(f"<{len(table) // 8}Q", table[: len(table) // 8 * 8]),
    )
    options = {
        "rows": module.rows,
        "columns": module.columns,
        "number_of_frames": 1,
        "samples_per_pixel": module.samples,
        "bits_allocated": module.bits_allocated,
        "bits_stored": module.bits_stored,
        "pixel_representation": int(module.signed),
        "photometric_interpretation": module.photometric,
        "planar_configuration": int(module.planar),
        "pixel_keyword": "PixelData",
    }
    dead = 0
    for frame, data in enumerate(encoded):
        try:
            yield decoder.decode(data, header.transfer_syntax, options)
        except DecoderDiedError as error:
            dead += 1
            if dead == _MAX_DEAD_DECODERS and frame + 1 < module.frames:
                raise UnreadableError(f"{error.reason}; the frames after {frame} are not read") from None
            yield error
        except UnreadableError as error:
            yield error


def _intensities(pixels: NDArray[Any], module: _PixelModule, slope: float, intercept: float) -> NDArray[Any]:
    """Return intensities, air dark, of stored pixels: the modality LUT of PS3.3, section C.11.1."""
    padded = None
    if pixels.ndim == 3:
        pixels = gray(pixels)
    elif module.padding is not None and pixels.dtype.kind != "f":
        padded = (pixels >= module.padding[0]) & (pixels <= module.padding[1])
    if module.photometric == "MONOCHROME1":
        greatest = 2**module.bits_stored - 1 if pixels.dtype.kind == "u" else -1
        pixels = np.subtract(greatest, pixels, dtype=np.float64)
    values = rescaled(pixels, slope, intercept)
    return values if padded is None else _without_padding(values, padded)


def _without_padding(values: NDArray[Any], padded: NDArray[np.bool_]) -> NDArray[Any]:
    """Return intensities with the padding as dark as the darkest of the rest.

    Padding far below or above the anatomy would leave it a sliver of gray levels. Zero below all of the rest
    stays: blanked air is black.
    """
    if not padded.any() or padded.all():
        return values
    darkest = values[~padded].min()
    return np.where(padded & ((values < min(darkest, 0)) | (values > darkest)), darkest, values)

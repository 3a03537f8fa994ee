"""Makers of files, good and bad, for the tests of reading."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import gdcm
import numpy as np
import pytest
from numpy.typing import NDArray
from pydicom import uid
from pydicom.dataset import FileDataset, FileMetaDataset

_GDCM_SYNTAXES = {
    uid.JPEGBaseline8Bit: gdcm.TransferSyntax.JPEGBaselineProcess1,
    uid.JPEGLossless: gdcm.TransferSyntax.JPEGLosslessProcess14,
    uid.JPEGLosslessSV1: gdcm.TransferSyntax.JPEGLosslessProcess14_1,
    uid.JPEGLSLossless: gdcm.TransferSyntax.JPEGLSLossless,
    uid.JPEG2000Lossless: gdcm.TransferSyntax.JPEG2000Lossless,
}


@pytest.fixture(scope="session")
def phantom() -> Callable[..., NDArray[np.uint16]]:
    """Return a maker of 12-bit images with structure and noise, which no codec finds trivial."""

    def make(rows: int = 48, columns: int = 64, seed: int = 0) -> NDArray[np.uint16]:
        rng = np.random.default_rng(seed)
        y, x = np.mgrid[-1 : 1 : rows * 1j, -1 : 1 : columns * 1j]
        body = 2500.0 * (y**2 + x**2 < 0.7) * (1 + 0.3 * np.sin(7 * x + 3 * y))
        return np.clip(body + rng.normal(120, 25, (rows, columns)), 0, 4095).astype(np.uint16)

    return make


@pytest.fixture(scope="session")
def make_dataset() -> Callable[..., FileDataset]:
    """Return a maker of uncompressed MR datasets of (rows, columns) or (frames, rows, columns) integers."""

    def make(pixels: NDArray[Any], syntax: str = uid.ExplicitVRLittleEndian, **elements: Any) -> FileDataset:
        meta = FileMetaDataset()
        meta.TransferSyntaxUID = uid.UID(syntax)
        dataset = FileDataset(
            "",
            {},
            preamble=bytes(128),
            file_meta=meta,
            is_implicit_VR=syntax == uid.ImplicitVRLittleEndian,
            is_little_endian=syntax != uid.ExplicitVRBigEndian,
        )
        dataset.SOPClassUID = uid.MRImageStorage
        dataset.SOPInstanceUID = uid.generate_uid(entropy_srcs=["image"])
        dataset.StudyInstanceUID = uid.generate_uid(entropy_srcs=["study"])
        dataset.SeriesInstanceUID = uid.generate_uid(entropy_srcs=["series"])
        dataset.Modality = "MR"
        dataset.PatientName = "Doe^Jane"
        dataset.PatientID = "4711"
        dataset.PatientBirthDate = "19700101"
        dataset.SamplesPerPixel = 1
        dataset.PhotometricInterpretation = "MONOCHROME2"
        dataset.Rows, dataset.Columns = pixels.shape[-2:]
        if pixels.ndim == 3:
            dataset.NumberOfFrames = len(pixels)
        dataset.BitsAllocated = dataset.BitsStored = 8 * pixels.itemsize
        dataset.HighBit = dataset.BitsStored - 1
        dataset.PixelRepresentation = int(pixels.dtype.kind == "i")
        order = ">" if syntax == uid.ExplicitVRBigEndian else "<"
        data = pixels.astype(pixels.dtype.newbyteorder(order)).tobytes()
        dataset.PixelData = data + bytes(len(data) % 2)
        dataset["PixelData"].VR = "OB" if pixels.itemsize == 1 else "OW"
        for keyword, value in elements.items():
            setattr(dataset, keyword, value)
        return dataset

    return make


@pytest.fixture(scope="session")
def write_dicom(make_dataset: Callable[..., FileDataset]) -> Callable[..., Path]:
    """Return a writer of MR files in any transfer syntax: path, pixels, syntax and elements to set."""

    def write(
        path: Path, pixels: NDArray[Any], syntax: str = uid.ExplicitVRLittleEndian, **elements: Any
    ) -> Path:
        compressed = uid.UID(syntax).is_encapsulated
        dataset = make_dataset(pixels, uid.ExplicitVRLittleEndian if compressed else syntax, **elements)
        if syntax == uid.RLELossless:
            dataset.compress(syntax, encoding_plugin="pydicom", generate_instance_uid=False)
        dataset.save_as(path, enforce_file_format=True)
        if syntax in _GDCM_SYNTAXES:
            _compress(path, _GDCM_SYNTAXES[syntax])
        return path

    return write


def _compress(path: Path, syntax: int) -> None:
    reader = gdcm.ImageReader()
    reader.SetFileName(str(path))
    assert reader.Read()
    change = gdcm.ImageChangeTransferSyntax()
    change.SetTransferSyntax(gdcm.TransferSyntax(syntax))
    change.SetInput(reader.GetImage())
    assert change.Change()
    writer = gdcm.ImageWriter()
    writer.SetFileName(str(path))
    writer.SetFile(reader.GetFile())
    writer.SetImage(change.GetOutput())
    assert writer.Write()

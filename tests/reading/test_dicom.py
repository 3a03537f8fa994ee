"""DICOM in every transfer syntax and shape, pixel by pixel."""

from __future__ import annotations

import gzip
import io
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from numpy.typing import NDArray
from pydicom import uid
from pydicom.dataset import Dataset, FileDataset
from pydicom.encaps import encapsulate, encapsulate_extended

from miqanet.image import MRImage
from miqanet.reading import ReadError, read_file

Phantom = Callable[..., NDArray[np.uint16]]
Make = Callable[..., FileDataset]
Write = Callable[..., Path]

LOSSLESS = (
    uid.ImplicitVRLittleEndian,
    uid.ExplicitVRLittleEndian,
    uid.ExplicitVRBigEndian,
    uid.DeflatedExplicitVRLittleEndian,
    uid.RLELossless,
    uid.JPEGLossless,
    uid.JPEGLosslessSV1,
    uid.JPEGLSLossless,
    uid.JPEG2000Lossless,
)
COMPRESSED = LOSSLESS[4:]


def images(path: Path, **options: Any) -> list[MRImage]:
    rows = list(read_file(path, **options))
    assert all(isinstance(row, MRImage) for row in rows), rows
    return rows  # type: ignore[return-value]


def reason(path: Path, **options: Any) -> str:
    (row,) = read_file(path, **options)
    assert isinstance(row, ReadError)
    assert row.path == str(path)
    return row.reason


@pytest.mark.parametrize("syntax", LOSSLESS, ids=lambda syntax: uid.UID(syntax).name)
def test_lossless_pixels_are_read_exactly(
    syntax: str, tmp_path: Path, phantom: Phantom, write_dicom: Write
) -> None:
    path = write_dicom(tmp_path / "a", phantom(), syntax, BitsStored=12, HighBit=11)
    (image,) = images(path)
    np.testing.assert_array_equal(image.pixels, phantom())
    assert image.pixels.dtype == np.float32


@pytest.mark.parametrize("syntax", LOSSLESS, ids=lambda syntax: uid.UID(syntax).name)
def test_eight_bit_pixels_are_read_exactly(
    syntax: str, tmp_path: Path, phantom: Phantom, write_dicom: Write
) -> None:
    pixels = (phantom(47, 62) >> 4).astype(np.uint8)
    (image,) = images(write_dicom(tmp_path / "a", pixels, syntax))
    np.testing.assert_array_equal(image.pixels, pixels)


@pytest.mark.parametrize("syntax", LOSSLESS, ids=lambda syntax: uid.UID(syntax).name)
def test_signed_pixels_are_read_exactly(
    syntax: str, tmp_path: Path, phantom: Phantom, write_dicom: Write
) -> None:
    pixels = phantom().astype(np.int16) - 1500
    (image,) = images(write_dicom(tmp_path / "a", pixels, syntax))
    assert image.pixels.min() < 0
    np.testing.assert_array_equal(image.pixels, pixels)


@pytest.mark.parametrize("syntax", LOSSLESS, ids=lambda syntax: uid.UID(syntax).name)
def test_frames_are_read_in_order(syntax: str, tmp_path: Path, phantom: Phantom, write_dicom: Write) -> None:
    pixels = np.stack([phantom(seed=k) for k in range(4)])
    read = images(write_dicom(tmp_path / "a", pixels, syntax))
    assert [image.frame for image in read] == [0, 1, 2, 3]
    np.testing.assert_array_equal([image.pixels for image in read], pixels)


def test_jpeg_baseline_is_close(tmp_path: Path, phantom: Phantom, write_dicom: Write) -> None:
    pixels = (phantom() >> 4).astype(np.uint8)
    (image,) = images(write_dicom(tmp_path / "a", pixels, uid.JPEGBaseline8Bit))
    assert np.abs(image.pixels - pixels).mean() < 4


def test_monochrome1_is_turned_round(tmp_path: Path, phantom: Phantom, write_dicom: Write) -> None:
    stored = 4095 - phantom()
    path = write_dicom(
        tmp_path / "a", stored, BitsStored=12, HighBit=11, PhotometricInterpretation="MONOCHROME1"
    )
    np.testing.assert_array_equal(images(path)[0].pixels, phantom())


def test_signed_monochrome1_is_turned_round(tmp_path: Path, phantom: Phantom, write_dicom: Write) -> None:
    pixels = phantom().astype(np.int16) - 1500
    path = write_dicom(tmp_path / "a", -1 - pixels, PhotometricInterpretation="MONOCHROME1")
    np.testing.assert_array_equal(images(path)[0].pixels, pixels)


def test_rescaling_is_applied(tmp_path: Path, phantom: Phantom, write_dicom: Write) -> None:
    path = write_dicom(tmp_path / "a", phantom(), RescaleSlope="0.5", RescaleIntercept="-20")
    np.testing.assert_allclose(images(path)[0].pixels, phantom() * 0.5 - 20)


def test_bits_beyond_those_stored_are_dropped(tmp_path: Path, phantom: Phantom, write_dicom: Write) -> None:
    with_overlay = phantom() | np.uint16(0x8000)
    path = write_dicom(tmp_path / "a", with_overlay, BitsStored=12, HighBit=11)
    np.testing.assert_array_equal(images(path)[0].pixels, phantom())


def test_identity_of_the_image_is_kept(tmp_path: Path, phantom: Phantom, make_dataset: Make) -> None:
    dataset = make_dataset(
        phantom(), PixelSpacing=[0.5, 0.75], BodyPartExamined="KNEE", SeriesDescription="T2 f\u00fcr Knie"
    )
    dataset.SpecificCharacterSet = "ISO_IR 100"
    path = tmp_path / "a"
    dataset.save_as(path, enforce_file_format=True)
    (image,) = images(path)
    assert image.path == str(path)
    assert image.spacing_mm == (0.5, 0.75)
    assert image.body_part == "KNEE"
    assert image.series_description == "T2 f\u00fcr Knie"
    assert image.study_instance_uid == dataset.StudyInstanceUID
    assert image.series_instance_uid == dataset.SeriesInstanceUID
    assert image.sop_instance_uid == dataset.SOPInstanceUID
    assert image.modality == "MR"


def test_patient_is_read_only_when_asked_for(tmp_path: Path, phantom: Phantom, write_dicom: Write) -> None:
    path = write_dicom(tmp_path / "a", phantom())
    assert images(path)[0].patient == ""
    (image,) = images(path, with_patient=True)
    assert image.patient == "Doe^Jane (4711)"
    assert "Doe" not in repr(image)


def functional_groups(dataset: FileDataset, frames: int) -> None:
    """Make a dataset an enhanced one: spacing and anatomy shared, rescaling by frame."""
    measures, anatomy, region = Dataset(), Dataset(), Dataset()
    measures.PixelSpacing = [0.9, 1.1]
    region.CodeValue, region.CodingSchemeDesignator, region.CodeMeaning = "69536005", "SCT", "Head"
    anatomy.AnatomicRegionSequence = [region]
    shared = Dataset()
    shared.PixelMeasuresSequence = [measures]
    shared.FrameAnatomySequence = [anatomy]
    dataset.SharedFunctionalGroupsSequence = [shared]
    dataset.PerFrameFunctionalGroupsSequence = []
    for frame in range(frames):
        transformation, group = Dataset(), Dataset()
        transformation.RescaleSlope, transformation.RescaleIntercept = str(frame + 1), str(-frame)
        transformation.RescaleType = "US"
        group.PixelValueTransformationSequence = [transformation]
        dataset.PerFrameFunctionalGroupsSequence.append(group)


@pytest.mark.parametrize("sop_class", [uid.EnhancedMRImageStorage, uid.LegacyConvertedEnhancedMRImageStorage])
def test_functional_groups_of_enhanced_images_are_applied(
    sop_class: str, tmp_path: Path, phantom: Phantom, make_dataset: Make
) -> None:
    pixels = np.stack([phantom(seed=k) for k in range(3)])
    dataset = make_dataset(pixels, SOPClassUID=sop_class)
    functional_groups(dataset, 3)
    path = tmp_path / "a"
    dataset.save_as(path, enforce_file_format=True)
    for frame, image in enumerate(images(path)):
        np.testing.assert_allclose(image.pixels, pixels[frame] * (frame + 1.0) - frame)
        assert image.spacing_mm == (0.9, 1.1)
        assert image.body_part == "HEAD"


@pytest.mark.parametrize("syntax", [uid.ImplicitVRLittleEndian, uid.ExplicitVRLittleEndian])
def test_dataset_without_preamble_and_meta_is_read(
    syntax: str, tmp_path: Path, phantom: Phantom, make_dataset: Make
) -> None:
    dataset = make_dataset(phantom(), syntax)
    path = tmp_path / "IM0001"
    bare = Dataset(dataset)
    bare.save_as(path, implicit_vr=syntax == uid.ImplicitVRLittleEndian, little_endian=True)
    assert b"DICM" not in path.read_bytes()
    np.testing.assert_array_equal(images(path)[0].pixels, phantom())


def test_gzipped_file_is_read(tmp_path: Path, phantom: Phantom, write_dicom: Write) -> None:
    path = write_dicom(tmp_path / "a.dcm", phantom(), uid.JPEG2000Lossless)
    packed = tmp_path / "a.dcm.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    np.testing.assert_array_equal(images(packed)[0].pixels, phantom())


def test_float_pixels_are_read(tmp_path: Path, phantom: Phantom, make_dataset: Make) -> None:
    dataset = make_dataset(phantom(), BitsAllocated=32)
    for keyword in ("PixelData", "BitsStored", "HighBit", "PixelRepresentation"):
        delattr(dataset, keyword)
    dataset.FloatPixelData = (phantom() / np.float32(7)).astype("<f4").tobytes()
    path = tmp_path / "a"
    dataset.save_as(path, enforce_file_format=True)
    np.testing.assert_array_equal(images(path)[0].pixels, (phantom() / np.float32(7)).astype(np.float32))


def encapsulated(path: Path) -> tuple[FileDataset, list[bytes]]:
    dataset = pydicom.dcmread(path)
    frames = pydicom.encaps.generate_frames(dataset.PixelData, number_of_frames=dataset.NumberOfFrames)
    return dataset, list(frames)


@pytest.mark.parametrize("table", ["basic", "none", "extended"])
@pytest.mark.parametrize("fragments", [1, 3])
def test_frames_are_found_with_and_without_an_offset_table(
    table: str, fragments: int, tmp_path: Path, phantom: Phantom, write_dicom: Write
) -> None:
    if table == "extended" and fragments > 1:
        pytest.skip("the extended table asks for one fragment a frame")
    pixels = np.stack([phantom(seed=k) for k in range(3)])
    path = write_dicom(tmp_path / "a", pixels, uid.JPEGLSLossless)
    dataset, frames = encapsulated(path)
    if table == "extended":
        dataset.PixelData, dataset.ExtendedOffsetTable, dataset.ExtendedOffsetTableLengths = (
            encapsulate_extended(frames)
        )
    else:
        dataset.PixelData = encapsulate(frames, fragments, has_bot=table == "basic")
    dataset.save_as(path)
    np.testing.assert_array_equal([image.pixels for image in images(path)], pixels)


@pytest.mark.parametrize("syntax", [uid.ExplicitVRLittleEndian, *COMPRESSED], ids=lambda s: uid.UID(s).name)
def test_truncated_file_gives_its_good_frames_and_one_error(
    syntax: str, tmp_path: Path, phantom: Phantom, write_dicom: Write
) -> None:
    pixels = np.stack([phantom(seed=k) for k in range(4)])
    path = write_dicom(tmp_path / "a", pixels, syntax)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * 0.7)])
    *good, bad = read_file(path)
    assert len(good) == 2
    np.testing.assert_array_equal([row.pixels for row in good if isinstance(row, MRImage)], pixels[:2])
    assert isinstance(bad, ReadError)
    assert bad.frame == 2
    assert "truncated" in bad.reason


def test_gray_secondary_capture_in_color_is_read_and_color_is_skipped(
    tmp_path: Path, phantom: Phantom, make_dataset: Make
) -> None:
    gray = (phantom() >> 4).astype(np.uint8)
    for planar in (0, 1):
        stacked = np.stack([gray] * 3, axis=0 if planar else -1)
        dataset = make_dataset(
            gray,
            SOPClassUID=uid.SecondaryCaptureImageStorage,
            SamplesPerPixel=3,
            PhotometricInterpretation="RGB",
            PlanarConfiguration=planar,
            PixelData=stacked.tobytes(),
        )
        path = tmp_path / "a"
        dataset.save_as(path, enforce_file_format=True)
        np.testing.assert_array_equal(images(path)[0].pixels, gray)
        stacked[..., :5] //= 2
        stacked[..., 0] = 255
        dataset.PixelData = stacked.tobytes()
        dataset.save_as(path, enforce_file_format=True)
        if not planar:
            assert reason(path).startswith("skipped: color")


def test_other_modalities_are_skipped_unless_admitted(
    tmp_path: Path, phantom: Phantom, write_dicom: Write
) -> None:
    path = write_dicom(tmp_path / "a", phantom(), Modality="CT", SOPClassUID=uid.CTImageStorage)
    assert reason(path) == "skipped: modality is CT (CT Image Storage), not MR"
    assert images(path, modalities=("MR", "ct"))[0].modality == "CT"
    assert images(path, modalities="CT")[0].modality == "CT"
    assert images(path, modalities="*")[0].modality == "CT"


def test_modality_that_is_none_is_not_quoted(tmp_path: Path, phantom: Phantom, write_dicom: Write) -> None:
    path = write_dicom(tmp_path / "a", phantom(), Modality="DOE")
    assert reason(path) == "skipped: modality is not a valid one (MR Image Storage), not MR"


@pytest.mark.parametrize("absent", [("PixelData", "Rows", "Columns"), ("PixelData",)])
def test_spectra_have_no_pixels_and_are_skipped(
    absent: tuple[str, ...], tmp_path: Path, phantom: Phantom, make_dataset: Make
) -> None:
    dataset = make_dataset(phantom(), SOPClassUID=uid.MRSpectroscopyStorage)
    for keyword in absent:
        delattr(dataset, keyword)
    path = tmp_path / "a"
    dataset.save_as(path, enforce_file_format=True)
    assert reason(path) == "skipped: no pixels (MR Spectroscopy Storage)"


def test_image_cut_off_before_pixels_is_an_error(
    tmp_path: Path, phantom: Phantom, write_dicom: Write
) -> None:
    path = write_dicom(tmp_path / "a", phantom())
    path.write_bytes(path.read_bytes()[: -phantom().nbytes - 12])
    assert reason(path).startswith("truncated or damaged")


@pytest.mark.parametrize("syntax", [uid.ExplicitVRLittleEndian, uid.JPEGLSLossless, uid.RLELossless])
@pytest.mark.parametrize(
    "elements",
    [
        {"Rows": 65535, "Columns": 65535},
        {"Rows": 65535, "Columns": 65535, "NumberOfFrames": 10000},
        {"NumberOfFrames": 2**31 - 1},
        {"Rows": 0},
        {"Rows": 8192, "Columns": 8192},
    ],
    ids=str,
)
def test_absurd_sizes_are_one_error(
    syntax: str, elements: dict[str, int], tmp_path: Path, phantom: Phantom, write_dicom: Write
) -> None:
    path = write_dicom(tmp_path / "a", phantom(), syntax)
    dataset = pydicom.dcmread(path)
    for keyword, value in elements.items():
        setattr(dataset, keyword, value)
    dataset.save_as(path)
    assert not reason(path).startswith("skipped")


def test_constant_pixels_are_an_error(tmp_path: Path, write_dicom: Write) -> None:
    path = write_dicom(tmp_path / "a", np.full((16, 16), 7, np.uint16))
    assert reason(path) == "constant pixels: every one is 7"


def test_unknown_transfer_syntax_is_named(tmp_path: Path, phantom: Phantom, write_dicom: Write) -> None:
    path = write_dicom(tmp_path / "a", phantom(), uid.JPEGLSLossless)
    dataset = pydicom.dcmread(path)
    dataset.file_meta.TransferSyntaxUID = uid.HTJ2KLossless
    dataset.save_as(path)
    assert "High-Throughput JPEG 2000" in reason(path)


def test_errors_hold_nothing_of_the_patient(tmp_path: Path, phantom: Phantom, make_dataset: Make) -> None:
    dataset = make_dataset(phantom())
    buffer = io.BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    good = buffer.getvalue()
    path = tmp_path / "a"
    for keyword in ("Modality", "SOPClassUID", "Rows", "PixelRepresentation", "PhotometricInterpretation"):
        tag = pydicom.tag.Tag(keyword)
        at = good.index(struct.pack("<HH", tag.group, tag.element), 140) + 6
        # The element now spans the patient's name, as after a flipped bit of its length.
        length = good.index(b"Doe^Jane") + 8 - at - 2
        path.write_bytes(good[:at] + struct.pack("<H", abs(length)) + good[at + 2 :])
        for row in read_file(path):
            assert "Doe" not in repr(row)


def test_malformed_values_neither_warn_nor_stop(tmp_path: Path, phantom: Phantom, make_dataset: Make) -> None:
    dataset = make_dataset(phantom())
    buffer = io.BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    spoiled = buffer.getvalue().replace(dataset.StudyInstanceUID.encode()[:8], b"not.a.ui")
    path = tmp_path / "a"
    path.write_bytes(spoiled)
    assert images(path)[0].study_instance_uid.startswith("not.a.ui")


NATIVE = (uid.ImplicitVRLittleEndian, uid.ExplicitVRLittleEndian, uid.ExplicitVRBigEndian)


def border(pixels: NDArray[Any], value: int | NDArray[Any]) -> NDArray[Any]:
    """Return pixels with their first rows padded."""
    padded = pixels.copy()
    padded[..., :6, :] = value
    return padded


@pytest.mark.parametrize("syntax", [*NATIVE, uid.JPEGLSLossless], ids=lambda syntax: uid.UID(syntax).name)
@pytest.mark.parametrize("padding", [-32768, -2000])
def test_signed_padding_becomes_the_darkest_of_the_rest(
    syntax: str, padding: int, tmp_path: Path, phantom: Phantom, write_dicom: Write
) -> None:
    pixels = phantom().astype(np.int16)
    path = write_dicom(tmp_path / "a", border(pixels, padding), syntax, PixelPaddingValue=padding)
    np.testing.assert_array_equal(images(path)[0].pixels, border(pixels, pixels[6:].min()))


@pytest.mark.parametrize("syntax", [*NATIVE, uid.JPEGLSLossless], ids=lambda syntax: uid.UID(syntax).name)
def test_unsigned_padding_becomes_the_darkest_of_the_rest_of_its_frame(
    syntax: str, tmp_path: Path, phantom: Phantom, write_dicom: Write
) -> None:
    pixels = np.stack([phantom(seed=k) + np.uint16(100 * k) for k in range(2)])
    path = write_dicom(tmp_path / "a", border(pixels, 65000), syntax, PixelPaddingValue=65000)
    for image, frame in zip(images(path), pixels, strict=True):
        np.testing.assert_array_equal(image.pixels, border(frame, frame[6:].min()))


@pytest.mark.parametrize("syntax", NATIVE, ids=lambda syntax: uid.UID(syntax).name)
@pytest.mark.parametrize(("value", "limit"), [(-2000, -1990), (-1990, -2000)])
def test_padding_is_a_range_where_its_limit_is_stated(
    syntax: str, value: int, limit: int, tmp_path: Path, phantom: Phantom, write_dicom: Write
) -> None:
    pixels = phantom().astype(np.int16)
    noisy = np.random.default_rng(0).integers(-2000, -1989, (6, 64), np.int16)
    path = write_dicom(
        tmp_path / "a",
        border(pixels, noisy),
        syntax,
        PixelPaddingValue=value,
        PixelPaddingRangeLimit=limit,
        RescaleSlope="2",
        RescaleIntercept="-20",
    )
    np.testing.assert_array_equal(images(path)[0].pixels, border(pixels, pixels[6:].min()) * 2.0 - 20)


def test_padding_of_monochrome1_is_dark(tmp_path: Path, phantom: Phantom, write_dicom: Write) -> None:
    stored = border(4095 - phantom(), 0)
    path = write_dicom(
        tmp_path / "a",
        stored,
        BitsStored=12,
        HighBit=11,
        PhotometricInterpretation="MONOCHROME1",
        PixelPaddingValue=0,
    )
    np.testing.assert_array_equal(images(path)[0].pixels, border(phantom(), phantom()[6:].min()))


def test_padding_whose_sign_is_mistaken_is_understood(
    tmp_path: Path, phantom: Phantom, make_dataset: Make
) -> None:
    pixels = phantom().astype(np.int16)
    dataset = make_dataset(border(pixels, -2000))
    dataset.add_new("PixelPaddingValue", "US", 65536 - 2000)
    path = tmp_path / "a"
    dataset.save_as(path, enforce_file_format=True)
    np.testing.assert_array_equal(images(path)[0].pixels, border(pixels, pixels[6:].min()))


def test_blanked_air_stays_black(tmp_path: Path, phantom: Phantom, write_dicom: Write) -> None:
    pixels = border(phantom() + np.uint16(50), 0)
    path = write_dicom(tmp_path / "a", pixels, PixelPaddingValue=0)
    np.testing.assert_array_equal(images(path)[0].pixels, pixels)


def test_padding_that_cannot_be_read_is_ignored(tmp_path: Path, phantom: Phantom, make_dataset: Make) -> None:
    dataset = make_dataset(phantom())
    dataset.add_new("PixelPaddingValue", "UN", b"abc\0")
    path = tmp_path / "a"
    dataset.save_as(path, enforce_file_format=True)
    np.testing.assert_array_equal(images(path)[0].pixels, phantom())


def test_image_of_padding_alone_is_an_error(tmp_path: Path, write_dicom: Write) -> None:
    path = write_dicom(tmp_path / "a", np.full((16, 16), -2000, np.int16), PixelPaddingValue=-2000)
    assert reason(path) == "constant pixels: every one is -2000"


@pytest.mark.filterwarnings("ignore:Invalid value for VR CS")
@pytest.mark.parametrize(
    "elements",
    [
        {"ImageType": ["ORIGINAL", "PRIMARY", "P", "ND"]},
        {"ImageType": ["ORIGINAL", "PRIMARY", "phase"]},
        {"ImageType": ["ORIGINAL", "PRIMARY", "PHASE MAP", "P", "FFE"]},
        {"ComplexImageComponent": "PHASE"},
    ],
    ids=str,
)
def test_phase_images_are_skipped(
    elements: dict[str, Any], tmp_path: Path, phantom: Phantom, write_dicom: Write
) -> None:
    path = write_dicom(tmp_path / "a", phantom(), **elements)
    assert reason(path) == "skipped: phase image, magnitudes are judged"


@pytest.mark.parametrize("syntax", [uid.ExplicitVRLittleEndian, uid.ImplicitVRLittleEndian])
@pytest.mark.parametrize("kind", [0, 1])
def test_the_phase_images_of_ge_are_skipped(
    kind: int, syntax: uid.UID, tmp_path: Path, phantom: Phantom, make_dataset: Make
) -> None:
    dataset = make_dataset(phantom(), syntax, ImageType=["ORIGINAL", "PRIMARY", "OTHER"])
    dataset.private_block(0x0043, "GEMS_PARM_01", create=True).add_new(0x2F, "SS", kind)
    path = tmp_path / "a"
    dataset.save_as(path, enforce_file_format=True)
    if kind:
        assert reason(path) == "skipped: phase image, magnitudes are judged"
    else:
        assert len(images(path)) == 1


@pytest.mark.parametrize(
    "elements",
    [
        {"ImageType": ["ORIGINAL", "PRIMARY", "M", "ND"]},
        {"ImageType": ["ORIGINAL", "PRIMARY", "M_FFE", "M", "FFE"], "ComplexImageComponent": "MAGNITUDE"},
        {"ImageType": ["ORIGINAL", "PRIMARY"]},
        {"ImageType": "P"},
    ],
    ids=str,
)
def test_magnitudes_are_read(
    elements: dict[str, Any], tmp_path: Path, phantom: Phantom, write_dicom: Write
) -> None:
    assert len(images(write_dicom(tmp_path / "a", phantom(), **elements))) == 1


def test_frames_of_phase_are_skipped_and_the_others_read(
    tmp_path: Path, phantom: Phantom, make_dataset: Make
) -> None:
    pixels = np.stack([phantom(seed=k) for k in range(3)])
    dataset = make_dataset(
        pixels, SOPClassUID=uid.EnhancedMRImageStorage, ComplexImageComponent="MIXED", ImageType="ORIGINAL"
    )
    functional_groups(dataset, 3)
    for group, component in zip(
        dataset.PerFrameFunctionalGroupsSequence, ("MAGNITUDE", "PHASE", "MAGNITUDE"), strict=True
    ):
        frame_type = Dataset()
        frame_type.FrameType = ["ORIGINAL", "PRIMARY", "NONE", "NONE"]
        frame_type.ComplexImageComponent = component
        group.MRImageFrameTypeSequence = [frame_type]
    path = tmp_path / "a"
    dataset.save_as(path, enforce_file_format=True)
    first, second, third = read_file(path)
    assert isinstance(first, MRImage)
    assert isinstance(third, MRImage)
    assert isinstance(second, ReadError)
    assert (second.frame, second.reason) == (1, "skipped: phase image, magnitudes are judged")
    del dataset.PerFrameFunctionalGroupsSequence
    shared = Dataset()
    shared.ComplexImageComponent = "PHASE"
    dataset.SharedFunctionalGroupsSequence[0].MRImageFrameTypeSequence = [shared]
    dataset.save_as(path, enforce_file_format=True)
    assert reason(path).startswith("skipped: phase image")


def test_text_of_any_length_is_cut(tmp_path: Path, phantom: Phantom, make_dataset: Make) -> None:
    dataset = make_dataset(phantom(), uid.ImplicitVRLittleEndian)
    dataset.add_new("SeriesDescription", "UT", "x" * 140_000)
    path = tmp_path / "a"
    dataset.save_as(path, enforce_file_format=True)
    assert images(path)[0].series_description == "x" * 1024

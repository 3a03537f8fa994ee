from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from pydicom import Dataset
from pydicom.uid import EnhancedMRImageStorage

from miqanet.database.dicom_facts import DicomFacts, RefusedError, Timing, read_facts
from miqanet.database.pseudonyms import Pseudonyms

PSEUDONYMS = Pseudonyms(b"k" * 32)

Write = Callable[..., Path]


def facts(path: Path) -> DicomFacts:
    found = read_facts(path, PSEUDONYMS)
    assert found is not None
    return found


def test_a_classic_image_tells_scanner_and_timing(write_dicom: Write) -> None:
    found = facts(
        write_dicom(
            "a.dcm", Manufacturer="Maker", ManufacturerModelName="Model", MagneticFieldStrength=3,
            RepetitionTime=5000, EchoTime=90, InversionTime=150, FlipAngle=120,
        )
    )  # fmt: skip
    assert (found.manufacturer, found.model, found.field_strength_t) == ("Maker", "Model", 3)
    assert found.timing(0) == Timing(5000, 90, 150, 120)


def test_an_enhanced_image_tells_timing_by_frame(write_dicom: Write) -> None:
    shared, timing = Dataset(), Dataset()
    timing.RepetitionTime, timing.FlipAngle = 2000, 90
    shared.MRTimingAndRelatedParametersSequence = [timing]
    frames = []
    for echo_time in (20, 80):
        echo, frame = Dataset(), Dataset()
        echo.EffectiveEchoTime = echo_time
        frame.MREchoSequence = [echo]
        frames.append(frame)
    path = write_dicom(
        "a.dcm",
        np.ones((2, 8, 8)),
        SOPClassUID=EnhancedMRImageStorage,
        SharedFunctionalGroupsSequence=[shared],
        PerFrameFunctionalGroupsSequence=frames,
    )
    assert [facts(path).timing(frame) for frame in (0, 1)] == [
        Timing(2000, 20, None, 90),
        Timing(2000, 80, None, 90),
    ]


def test_field_strength_in_gauss_is_told_in_tesla(write_dicom: Write) -> None:
    assert facts(write_dicom("a.dcm", MagneticFieldStrength=15000)).field_strength_t == 1.5
    assert facts(write_dicom("b.dcm")).field_strength_t is None


def test_descriptions_leave_one_word_of_a_short_list(write_dicom: Write) -> None:
    found = facts(write_dicom("a.dcm", StudyDescription="MR Knee left, Mrs Doe"))
    assert (found.contrast, found.body_part) == ("T2w", "knee")


def test_identities_are_keyed_hashes(write_dicom: Write) -> None:
    found = facts(write_dicom("a.dcm", StudyInstanceUID="1.2", SeriesInstanceUID="1.3", SOPInstanceUID="1.4"))
    uids = (found.study_instance_uid, found.series_instance_uid, found.sop_instance_uid)
    assert uids == tuple(PSEUDONYMS.uid(uid) for uid in ("1.2", "1.3", "1.4"))
    assert found.subject == PSEUDONYMS.name("subject", "4711")
    assert facts(write_dicom("b.dcm", PatientID="")).subject == ""


def test_a_packed_file_is_refused_like_an_open_one(write_dicom: Write, tmp_path: Path) -> None:
    packed = tmp_path / "a.dcm.gz"
    packed.write_bytes(gzip.compress(write_dicom("a.dcm", BurnedInAnnotation="YES").read_bytes()))
    with pytest.raises(RefusedError, match="burned into the pixels"):
        read_facts(packed, PSEUDONYMS)


def test_a_header_that_cannot_be_parsed_is_refused_without_quoting_it(
    write_dicom: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_args: object, **_options: object) -> None:
        raise TypeError("Doe^Jane")

    monkeypatch.setattr("pydicom.dcmread", fail)
    with pytest.raises(RefusedError, match="cannot be parsed") as error:
        read_facts(write_dicom("a.dcm"), PSEUDONYMS)
    assert "Doe" not in str(error.value)


def test_other_formats_and_missing_files_tell_nothing(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    (tmp_path / "a.gz").write_bytes(b"\x1f\x8b no gzip")
    for name in ("a.png", "a.gz", "none"):
        assert read_facts(tmp_path / name, PSEUDONYMS) is None

from __future__ import annotations

import pytest
from highdicom.ko import KeyObjectSelectionDocument

from miqanet.hospital import codes
from miqanet.hospital.key_objects import key_objects


@pytest.fixture
def images(result):
    return [
        result("low", number=1),
        result("high", number=2),
        result("review", number=3),
        result("error", number=4),
        result("low", number=5, frame=2),
        result("high", number=5, frame=3),
        result("low", number=5, frame=4),
    ]


def references(document, reread):
    content = KeyObjectSelectionDocument.from_dataset(reread(document)).content
    return {
        item.referenced_sop_instance_uid: item.referenced_frame_numbers for item in content.get_references()
    }


def test_flagged_images_and_frames_are_selected(series, images, identity, device, reread):
    document = key_objects(series(*images), identity, device)
    assert references(document, reread) == {"1.2.826.0.1.3.1": None, "1.2.826.0.1.3.5": [2, 4]}
    (study,) = document.CurrentRequestedProcedureEvidenceSequence
    assert study.StudyInstanceUID == document.StudyInstanceUID == "1.2.826.0.1.1"
    assert len(study.ReferencedSeriesSequence[0].ReferencedSOPSequence) == 2


def test_the_title_is_quality_issue(series, images, identity, device):
    document = key_objects(series(*images), identity, device)
    (title,) = document.ConceptNameCodeSequence
    assert (title.CodeValue, title.CodeMeaning) == ("113010", "Quality Issue")
    assert title == codes.QUALITY_ISSUE


def test_late_images_are_selected_without_the_earlier_ones(series, images, identity, device, reread):
    document = key_objects(series(*images), identity, device, selected={"1.2.826.0.1.3.1"})
    assert list(references(document, reread)) == ["1.2.826.0.1.3.5"]


def test_nothing_flagged_makes_no_selection(series, result, identity, device):
    with pytest.raises(ValueError, match="at least one image"):
        key_objects(series(result("high")), identity, device)


def test_the_same_records_give_the_same_bytes(series, images, identity, device, tmp_path):
    for name in ("one", "other"):
        document = key_objects(series(*images), identity, device)
        document.save_as(tmp_path / name, enforce_file_format=True)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "other").read_bytes()


@pytest.mark.system
@pytest.mark.parametrize("name", ["Doe^Jane", "Müller^Jörg", "山田^太郎"])
def test_dciodvfy_finds_no_error(series, images, identity, device, patient, passes_dciodvfy, name):
    patient.PatientName = name
    assert passes_dciodvfy(key_objects(series(*images, source=patient), identity, device))

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace

import pytest
from highdicom.sr import ComprehensiveSR
from pydicom import Dataset, dcmread
from pydicom.sr.codedict import codes as dictionary
from pydicom.sr.coding import Code
from pydicom.uid import ComprehensiveSRStorage, EnhancedMRImageStorage

from miqanet.hospital import codes
from miqanet.hospital.report_sr import report
from miqanet.verdict import Finding


@pytest.fixture
def content(reread):
    """Return a function that reads a report as others will, by highdicom's reader of TID 1500."""
    return lambda document: ComprehensiveSR.from_dataset(reread(document)).content


def qualities(group, name):
    return [each.value for each in group.get_qualitative_evaluations(name)]


def certainties(group):
    return [(each.value, each.unit) for each in group.get_measurements(codes.CERTAINTY)]


def test_every_image_has_one_quality_and_its_certainty(series, result, identity, device, content):
    images = [result("high", number=1), result("low", number=2), result("review", number=3)]
    groups = content(report(series(*images), identity, device)).get_image_measurement_groups()
    found = {
        group.source_images[0].referenced_sop_instance_uid: (
            *qualities(group, codes.IMAGE_QUALITY),
            *certainties(group),
        )
        for group in groups
        if group.source_images
    }
    assert found == {
        "1.2.826.0.1.3.1": (Code("RID12", "RADLEX", ""), (3.0, codes.PERCENT)),
        "1.2.826.0.1.3.2": (Code("RID14", "RADLEX", ""), (93.0, codes.PERCENT)),
        "1.2.826.0.1.3.3": (Code("RID13", "RADLEX", ""), (45.0, codes.PERCENT)),
    }


def test_the_certainty_of_an_image_says_of_which_finding(series, result, identity, device, content):
    groups = content(report(series(result("high")), identity, device)).get_image_measurement_groups()
    (measurement,) = groups[-1].get_measurements(codes.CERTAINTY)
    # Their order is significant in TID 300, and modifiers come first.
    modifier = measurement[0].ContentSequence[0]
    assert modifier.RelationshipType == "HAS CONCEPT MOD"
    assert (modifier.name, modifier.value) == (
        codes.FINDING,
        Code("RID14", "RADLEX", "Non-diagnostic quality"),
    )


def test_the_series_has_one_quality(series, result, identity, device, content):
    images = [result("high", number=1), result("low", number=2)]
    groups = content(report(series(*images), identity, device)).get_image_measurement_groups()
    found = [value for group in groups for value in qualities(group, codes.SERIES_QUALITY)]
    assert found == [Code("RID14", "RADLEX", "Non-diagnostic quality")]


def test_each_artifact_is_a_finding_with_its_own_certainty(series, result, identity, device, content):
    image = result("low", Finding("motion", 0.8123456), Finding("zipper", 0.3))
    groups = content(report(series(image), identity, device)).get_image_measurement_groups()
    found = [(group.finding_type, *certainties(group)) for group in groups if group.finding_type]
    assert found == [
        (Code("RID11423", "RADLEX", "Motion related artifact"), (81.2346, codes.PERCENT)),
        (Code("zipper", "99MIQANET", "Zipper artifact"), (30.0, codes.PERCENT)),
    ]


def test_every_group_names_its_method(series, result, identity, device, content):
    images = [result("low", Finding("noise", 0.9), number=1), result("error", number=2)]
    groups = content(report(series(*images), identity, device)).get_image_measurement_groups()
    assert len(groups) == 4
    assert {group.method.value for group in groups} == {"133887000"}


def test_every_number_names_its_algorithm(series, result, identity, device, content):
    groups = content(report(series(result("low", Finding("noise", 0.9))), identity, device))
    # The threshold is that of low quality, which says nothing of an artifact's number.
    for group, parameters in zip(
        groups.get_image_measurement_groups()[1:], ("threshold=0.5", None), strict=True
    ):
        (measurement,) = group.get_measurements()
        said = {item.name.meaning: item.value for item in measurement[0].ContentSequence}
        assert said["Algorithm Name"] == "miqanet"
        assert said["Algorithm Version"] == "0.1.0"
        assert said.get("Algorithm Parameters") == parameters


def test_a_network_is_named_in_plain_characters(series, result, identity, device, content):
    judged = result("low")
    verdict = replace(judged.verdict, model_version="Klinik Süd 2")
    groups = content(report(series(replace(judged, verdict=verdict)), identity, device))
    (measurement,) = groups.get_image_measurement_groups()[1].get_measurements()
    said = {item.name.meaning: item.value for item in measurement[0].ContentSequence}
    assert (said["Algorithm Name"], said["Algorithm Version"]) == ("Klinik S?d", "2")


def test_the_quality_of_the_series_names_its_rule(series, result, identity, device, content):
    group, *_ = content(report(series(result("low")), identity, device)).get_image_measurement_groups()
    said = {item.name.meaning: item.value for item in group[0].ContentSequence if item.ValueType == "TEXT"}
    assert said["Algorithm Name"] == "miqanet"
    assert said["Algorithm Version"] == device.software_version
    assert said["Algorithm Parameters"] == "low share=0.2"


def test_a_later_report_tracks_what_is_said_by_the_same_uids(series, result, identity, device, content):
    images = [result("low", Finding("motion", 0.9), number=1), result("high", number=2)]
    later = replace(identity, sop_instance_uid="2.25.1009", instance_number=2)
    tracked = [
        [group.tracking_uid for group in content(document).get_image_measurement_groups()]
        for document in (
            report(series(*images), identity, device),
            report(series(*images, result("low", number=3)), later, device, predecessor=identity),
        )
    ]
    assert len(set(tracked[1])) == 5
    assert tracked[1][:4] == tracked[0]


def test_an_image_without_verdict_is_there_with_the_reason(series, result, identity, device, content):
    groups = content(report(series(result("error")), identity, device)).get_image_measurement_groups()
    (group,) = groups
    assert qualities(group, codes.IMAGE_QUALITY) == []
    assert group[0].ContentSequence[-1].value == "its pixels are cut short"
    assert group.source_images[0].referenced_sop_instance_uid == "1.2.826.0.1.3.1"


def test_frames_are_referenced_by_number(series, result, identity, device, content):
    images = [result("high", frame=1), result("low", frame=2)]
    document = report(series(*images), identity, device)
    groups = content(document).get_image_measurement_groups()
    assert [group.source_images[0].referenced_frame_numbers for group in groups[1:]] == [[1], [2]]
    (study,) = document.CurrentRequestedProcedureEvidenceSequence
    (reference,) = study.ReferencedSeriesSequence[0].ReferencedSOPSequence
    assert reference.ReferencedSOPClassUID == EnhancedMRImageStorage


def test_the_report_goes_to_the_study_and_patient_of_the_images(series, result, identity, device, patient):
    document = report(series(result("high")), identity, device)
    for element in patient:
        assert document[element.tag].value == element.value
    assert document.StudyInstanceUID == "1.2.826.0.1.1"
    assert document.SeriesInstanceUID == identity.series_instance_uid
    assert document.SOPInstanceUID == identity.sop_instance_uid
    (study,) = document.CurrentRequestedProcedureEvidenceSequence
    assert study.StudyInstanceUID == "1.2.826.0.1.1"
    assert study.ReferencedSeriesSequence[0].SeriesInstanceUID == "1.2.826.0.1.2"


def test_the_procedure_reported_is_the_studys_own(series, result, identity, device, patient):
    code = Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = "MRKN", "99HOSP", "MR of the knee"
    patient.ProcedureCodeSequence = [code]
    for source, procedure in ((patient, "MRKN"), (Dataset(), codes.MRI.value)):
        document = report(series(result("high"), source=source), identity, device)
        reported = [
            item.value.value
            for item in document.ContentSequence
            if item.name == dictionary.DCM.ProcedureReported
        ]
        assert reported == [procedure]


def test_a_later_report_names_its_predecessor(series, result, identity, device):
    later = replace(identity, sop_instance_uid="2.25.1009", instance_number=2)
    document = report(series(result("high")), later, device, predecessor=identity)
    (study,) = document.PredecessorDocumentsSequence
    (reference,) = study.ReferencedSeriesSequence[0].ReferencedSOPSequence
    assert study.StudyInstanceUID == document.StudyInstanceUID
    assert study.ReferencedSeriesSequence[0].SeriesInstanceUID == identity.series_instance_uid
    assert reference.ReferencedSOPInstanceUID == identity.sop_instance_uid
    assert reference.ReferencedSOPClassUID == ComprehensiveSRStorage


def test_a_first_report_names_none(series, result, identity, device):
    assert "PredecessorDocumentsSequence" not in report(series(result("high")), identity, device)


def test_the_same_records_give_the_same_bytes(series, result, identity, device, tmp_path):
    images = [result("low", Finding("spike", 0.7), number=1), result("error", number=2)]
    for name in ("one", "other"):
        document = report(series(*images), identity, device)
        document.save_as(tmp_path / name, enforce_file_format=True)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "other").read_bytes()
    written = dcmread(tmp_path / "one")
    assert (written.ContentDate, written.ContentTime) == ("20260102", "030405.000678")
    assert written.InstanceCreationTime == "030405.000678"


def test_a_series_without_images_is_refused(series, identity, device):
    with pytest.raises(ValueError, match="at least one image"):
        report(series(), identity, device)


def test_a_thousand_images_are_all_there(series, result, identity, device):
    images = [result("high", number=number) for number in range(1, 1001)]
    document = report(series(*images), identity, device)
    (study,) = document.CurrentRequestedProcedureEvidenceSequence
    assert len(study.ReferencedSeriesSequence[0].ReferencedSOPSequence) == 1000
    assert len(document.ContentSequence[-1].ContentSequence) == 1001


@pytest.mark.system
@pytest.mark.parametrize("name", ["Doe^Jane", "Müller^Jörg", "山田^太郎", ""])
def test_dciodvfy_finds_no_error(series, result, identity, device, patient, passes_dciodvfy, name):
    source = patient if name else Dataset()
    source.PatientName = name
    every = [Finding(kind, 0.5) for kind in (*codes.ARTIFACTS, "kind_of_a_model_of_the_site")]
    images = [
        result("low", *every, number=1),
        result("review", number=2, frame=1),
        result("high", number=2, frame=2),
        result("error", number=3),
    ]
    later = replace(identity, sop_instance_uid="2.25.1009", instance_number=2)
    assert passes_dciodvfy(report(series(*images, source=source), later, device, predecessor=identity))
    assert passes_dciodvfy(report(series(images[-1], source=source), identity, device))


@pytest.mark.system
def test_dcmtk_reads_the_report(series, result, identity, device, tmp_path):
    if shutil.which("dsrdump") is None:
        pytest.skip("dcmtk is not installed")
    document = report(series(result("low", Finding("ghosting", 0.75))), identity, device)
    document.save_as(tmp_path / "report.dcm", enforce_file_format=True)
    done = subprocess.run(
        ["dsrdump", "+Pl", tmp_path / "report.dcm"], capture_output=True, text=True, check=True
    )
    assert not [line for line in done.stderr.splitlines() if line.startswith(("E:", "F:"))]
    for said in (
        '"Non-diagnostic quality"',
        '"Ghost"',
        '="75.0" (%,UCUM,"Percent")',
        "Image quality analysis",
    ):
        assert said in done.stdout


@pytest.mark.system
@pytest.mark.filterwarnings("ignore:Invalid value", "ignore:The value length")
def test_dciodvfy_finds_no_error_about_a_badly_filled_image(
    series, result, identity, device, passes_dciodvfy
):
    source, procedure = Dataset(), Dataset()
    source.PatientName, source.PatientSex, source.PatientBirthDate = "Doe, Jane (2nd)", "W", "31.1.1970"
    source.PatientAge, source.StudyDate, source.StudyTime = "56", "2026", "3 o'clock"
    source.AccessionNumber, source.StudyID = "A" * 20, "7" * 20
    source.PatientIdentityRemoved, procedure.CodeMeaning = "YES", "MR"
    source.ProcedureCodeSequence = [procedure]
    assert passes_dciodvfy(report(series(result("high"), source=source), identity, device))


def test_nothing_of_the_patient_is_logged(series, result, identity, device, patient, caplog):
    patient.PatientName = "Doe, Jane (the second)"
    caplog.set_level(0)
    report(series(result("high"), source=patient), identity, device)
    assert "Doe" not in caplog.text


def test_a_reason_is_written_in_plain_characters(series, result, identity, device, content):
    image = replace(result("error"), reason="± broken")
    (group,) = content(report(series(image), identity, device)).get_image_measurement_groups()
    assert group[0].ContentSequence[-1].value == "? broken"

from __future__ import annotations

from io import BytesIO

import pytest
from pydicom import Dataset
from pydicom.filebase import DicomBytesIO
from pydicom.filereader import read_dataset
from pydicom.filewriter import write_dataset

from miqanet.hospital.patient_study import REQUIRED, extract, restore


def as_received(dataset: Dataset, implicit: bool = False) -> Dataset:
    """Return a data set of raw bytes, as a file gives it."""
    stream = DicomBytesIO()
    stream.is_implicit_VR, stream.is_little_endian = implicit, True
    write_dataset(stream, dataset)
    return read_dataset(BytesIO(stream.getvalue()), implicit, True)


def test_what_is_well_formed_is_kept(patient):
    assert restore(extract(patient)) == patient


def test_an_image_that_says_nothing_gets_empty_attributes():
    kept = restore(extract(Dataset()))
    assert {element.keyword for element in kept} == set(REQUIRED)
    assert not any(element.value for element in kept)


def test_only_patient_and_study_are_kept(patient):
    patient.SeriesDescription, patient.Rows, patient.OperatorsName = "T1", 512, "Doe^John"
    kept = restore(extract(patient))
    assert not {"SeriesDescription", "Rows", "OperatorsName"} & {element.keyword for element in kept}


@pytest.mark.filterwarnings("ignore:Invalid value", "ignore:The value length")
@pytest.mark.parametrize(
    ("keyword", "value"),
    [
        ("PatientSex", "X"),
        ("PatientBirthDate", "1970-01-31"),
        ("StudyTime", "25 o'clock"),
        ("AccessionNumber", "A" * 17),
        ("StudyDate", ["20260102", "20260103"]),
    ],
)
def test_a_malformed_attribute_that_must_be_there_becomes_empty(patient, keyword, value):
    setattr(patient, keyword, value)
    kept = restore(extract(as_received(patient)))
    assert keyword in kept
    assert not kept[keyword].value
    assert kept.PatientID == "4711"


@pytest.mark.filterwarnings("ignore:Invalid value")
def test_a_malformed_attribute_that_may_be_there_is_left_out(patient):
    patient.PatientAge, patient.QualityControlSubject = "56", "MAYBE"
    kept = restore(extract(as_received(patient)))
    assert "PatientAge" not in kept
    assert "QualityControlSubject" not in kept


@pytest.mark.filterwarnings("ignore:The value length", "ignore:Invalid value")
def test_name_and_id_stay_as_they_are(patient):
    patient.PatientID = "4711/" + "0" * 70
    patient.PatientName = "Doe, Jane (the second)"
    kept = restore(extract(as_received(patient)))
    assert (kept.PatientID, kept.PatientName) == (patient.PatientID, patient.PatientName)


@pytest.mark.parametrize("implicit", [False, True])
@pytest.mark.parametrize(
    ("character_set", "name"),
    [
        ("ISO_IR 100", "Müller^Jörg"),
        ("ISO_IR 144", "Люкceмбypг"),
        ("ISO_IR 126", "Διονυσιος"),
        (["", "ISO 2022 IR 87"], "Yamada^Tarou=山田^太郎=やまだ^たろう"),
        (["ISO 2022 IR 6", "ISO 2022 IR 149"], "Hong^Gildong=洪^吉洞=홍^길동"),
        ("GB18030", "Wang^XiaoDong=王^小东"),
        ("ISO_IR 192", "Σ王Müller"),
    ],
    ids=str,
)
def test_text_keeps_its_character_set(patient, character_set, name, implicit):
    patient.SpecificCharacterSet = character_set
    patient.PatientName = name
    kept = restore(extract(as_received(patient, implicit)))
    assert kept.PatientName == name
    assert kept.SpecificCharacterSet == patient.SpecificCharacterSet


def test_text_beyond_its_character_set_becomes_unicode(patient):
    patient.SpecificCharacterSet = "ISO_IR 100"
    patient.PatientName = "山田^太郎"
    kept = restore(extract(patient))
    assert (str(kept.PatientName), kept.SpecificCharacterSet) == ("山田^太郎", "ISO_IR 192")


@pytest.mark.parametrize("character_set", [None, "ISO_IR 999", ["ISO_IR 192", "ISO 2022 IR 87"]], ids=str)
def test_text_of_an_undeclared_or_unknown_character_set_becomes_unicode(patient, character_set):
    patient.PatientName = "Mueller^Joerg"
    received = as_received(patient)
    raw = received.get_item("PatientName")
    received._dict[raw.tag] = raw._replace(value="Müller^Jörg ".encode("latin-1"))
    if character_set:
        received.SpecificCharacterSet = character_set
    kept = restore(extract(received))
    assert kept.SpecificCharacterSet == "ISO_IR 192"
    assert "ller^J" in str(kept.PatientName)


def test_a_complete_procedure_code_is_kept_and_a_broken_one_is_not(patient):
    good, without_scheme, empty = Dataset(), Dataset(), Dataset()
    good.CodeValue, good.CodingSchemeDesignator, good.CodeMeaning = "MRKN", "99HOSP", "MR of the knee"
    without_scheme.CodeValue, without_scheme.CodeMeaning = "MRKN", "MR of the knee"
    patient.ProcedureCodeSequence = [without_scheme, good, empty]
    assert list(restore(extract(as_received(patient))).ProcedureCodeSequence) == [good]


def test_broken_bytes_cost_only_their_own_attribute(patient):
    received = as_received(patient)
    for keyword in ("PatientWeight", "PatientBirthDate"):
        setattr(received, keyword, None)
    raw = as_received(patient).get_item("PatientID")
    received._dict[received["PatientWeight"].tag] = raw._replace(
        tag=received["PatientWeight"].tag, VR="DS", value=b"\xff\xfe12"
    )
    kept = restore(extract(received))
    assert "PatientWeight" not in kept
    assert kept.PatientID == "4711"


def test_plain_text_of_an_unknown_character_set_needs_none(patient):
    received = as_received(patient)
    received.SpecificCharacterSet = "ISO_IR 999"
    assert "SpecificCharacterSet" not in restore(extract(received))

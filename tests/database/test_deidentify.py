from __future__ import annotations

from typing import Any

import pytest
from dicomanonymizer.dicom_anonymization_databases import dicomfields_2026c as table
from pydicom import DataElement, Dataset
from pydicom.datadict import dictionary_has_tag, dictionary_VR, keyword_for_tag
from pydicom.dataelem import RawDataElement
from pydicom.dataset import PrivateBlock
from pydicom.tag import Tag
from pydicom.uid import UID, MRImageStorage, SecondaryCaptureImageStorage

from miqanet.database.deidentify import burned_in, deidentify
from miqanet.database.pseudonyms import Pseudonyms

PSEUDONYMS = Pseudonyms(b"k" * 32)

SECRETS: dict[str, Any] = {
    "AE": "SECRET", "AS": "031Y", "CS": "SECRET", "DA": "19310213", "DT": "19310213010203", "TM": "010203",
    "DS": "31", "IS": "31", "LO": "SECRET", "LT": "SECRET", "PN": "SECRET", "SH": "SECRET", "ST": "SECRET",
    "UC": "SECRET", "UI": "1.2.31", "UR": "SECRET", "UT": "SECRET", "OB": b"SECRET", "UN": b"SECRET", "US": 31,
}  # fmt: skip
"""A value for each kind of attribute in the table."""


def known(*columns: str) -> list[int]:
    """Tags of the columns that have a name; the few that pydicom does not know are removed like private ones."""
    tags = [Tag(*tag) for column in columns for tag in getattr(table, column) if len(tag) == 2]
    return [tag for tag in tags if dictionary_has_tag(tag)]


def secret(tag: int) -> DataElement:
    vr = dictionary_VR(tag)
    if vr == "SQ":
        item = Dataset()
        item.PatientComments = "SECRET"
        return DataElement(tag, vr, [item])
    return DataElement(tag, vr, SECRETS[vr])


def cleaned(tag: int) -> list[DataElement | None]:
    """What becomes of an attribute at the top, and two sequences further down."""
    dataset, frame, measures = Dataset(), Dataset(), Dataset()
    for each in (dataset, measures):
        each.add(secret(tag))
    frame.PixelMeasuresSequence = [measures]
    dataset.SharedFunctionalGroupsSequence = [frame]
    found = deidentify(dataset, PSEUDONYMS)
    assert "SECRET" not in str(found)
    deep = found.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0]
    return [found.get(tag), deep.get(tag)]


def said(dataset: Dataset) -> set[str]:
    """Keywords of a dataset's attributes but those of the de-identification itself."""
    marks = ("PatientIdentityRemoved", "DeidentificationMethodCodeSequence")
    return {each.keyword for each in dataset} - {*marks, "LongitudinalTemporalInformationModified"}


@pytest.mark.parametrize("tag", known("X_TAGS"), ids=keyword_for_tag)
def test_removed(tag: int) -> None:
    assert cleaned(tag) == [None, None]


@pytest.mark.parametrize("tag", known("Z_TAGS", "X_Z_TAGS"), ids=keyword_for_tag)
def test_emptied(tag: int) -> None:
    for element in cleaned(tag):
        assert element is not None
        assert element.is_empty


@pytest.mark.parametrize("tag", known("D_TAGS", "Z_D_TAGS", "X_D_TAGS", "X_Z_D_TAGS"), ids=keyword_for_tag)
def test_replaced_by_a_dummy(tag: int) -> None:
    for element in cleaned(tag):
        assert element is not None
        assert not element.is_empty
        assert element.value != secret(tag).value


@pytest.mark.parametrize("tag", known("U_TAGS"), ids=keyword_for_tag)
def test_uid_replaced_by_a_keyed_hash(tag: int) -> None:
    for element in cleaned(tag):
        assert element is not None
        assert element.value == PSEUDONYMS.uid("1.2.31")
        assert UID(element.value).is_valid


@pytest.mark.parametrize("tag", known("X_Z_U_STAR_TAGS"), ids=keyword_for_tag)
def test_references_stay_with_uids_replaced(tag: int) -> None:
    item, dataset = Dataset(), Dataset()
    item.ReferencedSOPInstanceUID, item.PatientComments = "1.2.31", "SECRET"
    dataset.add(DataElement(tag, "SQ", [item]))
    (reference,) = deidentify(dataset, PSEUDONYMS)[tag].value
    assert reference.ReferencedSOPInstanceUID == PSEUDONYMS.uid("1.2.31")
    assert "PatientComments" not in reference


def test_names_dates_and_uids_that_the_table_does_not_name_are_no_way_out() -> None:
    dataset, item = Dataset(), Dataset()
    for each in (dataset, item):
        each.EvaluatorName, each.ExpirationDateTime = "SECRET", "19310213"
        each.VolumeFrameOfReferenceUID = "1.2.31"
        each.ReferencedSOPClassUID = MRImageStorage
    dataset.SharedFunctionalGroupsSequence = [item]
    found = deidentify(dataset, PSEUDONYMS)
    for each in (found, found.SharedFunctionalGroupsSequence[0]):
        assert "EvaluatorName" not in each
        assert "ExpirationDateTime" not in each
        assert each.VolumeFrameOfReferenceUID == PSEUDONYMS.uid("1.2.31")
        assert each.ReferencedSOPClassUID == MRImageStorage


def test_it_is_said_what_was_done() -> None:
    item, dataset = Dataset(), Dataset()
    dataset.PatientIdentityRemoved = "NO"
    dataset.SharedFunctionalGroupsSequence = [item]
    found = deidentify(dataset, PSEUDONYMS)
    assert found.PatientIdentityRemoved == "YES"
    assert found.LongitudinalTemporalInformationModified == "REMOVED"
    (method,) = found.DeidentificationMethodCodeSequence
    assert (method.CodeValue, method.CodingSchemeDesignator) == ("113100", "DCM")
    assert len(found.SharedFunctionalGroupsSequence[0]) == 0


def test_every_attribute_of_the_table_is_tested_above_or_unknown_to_the_dictionary() -> None:
    columns = ("X_TAGS", "Z_TAGS", "X_Z_TAGS", "D_TAGS", "Z_D_TAGS", "X_D_TAGS", "X_Z_D_TAGS", "U_TAGS")
    tested = set(known(*columns, "X_Z_U_STAR_TAGS"))
    rest = {tag for tag in table.ALL_TAGS if len(tag) == 4 or Tag(*tag) not in tested}
    dataset = Dataset()
    for tag in rest:
        dataset.add(DataElement(Tag(*tag[:2]), "LO", "SECRET"))
    assert said(deidentify(dataset, PSEUDONYMS)) == set()
    assert len(tested) + len(rest) == len(table.ALL_TAGS) > 600


def test_private_attributes_overlays_and_curves_are_removed_at_any_depth() -> None:
    dataset, item = Dataset(), Dataset()
    for each in (dataset, item):
        block: PrivateBlock = each.private_block(0x0029, "SECRET MAKER", create=True)
        block.add_new(1, "LO", "SECRET")
        for tag, vr in ((0x60003000, "OB"), (0x60024000, "LT"), (0x50003000, "OB"), (0x00091001, "UN")):
            each.add_new(tag, vr, SECRETS[vr])
    dataset.SharedFunctionalGroupsSequence = [item]
    found = deidentify(dataset, PSEUDONYMS)
    assert said(found) == {"SharedFunctionalGroupsSequence"}
    assert len(found.SharedFunctionalGroupsSequence[0]) == 0


def test_what_an_image_needs_is_kept() -> None:
    dataset = Dataset()
    dataset.Manufacturer, dataset.ManufacturerModelName = "Maker", "Model"
    dataset.MagneticFieldStrength, dataset.EchoTime, dataset.Modality = 3, 90, "MR"
    dataset.SOPClassUID, dataset.ImageType = MRImageStorage, ["ORIGINAL", "PRIMARY"]
    found = deidentify(dataset, PSEUDONYMS)
    assert said(found) == said(dataset)
    assert all(found[keyword] == dataset[keyword] for keyword in said(dataset))


def test_the_patient_is_the_same_under_a_pseudonym_in_every_object() -> None:
    def patient(number: str, name: str) -> str:
        dataset = Dataset()
        dataset.PatientID, dataset.PatientName = number, name
        found = deidentify(dataset, PSEUDONYMS)
        assert found["PatientName"].is_empty
        return str(found.PatientID)

    assert patient("4711", "Doe^Jane") == patient("4711", "Doe^J.") == PSEUDONYMS.name("subject", "4711")
    assert patient("4712", "Doe^Jane") != patient("4711", "Doe^Jane")


def test_many_uids_in_one_attribute_are_each_replaced() -> None:
    dataset = Dataset()
    dataset.FailedSOPInstanceUIDList = ["1.2", "1.3"]
    dataset.StudyInstanceUID = None
    found = deidentify(dataset, PSEUDONYMS)
    assert found.FailedSOPInstanceUIDList == [PSEUDONYMS.uid("1.2"), PSEUDONYMS.uid("1.3")]
    assert found["StudyInstanceUID"].is_empty


def test_a_value_that_cannot_be_parsed_is_removed_and_costs_no_other() -> None:
    dataset = Dataset()
    dataset.EchoTime = 90
    raw = RawDataElement(Tag("RepetitionTime"), "DS", 6, b"SECRET", 0, False, True)
    dataset.update({raw.tag: raw})
    found = deidentify(dataset, PSEUDONYMS)
    assert found.EchoTime == 90
    assert "RepetitionTime" not in found


@pytest.mark.parametrize(
    ("elements", "reason"),
    [
        ({"BurnedInAnnotation": "YES"}, "burned into the pixels"),
        ({"BurnedInAnnotation": "Y"}, "burned into the pixels"),
        ({"SOPClassUID": SecondaryCaptureImageStorage}, "secondary capture"),
        ({"ConversionType": "DF"}, "secondary capture"),
        ({"ImageType": ["DERIVED", "SECONDARY", "SCREEN SAVE"]}, "captured screen"),
        ({"ImageType": ["DERIVED", "SECONDARY", "MPR"]}, None),
        ({"SOPClassUID": MRImageStorage}, None),
        ({"SOPClassUID": SecondaryCaptureImageStorage, "BurnedInAnnotation": "NO"}, None),
        ({"ConversionType": "WSD", "BurnedInAnnotation": "YES"}, "burned into the pixels"),
        ({}, None),
    ],
)
def test_annotation_in_the_pixels_is_suspected_where_it_may_be(
    elements: dict[str, Any], reason: str | None
) -> None:
    dataset = Dataset()
    for keyword, value in elements.items():
        setattr(dataset, keyword, value)
    found = burned_in(dataset)
    assert found is None if reason is None else found is not None and reason in found

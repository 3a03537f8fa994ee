"""De-identification of DICOM by the Basic Application Level Confidentiality Profile (PS3.15, annex E).

What to do with each attribute is table E.1-1, as the package `dicom-anonymizer` keeps it, and is done at every depth
of nested sequences. Removed as well is what the table need not name: private attributes, those that pydicom's
dictionary does not know, all other names of people, dates and times, overlays and curves as a whole, and what cannot
be parsed. UIDs that it does not name are replaced, too, unless the standard itself gave them out.
"""

from __future__ import annotations

from enum import Enum
from typing import Any

import pydicom.uid as uids
from dicomanonymizer.dicomfields_selector import dicom_anonymization_database_selector
from pydicom import DataElement, Dataset
from pydicom.datadict import dictionary_has_tag
from pydicom.tag import Tag
from pydicom.valuerep import VR

from miqanet.database.pseudonyms import Pseudonyms
from miqanet.reading.elements import numbers, text

EDITION = "2026c"
"""Of the DICOM standard that the table is from."""


class Action(Enum):
    """What to do with an attribute. Where the table leaves a choice, what keeps the object valid."""

    REMOVE = ("X_TAGS",)
    EMPTY = ("Z_TAGS", "X_Z_TAGS")
    DUMMY = ("D_TAGS", "Z_D_TAGS", "X_D_TAGS", "X_Z_D_TAGS")
    REPLACE_UID = ("U_TAGS",)
    CLEAN_ITEMS = ("X_Z_U_STAR_TAGS",)
    """A sequence stays, its items are cleaned: as with every sequence that the table does not name."""


def _actions() -> dict[tuple[int, ...], Action]:
    table = dicom_anonymization_database_selector(f"dicomfields_{EDITION}")
    return {tag: action for action in Action for column in action.value for tag in table[column]}


ACTIONS = _actions()
"""By (group, element)."""

_DUMMIES: dict[str, Any] = {
    **dict.fromkeys((VR.AE, VR.CS, VR.LO, VR.LT, VR.PN, VR.SH, VR.ST, VR.UC, VR.UT), "ANONYMIZED"),
    **dict.fromkeys((VR.DS, VR.IS), "0"),
    **dict.fromkeys((VR.OB, VR.UN), b"\0\0"),
    VR.AS: "000Y",
    VR.DA: "19000101",
    VR.DT: "19000101000000",
    VR.TM: "000000",
    VR.UR: "https://anonymized.invalid",
}

_NEVER_KEPT = (VR.DA, VR.DT, VR.PN, VR.TM, VR.UN)
"""Names, dates and times that the table does not name, and what is of no known kind."""

_OF_THE_STANDARD = "1.2.840.10008."
"""Root of what names a class or a syntax, and no instance (PS3.5, section 9)."""

_PROFILE = ("113100", "DCM", "Basic Application Confidentiality Profile")
"""Value, scheme and meaning (PS3.16, context group 7050)."""

_SECONDARY_CAPTURES = frozenset(
    {
        uids.SecondaryCaptureImageStorage,
        uids.MultiFrameSingleBitSecondaryCaptureImageStorage,
        uids.MultiFrameGrayscaleByteSecondaryCaptureImageStorage,
        uids.MultiFrameGrayscaleWordSecondaryCaptureImageStorage,
        uids.MultiFrameTrueColorSecondaryCaptureImageStorage,
    }
)


def burned_in(dataset: Dataset) -> str | None:
    """Return why a patient's name may be written into the pixels; None where nothing speaks for it.

    Said outright by Burned In Annotation (0028,0301). Where that is silent, captured screens and scanned films are
    not trusted (PS3.3, section C.8.6.1: their Conversion Type is obligatory, and they alone have one).
    """
    stated = text(dataset, "BurnedInAnnotation").upper()
    if stated == "NO":
        return None
    if stated:
        return "annotation is burned into the pixels (0028,0301)"
    if text(dataset, "SOPClassUID") in _SECONDARY_CAPTURES or text(dataset, "ConversionType"):
        return "a secondary capture, which does not say that nothing is burned into its pixels (0028,0301)"
    if "SCREEN" in text(dataset, "ImageType").upper():
        return "a captured screen, which does not say that nothing is burned into its pixels (0028,0301)"
    return None


def deidentify(dataset: Dataset, pseudonyms: Pseudonyms) -> Dataset:
    """Return a dataset without what the profile removes; UIDs and the patient's ID are keyed hashes.

    It says what was done to it (PS3.15, sections E.1.1 and E.2).
    """
    cleaned = _cleaned(dataset, pseudonyms)
    method = Dataset()
    method.CodeValue, method.CodingSchemeDesignator, method.CodeMeaning = _PROFILE
    cleaned.DeidentificationMethodCodeSequence = [method]
    cleaned.PatientIdentityRemoved = "YES"
    cleaned.LongitudinalTemporalInformationModified = "REMOVED"
    return cleaned


def _cleaned(dataset: Dataset, pseudonyms: Pseudonyms) -> Dataset:
    cleaned = Dataset()
    # By tag: values are parsed on access, and one that cannot be is no reason to lose the others.
    for tag in dataset.keys():  # noqa: SIM118
        if tag.is_private or not dictionary_has_tag(tag):
            continue
        try:
            element = dataset[tag]
        except Exception:  # noqa: S112
            continue
        if element.VR in (VR.DS, VR.IS) and not numbers(dataset, element.keyword):
            # Kept as text by pydicom; text where a number belongs may be anything.
            continue
        if (replaced := _replaced(element, pseudonyms)) is not None:
            cleaned.add(replaced)
    return cleaned


def _replaced(element: DataElement, pseudonyms: Pseudonyms) -> DataElement | None:
    """Return the element that takes the place of another; None where nothing does."""
    match ACTIONS.get((element.tag.group, element.tag.element)):
        case Action.REMOVE:
            return None
        case Action.EMPTY:
            return DataElement(element.tag, element.VR, [] if element.VR == VR.SQ else None)
        case Action.DUMMY:
            return DataElement(element.tag, element.VR, _dummy(element, pseudonyms))
        case Action.REPLACE_UID:
            return DataElement(element.tag, element.VR, _uids(element, pseudonyms))
    if element.VR == VR.SQ:
        items = [_cleaned(item, pseudonyms) for item in element.value]
        return DataElement(element.tag, element.VR, items)
    if element.VR == VR.UI:
        return DataElement(element.tag, element.VR, _uids(element, pseudonyms))
    return None if element.VR in _NEVER_KEPT else element


def _dummy(element: DataElement, pseudonyms: Pseudonyms) -> Any:
    if element.tag == Tag("PatientID"):
        return pseudonyms.name("subject", str(element.value))
    if element.VR == VR.UI:
        return _uids(element, pseudonyms)
    if element.VR == VR.SQ:
        return [Dataset()]
    return _DUMMIES.get(element.VR)


def _uids(element: DataElement, pseudonyms: Pseudonyms) -> list[str]:
    values = [element.value] if element.VM == 1 else element.value or []
    return [uid if uid.startswith(_OF_THE_STANDARD) else pseudonyms.uid(uid) for uid in map(str, values)]

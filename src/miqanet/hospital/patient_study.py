"""What an image says of its patient and study, kept so that documents about it go to the same ones.

These are the attributes of the modules Patient, General Study and Patient Study (DICOM PS3.3, C.7.1.1,
C.7.2.1 and C.7.2.2) that identify and describe. Scanners and their operators fill them with what the
standard does not allow, so each is checked alone: what is malformed is left out, or left empty where the
standard wants the attribute. Only name and ID of the patient stay as they are, however odd, because
archives match patients by them.
"""

from __future__ import annotations

from collections.abc import Iterable
from io import BytesIO
from typing import Final

from pydicom import Dataset, config
from pydicom.charset import python_encoding
from pydicom.dataelem import DataElement
from pydicom.filebase import DicomBytesIO
from pydicom.filereader import read_dataset
from pydicom.filewriter import write_dataset
from pydicom.valuerep import validate_value

from miqanet.reading.elements import items, text
from miqanet.reading.quiet import quiet

IDENTIFYING: Final = ("PatientName", "PatientID")
REQUIRED: Final = (
    *IDENTIFYING,
    "PatientBirthDate",
    "PatientSex",
    "StudyDate",
    "StudyTime",
    "AccessionNumber",
    "ReferringPhysicianName",
    "StudyID",
)
"""Attributes that every document has, if only empty (type 2)."""

OPTIONAL: Final = (
    "IssuerOfPatientID",
    "PatientBirthTime",
    "PatientComments",
    "QualityControlSubject",
    "StudyDescription",
    "PatientAge",
    "PatientSize",
    "PatientWeight",
)

_ENUMERATED: Final = {"PatientSex": ("M", "F", "O"), "QualityControlSubject": ("YES", "NO")}
_CODE_VALUES: Final = ("CodeValue", "LongCodeValue", "URNCodeValue")
_UNICODE: Final = "ISO_IR 192"
_STAND_ALONE: Final = {_UNICODE, "GB18030", "GBK"}
"""Character sets that cannot be extended by others (PS3.3, C.12.1.1.2)."""


def extract(dataset: Dataset) -> bytes:
    """Return patient and study of an image, as a data set in explicit little endian.

    Text keeps the image's character set, which its archive has accepted, where that can hold it, and becomes
    Unicode where it cannot.
    """
    with quiet:
        character_set = dataset.get("SpecificCharacterSet")
        kept = _kept(dataset, character_set)
        texts = _texts(kept)
        content = _encode(kept)
        plain = all(map(str.isascii, texts))
        if (plain and not character_set) or (_is_legal(character_set) and _texts(restore(content)) == texts):
            return content
        # Made anew: pydicom's names remember how they were encoded.
        return _encode(_kept(dataset, None if plain else _UNICODE))


def restore(content: bytes) -> Dataset:
    """Return the data set that `extract` has made bytes of."""
    with quiet:
        return read_dataset(BytesIO(content), is_implicit_VR=False, is_little_endian=True)


def _kept(dataset: Dataset, character_set: str | Iterable[str] | None) -> Dataset:
    kept = Dataset()
    if character_set:
        kept.SpecificCharacterSet = character_set
    for keyword in (*REQUIRED, *OPTIONAL):
        element = _element(dataset, keyword)
        if element is not None:
            kept.add(element)
        elif keyword in REQUIRED:
            setattr(kept, keyword, "")
    if procedures := [code for item in items(dataset, "ProcedureCodeSequence") if (code := _code(item))]:
        kept.ProcedureCodeSequence = procedures
    return kept


def _element(dataset: Dataset, keyword: str) -> DataElement | None:
    """Return an element with a value that may be written again, None where there is none."""
    try:
        element = dataset[keyword]
        value = "\\".join(map(str, element.value)) if element.VM > 1 else str(element.value or "")
        if keyword not in IDENTIFYING:
            if element.VM > 1 or value not in _ENUMERATED.get(keyword, (value,)):
                return None
            validate_value(element.VR, value, config.RAISE)
    except Exception:
        # pydicom converts on access; what it raises on malformed bytes has no common base.
        return None
    # A new element: pydicom's own would be written with the bytes that it was read from, whatever the character set.
    return DataElement(element.tag, element.VR, value)


def _code(item: Dataset) -> Dataset | None:
    """Return a coded term, None where a part of it is missing or malformed."""
    code = Dataset()
    for keyword in (*_CODE_VALUES, "CodingSchemeDesignator", "CodingSchemeVersion", "CodeMeaning"):
        if text(item, keyword) and (element := _element(item, keyword)) is not None:
            code.add(element)
    complete = sum(keyword in code for keyword in _CODE_VALUES) == 1
    return code if complete and "CodingSchemeDesignator" in code and "CodeMeaning" in code else None


def _is_legal(character_set: str | Iterable[str] | None) -> bool:
    if not character_set:
        return False
    terms = [character_set] if isinstance(character_set, str) else list(character_set)
    return python_encoding.keys() >= set(terms) and (len(terms) == 1 or not _STAND_ALONE & set(terms))


def _texts(dataset: Dataset) -> list[str]:
    return [str(element.value or "") for element in dataset]


def _encode(dataset: Dataset) -> bytes:
    stream = DicomBytesIO()
    stream.is_implicit_VR, stream.is_little_endian = False, True
    write_dataset(stream, dataset)
    return stream.getvalue()

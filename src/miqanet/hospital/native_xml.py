"""Data sets in XML: the Native DICOM Model (DICOM PS3.19, A.1)."""

from __future__ import annotations

from typing import Final
from xml.etree.ElementTree import Element, SubElement, tostring

from pydicom import Dataset

_NAMESPACE: Final = "http://dicom.nema.org/PS3.19/models/NativeDICOM"


def to_xml(dataset: Dataset) -> bytes:
    """Return a data set of texts, numbers and sequences; there is no way here for binary values and names."""
    root = Element("NativeDicomModel", {"xmlns": _NAMESPACE, "xml:space": "preserve"})
    _add(root, dataset)
    return bytes(tostring(root, encoding="utf-8", xml_declaration=True))


def _add(parent: Element, dataset: Dataset) -> None:
    for element in dataset:
        named = {"tag": f"{element.tag:08X}", "vr": element.VR, "keyword": element.keyword}
        attribute = SubElement(parent, "DicomAttribute", named)
        if element.VR == "SQ":
            for number, item in enumerate(element.value, start=1):
                _add(SubElement(attribute, "Item", number=str(number)), item)
            continue
        values = element.value if element.VM > 1 else [element.value] * element.VM
        for number, value in enumerate(values, start=1):
            SubElement(attribute, "Value", number=str(number)).text = str(value)

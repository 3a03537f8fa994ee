from __future__ import annotations

import json
from xml.etree import ElementTree

import pytest
from pydicom import Dataset
from pydicom.uid import CTImageStorage, MRImageStorage

from miqanet.hospital.ingest import Outcome, Receipt
from miqanet.hospital.rest_stow import JSON, XML, answer, encode, failure_reason, media_type, status

STORED = Outcome(Receipt.STORED, MRImageStorage, "1.2.1", "1.2")
KNOWN = Outcome(Receipt.KNOWN, MRImageStorage, "1.2.2", "1.2")
FULL = Outcome(Receipt.OUT_OF_RESOURCES, MRImageStorage, "1.2.3", "1.2", "the disk is full")
MISMATCHED = Outcome(Receipt.MISMATCHED, MRImageStorage, "1.2.4", "1.3", "x")
CLASS = Outcome(Receipt.UNSUPPORTED, CTImageStorage, "1.2.5", "1.2", "x")
SYNTAX = Outcome(Receipt.UNSUPPORTED, MRImageStorage, "1.2.6", "1.2", "x")
MALFORMED = Outcome(Receipt.MALFORMED, reason="x")


@pytest.mark.parametrize(
    ("outcomes", "expected"),
    [
        ([STORED, KNOWN], 200),
        ([STORED, FULL], 202),
        ([KNOWN, MALFORMED], 202),
        ([MISMATCHED, MALFORMED], 409),
        ([FULL, MALFORMED], 503),
    ],
)
def test_the_status_says_whether_all_some_or_none_are_stored(outcomes, expected):
    assert status(outcomes) == expected


@pytest.mark.parametrize(
    ("outcome", "code"),
    [(FULL, 0xA700), (MISMATCHED, 0xA900), (CLASS, 0x0122), (SYNTAX, 0xC122), (MALFORMED, 0xC000)],
)
def test_each_failure_has_the_standards_code(outcome, code):
    assert failure_reason(outcome) == code


def test_the_answer_lists_every_object_once():
    response = Dataset.from_json(encode(answer([STORED, KNOWN, CLASS, MALFORMED]), JSON).decode())
    stored = [
        (item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID) for item in response.ReferencedSOPSequence
    ]
    assert stored == [(MRImageStorage, "1.2.1"), (MRImageStorage, "1.2.2")]
    (failed,) = response.FailedSOPSequence
    assert (failed.ReferencedSOPInstanceUID, failed.FailureReason) == ("1.2.5", 0x0122)
    (other,) = response.OtherFailuresSequence
    assert other.FailureReason == 0xC000
    assert "ReferencedSOPInstanceUID" not in other


def test_retrieve_urls_are_there_and_empty():
    said = json.loads(encode(answer([STORED]), JSON))
    assert said["00081190"] == {"vr": "UR"}
    assert said["00081199"]["Value"][0]["00081190"] == {"vr": "UR"}
    assert "00081198" not in said


def test_the_answer_in_xml_says_the_same():
    root = ElementTree.fromstring(encode(answer([STORED, SYNTAX]), XML))  # noqa: S314  # ours
    native = "{http://dicom.nema.org/PS3.19/models/NativeDICOM}"
    assert root.tag == f"{native}NativeDicomModel"
    said = {
        each.get("keyword"): (each.get("tag"), each.get("vr"), [value.text for value in each])
        for each in root.findall(f"*/{native}Item/{native}DicomAttribute")
    }
    assert said["FailureReason"] == ("00081197", "US", [str(0xC122)])
    assert said["RetrieveURL"] == ("00081190", "UR", [])
    assert said["ReferencedSOPClassUID"][2] == [MRImageStorage]


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        ("*/*", JSON),
        ("application/dicom+xml", XML),
        ("Application/DICOM+JSON; charset=utf-8", JSON),
        ("application/*", JSON),
        ("application/json, text/plain, */*", JSON),
        ("application/dicom+json;q=0.5, application/dicom+xml", XML),
        ("application/dicom+json;q=0, */*;q=0.1", XML),
        ("application/dicom+json;q=x", JSON),
        ("text/html", None),
        ("*/*;q=0", None),
    ],
)
def test_the_client_chooses_the_form_of_the_answer(accept, form):
    assert media_type(accept) == form

"""What a Store transaction (STOW-RS) is answered: DICOM PS3.18, 10.5.3 and annex I."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from pydicom import Dataset
from python_multipart.multipart import parse_options_header

from miqanet.hospital.ingest import STORED_CLASSES, Outcome, Receipt
from miqanet.hospital.native_xml import to_xml

JSON: Final = "application/dicom+json"
XML: Final = "application/dicom+xml"
_NAMES: Final = {JSON: (JSON, "application/json"), XML: (XML, "application/xml")}
"""As clients ask for them; what is first is the default."""

OUT_OF_RESOURCES: Final = 0xA700
_MISMATCHED: Final = 0xA900
_CANNOT_UNDERSTAND: Final = 0xC000
_TRANSFER_SYNTAX_NOT_SUPPORTED: Final = 0xC122
_SOP_CLASS_NOT_SUPPORTED: Final = 0x0122
_STORED, _PARTLY_STORED, _CONFLICT, _UNAVAILABLE = 200, 202, 409, 503


def status(outcomes: Sequence[Outcome]) -> int:
    """Return the HTTP status of an answer about some objects."""
    accepted = sum(outcome.accepted for outcome in outcomes)
    if accepted == len(outcomes):
        return _STORED
    if accepted:
        return _PARTLY_STORED
    if any(outcome.receipt is Receipt.OUT_OF_RESOURCES for outcome in outcomes):
        return _UNAVAILABLE
    return _CONFLICT


def answer(outcomes: Iterable[Outcome]) -> Dataset:
    """Return the Store Instances Response Module.

    The node gives no images back, so each Retrieve URL is empty, as the standard wants it then.
    """
    stored: list[Dataset] = []
    failed: list[Dataset] = []
    others: list[Dataset] = []
    for outcome in outcomes:
        item = Dataset()
        if outcome.sop_instance_uid:
            item.ReferencedSOPClassUID = outcome.sop_class_uid
            item.ReferencedSOPInstanceUID = outcome.sop_instance_uid
        if outcome.accepted:
            item.RetrieveURL = None
            stored.append(item)
        else:
            item.FailureReason = failure_reason(outcome)
            (failed if outcome.sop_instance_uid else others).append(item)
    response = Dataset()
    response.RetrieveURL = None
    if failed:
        response.FailedSOPSequence = failed
    if stored:
        response.ReferencedSOPSequence = stored
    if others:
        response.OtherFailuresSequence = others
    return response


def media_type(accept: str) -> str | None:
    """Return in which form a client wants the answer most, by its header Accept (RFC 9110, 12.5.1).

    Returns:
        `JSON` or `XML`; None where it takes neither.
    """
    weights: dict[str, float] = {}
    for each in accept.split(","):
        name, options = parse_options_header(each.strip())
        weights[name.decode("latin-1")] = _weight(options.get(b"q", b"1"))

    def weight(form: str) -> float:
        ranges = (*_NAMES[form], "application/*", "*/*")
        return next((weights[name] for name in ranges if name in weights), 0.0)

    best = max(_NAMES, key=weight)
    return best if weight(best) > 0 else None


def encode(response: Dataset, form: str) -> bytes:
    """Return an answer in the DICOM JSON model (PS3.18, annex F) or the native model in XML (PS3.19, A.1)."""
    return to_xml(response) if form == XML else response.to_json().encode()


def failure_reason(outcome: Outcome) -> int:
    """Return the code of why an object was not stored (PS3.18, I.2.2)."""
    match outcome.receipt:
        case Receipt.OUT_OF_RESOURCES:
            return OUT_OF_RESOURCES
        case Receipt.MISMATCHED | Receipt.CONFLICTING:
            return _MISMATCHED
        case Receipt.UNSUPPORTED if outcome.sop_class_uid in STORED_CLASSES:
            return _TRANSFER_SYNTAX_NOT_SUPPORTED
        case Receipt.UNSUPPORTED:
            return _SOP_CLASS_NOT_SUPPORTED
        case _:
            return _CANNOT_UNDERSTAND


def _weight(text: bytes) -> float:
    try:
        return float(text)
    except ValueError:
        return 1.0

"""Audit messages in the format of DICOM PS3.15, A.5: who did what to which study, when and from where.

Objects of a message are studies, patients by their ID, and queries; a patient's name is in none.
"""

from __future__ import annotations

import os
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import IntEnum, StrEnum
from typing import Final
from xml.etree import ElementTree

from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code

SOURCE: Final = codes.DCM.SourceRoleID
DESTINATION: Final = codes.DCM.DestinationRoleID

_PATIENT_NUMBER: Final = Code("2", "RFC-3881", "Patient Number")
_SEARCH_CRITERIA: Final = Code("10", "RFC-3881", "Search Criteria")
_USER_IDENTIFIER: Final = Code("11", "RFC-3881", "User Identifier")
_IP_ADDRESS: Final = "2"
_APPLICATION_SERVER: Final = "4"
_PERSON, _SYSTEM_OBJECT = "1", "2"
_ROLE_PATIENT, _ROLE_REPORT, _ROLE_SECURITY_RESOURCE, _ROLE_QUERY = "1", "3", "13", "24"


class Action(StrEnum):
    """What was done (EventActionCode)."""

    CREATE = "C"
    READ = "R"
    UPDATE = "U"
    DELETE = "D"
    EXECUTE = "E"


class Result(IntEnum):
    """How it ended (EventOutcomeIndicator)."""

    SUCCESS = 0
    MINOR_FAILURE = 4
    SERIOUS_FAILURE = 8


@dataclass(frozen=True, slots=True)
class Participant:
    """A person or process that took part."""

    user_id: str
    is_requestor: bool = False
    role: Code | None = None
    address: str = ""
    """IP address; empty where it is not known."""


@dataclass(frozen=True, slots=True)
class StudyObject:
    """A study that something was done to."""

    study_instance_uid: str
    accession_number: str = field(default="", repr=False)
    instances: Mapping[str, int] = field(default_factory=dict)
    """Number of instances by SOP Class UID."""


@dataclass(frozen=True, slots=True)
class PatientObject:
    """The patient of the studies."""

    patient_id: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class QueryObject:
    """What was asked."""

    resource: str
    """Path of what was asked for."""

    query: str = field(repr=False)
    """As in a URL."""


@dataclass(frozen=True, slots=True)
class SecurityObject:
    """A user, or something that protects, that was changed."""

    name: str


AuditObject = StudyObject | PatientObject | QueryObject | SecurityObject


@dataclass(frozen=True, slots=True)
class AuditEvent:
    """Something that happened."""

    event: Code
    """Of CID 400."""

    action: Action
    participants: tuple[Participant, ...]
    objects: tuple[AuditObject, ...] = ()
    result: Result = Result.SUCCESS
    type: Code | None = None
    """Of CID 401."""


def to_xml(event: AuditEvent, source: str, time: float) -> str:
    """Return a message, as one line of XML.

    Args:
        event: what happened.
        source: the node that reports it: its AE title.
        time: when, in seconds since 1970.
    """
    message = ElementTree.Element("AuditMessage")
    identification = _sub(
        message,
        "EventIdentification",
        EventActionCode=event.action,
        EventDateTime=datetime.fromtimestamp(time, UTC).isoformat(timespec="milliseconds"),
        EventOutcomeIndicator=str(int(event.result)),
    )
    _coded(identification, "EventID", event.event)
    if event.type is not None:
        _coded(identification, "EventTypeCode", event.type)
    for participant in event.participants:
        _add_participant(message, participant)
    audit_source = _sub(message, "AuditSourceIdentification", AuditSourceID=source)
    _sub(audit_source, "AuditSourceTypeCode", **{"csd-code": _APPLICATION_SERVER})
    for each in event.objects:
        _add_object(message, each)
    return ElementTree.tostring(message, encoding="unicode")


def process_id() -> str:
    """Return by what a message names this process."""
    return str(os.getpid())


def _add_participant(message: ElementTree.Element, participant: Participant) -> None:
    where = (
        {"NetworkAccessPointID": participant.address, "NetworkAccessPointTypeCode": _IP_ADDRESS}
        if participant.address
        else {}
    )
    element = _sub(
        message,
        "ActiveParticipant",
        UserID=participant.user_id,
        UserIsRequestor="true" if participant.is_requestor else "false",
        **where,
    )
    if participant.role is not None:
        _coded(element, "RoleIDCode", participant.role)


def _add_object(message: ElementTree.Element, each: AuditObject) -> None:
    match each:
        case StudyObject(uid, accession_number, instances):
            element = _identification(message, uid, _SYSTEM_OBJECT, _ROLE_REPORT, codes.DCM.StudyInstanceUID)
            # The schema wants a name, or a query.
            _sub(element, "ParticipantObjectName").text = "Study"
            if accession_number or instances:
                description = _sub(element, "ParticipantObjectDescription")
                if accession_number:
                    _sub(description, "Accession", Number=accession_number)
                for sop_class_uid, number in instances.items():
                    _sub(description, "SOPClass", UID=sop_class_uid, NumberOfInstances=str(number))
        case PatientObject(patient_id):
            element = _identification(message, patient_id, _PERSON, _ROLE_PATIENT, _PATIENT_NUMBER)
            _sub(element, "ParticipantObjectName").text = "Patient"
        case QueryObject(resource, query):
            element = _identification(message, resource, _SYSTEM_OBJECT, _ROLE_QUERY, _SEARCH_CRITERIA)
            _sub(element, "ParticipantObjectQuery").text = b64encode(query.encode()).decode()
        case SecurityObject(name):
            element = _identification(
                message, name, _SYSTEM_OBJECT, _ROLE_SECURITY_RESOURCE, _USER_IDENTIFIER
            )
            _sub(element, "ParticipantObjectName").text = "User"


def _identification(
    message: ElementTree.Element, object_id: str, kind: str, role: str, id_type: Code
) -> ElementTree.Element:
    element = _sub(
        message,
        "ParticipantObjectIdentification",
        ParticipantObjectID=object_id,
        ParticipantObjectTypeCode=kind,
        ParticipantObjectTypeCodeRole=role,
    )
    _coded(element, "ParticipantObjectIDTypeCode", id_type)
    return element


def _coded(parent: ElementTree.Element, tag: str, code: Code) -> None:
    attributes = {
        "csd-code": code.value,
        "codeSystemName": code.scheme_designator,
        "originalText": code.meaning,
    }
    _sub(parent, tag, **attributes)


def _sub(parent: ElementTree.Element, tag: str, **attributes: str) -> ElementTree.Element:
    return ElementTree.SubElement(parent, tag, {name: _legal(value) for name, value in attributes.items()})


def _legal(value: str) -> str:
    """Return a text without characters that XML has no way to write, or that would break a line in two."""
    return "".join(character if character.isprintable() else " " for character in value)

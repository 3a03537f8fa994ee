from __future__ import annotations

from base64 import b64decode
from xml.etree import ElementTree

import pytest
from pydicom.sr.codedict import codes

from miqanet.hospital.audit_message import (
    DESTINATION,
    SOURCE,
    Action,
    AuditEvent,
    Participant,
    PatientObject,
    QueryObject,
    Result,
    SecurityObject,
    StudyObject,
    to_xml,
)

EVENT = AuditEvent(
    codes.DCM.DICOMInstancesTransferred,
    Action.CREATE,
    (
        Participant("SCANNER1", is_requestor=True, role=SOURCE, address="10.0.3.17"),
        Participant("n", role=DESTINATION),
    ),
    (StudyObject("1.2.3", "A1", {"1.2.840.10008.5.1.4.1.1.4": 30}), PatientObject("4711")),
)

GRAMMAR = {
    "AuditMessage": (
        set(),
        set(),
        [
            "EventIdentification",
            "ActiveParticipant",
            "AuditSourceIdentification",
            "ParticipantObjectIdentification",
        ],
    ),
    "EventIdentification": (
        {"EventActionCode", "EventDateTime", "EventOutcomeIndicator"},
        set(),
        ["EventID", "EventTypeCode"],
    ),
    "ActiveParticipant": (
        {"UserID", "UserIsRequestor"},
        {"NetworkAccessPointID", "NetworkAccessPointTypeCode"},
        ["RoleIDCode"],
    ),
    "AuditSourceIdentification": ({"AuditSourceID"}, set(), ["AuditSourceTypeCode"]),
    "AuditSourceTypeCode": ({"csd-code"}, set(), []),
    "ParticipantObjectIdentification": (
        {"ParticipantObjectID"},
        {"ParticipantObjectTypeCode", "ParticipantObjectTypeCodeRole"},
        [
            "ParticipantObjectIDTypeCode",
            "ParticipantObjectName",
            "ParticipantObjectQuery",
            "ParticipantObjectDescription",
        ],
    ),
    "ParticipantObjectName": (set(), set(), []),
    "ParticipantObjectQuery": (set(), set(), []),
    "ParticipantObjectDescription": (set(), set(), ["Accession", "SOPClass"]),
    "Accession": ({"Number"}, set(), []),
    "SOPClass": ({"NumberOfInstances"}, {"UID"}, []),
} | {
    name: ({"csd-code", "codeSystemName", "originalText"}, set(), [])
    for name in ("EventID", "EventTypeCode", "RoleIDCode", "ParticipantObjectIDTypeCode")
}
"""Of the schema in PS3.15, A.5.1, what is used here: attributes that must be and may be, children in their order."""


def check(element):
    must, may, children = GRAMMAR[element.tag]
    assert must <= set(element.attrib) <= must | may
    order = [children.index(child.tag) for child in element]
    assert order == sorted(order)
    for child in element:
        check(child)


@pytest.mark.parametrize(
    "objects",
    [
        EVENT.objects,
        (QueryObject("/api/series", "scanner=MR-2"),),
        (SecurityObject("control-room"),),
        (StudyObject("1.2.3"),),
        (),
    ],
)
def test_messages_follow_the_schema(objects):
    event = AuditEvent(EVENT.event, EVENT.action, EVENT.participants, objects, type=codes.DCM.Login)
    root = ElementTree.fromstring(to_xml(event, "MIQANET", 1e9))  # noqa: S314  # ours
    check(root)
    for each in root.findall("ParticipantObjectIdentification"):
        names = [child.tag for child in each if child.tag.endswith(("Name", "Query"))]
        assert len(names) == 1


def test_a_message_says_who_did_what_to_which_study_of_which_patient():
    root = ElementTree.fromstring(to_xml(EVENT, "MIQANET", 1e9))  # noqa: S314
    event = root.find("EventIdentification")
    assert event.get("EventDateTime") == "2001-09-09T01:46:40.000+00:00"
    assert event.find("EventID").get("csd-code") == "110104"
    assert [each.get("UserID") for each in root.iter("ActiveParticipant")] == ["SCANNER1", "n"]
    study, patient = root.iter("ParticipantObjectIdentification")
    assert study.get("ParticipantObjectID") == "1.2.3"
    assert study.find("*/SOPClass").get("NumberOfInstances") == "30"
    assert patient.get("ParticipantObjectID") == "4711"


def test_a_query_is_kept_as_it_was_asked():
    event = AuditEvent(
        codes.DCM.Query, Action.EXECUTE, (), (QueryObject("/api", "scanner=<é"),), Result.MINOR_FAILURE
    )
    root = ElementTree.fromstring(to_xml(event, "MIQANET", 1e9))  # noqa: S314
    assert b64decode(root.find("*/ParticipantObjectQuery").text).decode() == "scanner=<é"
    assert root.find("EventIdentification").get("EventOutcomeIndicator") == "4"


def test_what_xml_cannot_hold_does_not_break_a_message():
    event = AuditEvent(codes.DCM.Query, Action.EXECUTE, (Participant("a\x00\n\ud800<b>"),), ())
    content = to_xml(event, "MIQANET", 1e9)
    assert "\n" not in content
    assert ElementTree.fromstring(content).find("ActiveParticipant").get("UserID") == "a   <b>"  # noqa: S314


def test_records_do_not_show_patients():
    assert "4711" not in repr(EVENT)
    assert "A1" not in repr(EVENT)

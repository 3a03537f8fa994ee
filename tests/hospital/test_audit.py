from __future__ import annotations

import pytest
from pydicom.sr.codedict import codes
from sqlalchemy import select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from miqanet.hospital.audit import REPEATED_SECONDS, AuditTrail
from miqanet.hospital.audit_message import StudyObject
from miqanet.hospital.node_schema import AuditMessage
from miqanet.hospital.patient_study import extract

STUDY = StudyObject("1.2.3", "A1")


class Clock:
    now = 1e9

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def trail(node_engine, clock):
    return AuditTrail(node_engine, "MIQANET", clock)


@pytest.fixture
def kept(node_engine):
    def read():
        with Session(node_engine) as session:
            return session.scalars(select(AuditMessage.content).order_by(AuditMessage.id)).all()

    return read


def test_every_kind_of_event_is_kept(trail, kept, patient):
    about = extract(patient)
    trail.application(started=True)
    trail.login("ann", "10.0.0.1", succeeded=False)
    trail.queried("ann", "10.0.0.1", "/api/series", "scanner=MR-2")
    trail.seen("ann", "10.0.0.1", [(STUDY, about)])
    trail.received("SCANNER1", "10.0.0.2", STUDY, about)
    trail.sent("pacs", "10.0.0.3", STUDY, about)
    trail.refused("ann", "10.0.0.1", "/metrics")
    trail.changed("root", "", "ann", codes.DCM.UserSecurityAttributesChanged)
    events = ["110100", "110114", "110112", "110103", "110104", "110104", "110113", "110113"]
    assert [
        f'<EventID csd-code="{code}"' in content for code, content in zip(events, kept(), strict=True)
    ] == [True] * len(events)


def test_a_message_has_the_patients_id_and_not_the_name(trail, kept, patient):
    trail.seen("ann", "10.0.0.1", [(STUDY, extract(patient))])
    (content,) = kept()
    assert '"4711"' in content
    assert "Doe" not in content


def test_a_page_that_updates_itself_is_seen_once_an_hour(trail, kept, clock, patient):
    for seconds in (0, 5, REPEATED_SECONDS - 1, REPEATED_SECONDS + 1):
        clock.now = 1e9 + seconds
        trail.seen("ann", "10.0.0.1", [(STUDY, extract(patient))])
    assert len(kept()) == 2
    trail.seen("bob", "10.0.0.1", [(STUDY, extract(patient))])
    assert len(kept()) == 3


def test_what_could_not_be_written_is_written_the_next_time(trail, kept, patient, monkeypatch):
    def fail(*_, **__):
        raise OperationalError("insert", {}, Exception("locked"))

    with monkeypatch.context() as broken:
        broken.setattr(Session, "execute", fail)
        with pytest.raises(OperationalError):
            trail.seen("ann", "10.0.0.1", [(STUDY, extract(patient))])
    for _ in range(2):
        trail.seen("ann", "10.0.0.1", [(STUDY, extract(patient))])
    assert len(kept()) == 1

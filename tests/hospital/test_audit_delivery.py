from __future__ import annotations

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from miqanet.hospital.audit import AuditTrail
from miqanet.hospital.audit_delivery import AuditDelivery
from miqanet.hospital.audit_syslog import FileTarget
from miqanet.hospital.node_schema import AuditMessage

NOW = 1e9


@pytest.fixture
def trail(node_engine):
    return AuditTrail(node_engine, "MIQANET", lambda: NOW)


def waiting(engine):
    with Session(engine) as session:
        return session.scalar(select(func.count()).select_from(AuditMessage))


class Absent:
    """A target that does not answer at first."""

    def __init__(self, failures):
        self.failures, self.lines = failures, []

    def write(self, lines):
        if self.failures:
            self.failures -= 1
            raise ConnectionRefusedError(111, "Connection refused")
        self.lines += lines


def test_messages_go_to_a_file_and_are_forgotten(trail, node_engine, tmp_path):
    for name in ("ann", "bob"):
        trail.login(name, "", succeeded=True)
    delivery = AuditDelivery(node_engine, FileTarget(tmp_path / "audit.log"))
    assert delivery.deliver(NOW) == 2
    assert delivery.deliver(NOW) == 0
    assert waiting(node_engine) == 0
    first, second = (tmp_path / "audit.log").read_text().splitlines()
    assert first.startswith("<85>1 2001-09-09T01:46:40.000+00:00 ")
    assert " miqanet " in first
    assert " DICOM+RFC3881 - \ufeff<AuditMessage>" in first
    assert 'UserID="ann"' in first
    assert 'UserID="bob"' in second
    assert (tmp_path / "audit.log").stat().st_mode & 0o777 == 0o600


def test_messages_wait_until_their_target_answers(trail, node_engine, caplog):
    trail.login("ann", "", succeeded=True)
    target = Absent(failures=2)
    delivery = AuditDelivery(node_engine, target)
    assert delivery.deliver(NOW) == 0
    assert delivery.deliver(NOW + 1) == 0
    assert target.failures == 1
    assert delivery.deliver(NOW + 3) == 0
    assert delivery.deliver(NOW + 10) == 1
    assert len(target.lines) == 1
    assert waiting(node_engine) == 0
    assert "ann" not in caplog.text

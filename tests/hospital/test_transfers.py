from __future__ import annotations

import time

import pytest
from pydicom.uid import ComprehensiveSRStorage, MRImageStorage
from sqlalchemy import select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from miqanet.hospital.audit import AuditTrail
from miqanet.hospital.ingest import Outcome, Receipt
from miqanet.hospital.node_schema import AuditMessage
from miqanet.hospital.report_sr import report
from miqanet.hospital.rest_queries import NodeQueries
from miqanet.hospital.store import NodeStore
from miqanet.hospital.transfers import Transfers


@pytest.fixture
def transfers(sqlite_engine):
    return Transfers(AuditTrail(sqlite_engine, "MIQANET"), NodeQueries(sqlite_engine))


@pytest.fixture
def messages(sqlite_engine):
    """Return a function that gives all audit messages."""

    def read():
        with Session(sqlite_engine) as session:
            return list(session.scalars(select(AuditMessage.content)))

    return read


def outcome(number, receipt=Receipt.STORED, study="1.2.826.0.1.1"):
    return Outcome(receipt, MRImageStorage, f"1.2.{number}", study)


def test_an_association_is_a_message_a_study(transfers, messages, arrival, sqlite_engine):
    NodeStore(sqlite_engine).add_image(arrival(1), time.time())
    brought = [
        outcome(1),
        outcome(2, Receipt.KNOWN),
        outcome(3, Receipt.OUT_OF_RESOURCES),
        outcome(4, study="1.2.9"),
    ]
    transfers.received("SCANNER", "10.0.3.17", brought)
    first, second = messages()
    assert all(part in first for part in ("SCANNER", "10.0.3.17", "1.2.826.0.1.1", '"4711"'))
    assert f'<SOPClass UID="{MRImageStorage}" NumberOfInstances="2"' in first
    assert "1.2.9" in second


def test_an_association_is_told_of_before_its_end(transfers, messages, arrival, sqlite_engine):
    NodeStore(sqlite_engine).add_image(arrival(1), time.time())
    transfers.receiving("SCANNER", "10.0.3.17", "1.2.826.0.1.1")
    (message,) = messages()
    parts = ("Begin Transferring", "SCANNER", "10.0.3.17", "1.2.826.0.1.1", '"4711"')
    assert all(part in message for part in parts)


def test_a_refused_caller_is_an_alert(transfers, messages):
    transfers.refused("STRANGER", "10.0.9.9")
    (message,) = messages()
    assert all(part in message for part in ("STRANGER", "10.0.9.9", "DICOM association"))


def test_a_sent_document_names_archive_study_and_patient(
    transfers, messages, series, result, identity, device
):
    transfers.sent("pacs", "pacs.hospital", report(series(result("low")), identity, device))
    (message,) = messages()
    parts = ("pacs", "pacs.hospital", "1.2.826.0.1.1", ComprehensiveSRStorage, '"4711"')
    assert all(part in message for part in parts)


def test_a_database_that_fails_ends_no_association(transfers, caplog, monkeypatch):
    def fail(*_):
        raise OperationalError("", {}, Exception("4711"))

    monkeypatch.setattr(NodeQueries, "patient_study", fail)
    monkeypatch.setattr(AuditTrail, "refused", fail)
    transfers.receiving("SCANNER", "10.0.3.17", "1.2.826.0.1.1")
    transfers.received("SCANNER", "10.0.3.17", [outcome(1)])
    transfers.refused("STRANGER", "10.0.9.9")
    assert caplog.text.count("the audit trail lacks") == 3
    assert "4711" not in caplog.text

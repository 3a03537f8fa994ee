from __future__ import annotations

import queue
import socket
import time
from types import SimpleNamespace

import pytest
from pynetdicom import AE, evt
from pynetdicom.sop_class import Verification

from miqanet.hospital import waiting


@pytest.fixture
def association():
    """An association over real sockets whose acceptor waits; gives the acceptor and the requestor."""
    entity = AE("NODE")
    entity.add_supported_context(Verification)
    accepted = queue.Queue()

    def begin(event):
        waiting.let_wait(event.assoc)
        accepted.put(event.assoc)

    server = entity.start_server(("127.0.0.1", 0), block=False, evt_handlers=[(evt.EVT_CONN_OPEN, begin)])
    caller = AE("SCANNER")
    caller.add_requested_context(Verification)
    requestor = caller.associate("127.0.0.1", server.server_address[1])
    yield SimpleNamespace(acceptor=accepted.get(timeout=120), requestor=requestor)
    if requestor.is_established:
        requestor.abort()
    server.shutdown()


def test_an_answer_does_not_wait_for_the_next_look(association, monkeypatch):
    monkeypatch.setattr(waiting, "_LONGEST_SECONDS", 600.0)
    association.requestor.dimse_timeout = 60
    for _ in range(5):
        assert association.requestor.send_c_echo().Status == 0x0000
    monkeypatch.undo()
    association.requestor.send_c_echo()


def test_a_silent_association_looks_around_a_few_times_a_second(association, monkeypatch):
    looks = []
    ready = type(association.acceptor.dul.socket).ready.fget

    def count(self):
        if self is association.acceptor.dul.socket:
            looks.append(time.monotonic())
        return ready(self)

    began = time.monotonic()
    monkeypatch.setattr(type(association.acceptor.dul.socket), "ready", property(count))
    while time.monotonic() < began + 1 or not looks:
        time.sleep(0.1)
    assert len(looks) < 60 * (time.monotonic() - began)


def test_the_end_of_an_association_is_seen(association):
    association.requestor.release()
    association.acceptor.join(timeout=120)
    association.acceptor.dul.join(timeout=120)
    assert not association.acceptor.is_alive()
    assert not association.acceptor.dul.is_alive()
    assert association.acceptor.is_released


def test_a_connection_that_breaks_is_seen(association):
    with association.requestor.dul.socket.socket as connection:
        connection.shutdown(socket.SHUT_RDWR)
        association.acceptor.join(timeout=120)
    assert not association.acceptor.is_alive()


def test_what_is_sent_after_the_end_goes_nowhere(association):
    association.requestor.release()
    association.acceptor.dul.join(timeout=120)
    association.acceptor.dul.send_pdu(None)
    assert not association.acceptor.dul.is_alive()

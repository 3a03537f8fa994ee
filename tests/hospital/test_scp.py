"""The Storage SCP over real sockets, called by pynetdicom's SCU."""

from __future__ import annotations

import errno
import os
import socket
import threading
import time
from contextlib import ExitStack
from ipaddress import ip_network

import pytest
from pydicom.uid import (
    CTImageStorage,
    EnhancedMRImageStorage,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    JPEGExtended12Bit,
    LegacyConvertedEnhancedMRImageStorage,
    MRImageStorage,
    SecondaryCaptureImageStorage,
)
from pynetdicom import AE
from pynetdicom.pdu import A_ASSOCIATE_RQ
from pynetdicom.sop_class import Verification
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from miqanet.hospital.config import Dicom, Peer
from miqanet.hospital.ingest import TRANSFER_SYNTAXES, Ingest
from miqanet.hospital.node_schema import Image
from miqanet.hospital.scp import Scp
from miqanet.hospital.spool import Spool
from miqanet.hospital.store import NodeStore

LOCAL = ip_network("127.0.0.1")
ELSEWHERE = ip_network("10.0.3.0/24")
ACCEPTED = b"\x02"
SCANNERS = (Peer("SCANNER", (LOCAL,)),)


class Notes:
    """An observer that remembers."""

    def __init__(self):
        self.receiving_from, self.received_from, self.refused_to = [], [], []

    def receiving(self, sender, address, study_instance_uid):
        self.receiving_from.append((sender, address, study_instance_uid))

    def received(self, sender, address, outcomes):
        self.received_from.append((sender, address, len(list(outcomes))))

    def refused(self, ae_title, address):
        self.refused_to.append((ae_title, address))


@pytest.fixture
def notes():
    return Notes()


@pytest.fixture
def start(tmp_path, sqlite_engine, notes):
    """Return a function that starts an SCP and returns its port."""
    running = []

    def listen(peers=SCANNERS, associations=64):
        settings = Dicom("MIQANET", "127.0.0.1", 0, associations, tuple(peers), None)
        scp = Scp(settings, Ingest(Spool(tmp_path / "spool"), NodeStore(sqlite_engine)), notes)
        thread = threading.Thread(target=scp.serve)
        thread.start()
        running.append((scp, thread))
        return scp._server.server_address[1]

    yield listen
    for scp, thread in running:
        scp.close()
        thread.join()


@pytest.fixture
def associate():
    """Return a function that opens an association; those left open are aborted."""
    opened = []

    def call(port, title="SCANNER", called="MIQANET", contexts=((MRImageStorage, None),)):
        entity = AE(title)
        entity.acse_timeout = entity.dimse_timeout = entity.network_timeout = 120
        for sop_class, syntaxes in contexts:
            entity.add_requested_context(sop_class, syntaxes)
        association = entity.associate("127.0.0.1", port, ae_title=called)
        opened.append(association)
        return association

    yield call
    for association in opened:
        if association.is_established:
            association.abort()


def number_of_images(engine):
    with Session(engine) as session:
        return session.scalar(select(func.count()).select_from(Image))


def wait_until(condition):
    deadline = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_an_answer_means_that_the_object_is_safe(start, associate, mr_image, sqlite_engine):
    association = associate(start())
    for number, images in ((1, 1), (2, 2), (1, 2)):
        assert association.send_c_store(mr_image(number)).Status == 0x0000
        assert number_of_images(sqlite_engine) == images


def test_who_came_is_told_before_the_first_answer_and_with_how_much_at_the_end(
    start, associate, mr_image, notes
):
    association = associate(start())
    for number, study in ((1, "1.2.826.0.1.1"), (2, "1.2.826.0.1.1"), (3, "1.2.826.0.1.9")):
        dataset = mr_image(number)
        dataset.StudyInstanceUID = study
        association.send_c_store(dataset)
        assert notes.receiving_from[-1] == ("SCANNER", "127.0.0.1", study)
    assert len(notes.receiving_from) == 2
    assert notes.received_from == []
    association.release()
    wait_until(lambda: notes.received_from)
    assert notes.received_from == [("SCANNER", "127.0.0.1", 3)]


def test_an_object_that_is_refused_is_no_arrival(start, associate, mr_image, notes):
    association = associate(start())
    dataset = mr_image()
    del dataset.StudyInstanceUID
    association.send_c_store(dataset)
    association.release()
    association.join()
    assert notes.receiving_from == notes.received_from == []


def test_what_came_before_a_connection_broke_is_told_too(start, associate, mr_image, notes):
    association = associate(start())
    association.send_c_store(mr_image())
    with association.dul.socket.socket as connection:
        connection.shutdown(socket.SHUT_RDWR)
        wait_until(lambda: notes.received_from)
    assert notes.received_from == [("SCANNER", "127.0.0.1", 1)]


def test_verification_is_answered(start, associate):
    association = associate(start(), contexts=[(Verification, None)])
    assert association.send_c_echo().Status == 0x0000


@pytest.mark.parametrize(
    ("peer", "title", "called"),
    [
        (Peer("SCANNER", (LOCAL,)), "STRANGER", "MIQANET"),
        (Peer("SCANNER", (LOCAL,)), "SCANNER", "OTHER"),
    ],
)
def test_who_is_not_listed_or_calls_another_is_rejected(start, associate, notes, peer, title, called):
    association = associate(start([peer]), title, called)
    assert association.is_rejected
    assert bool(notes.refused_to) == (title == "STRANGER")


def test_an_address_that_is_not_listed_is_not_spoken_to(start, caplog):
    port = start([Peer("SCANNER", (ELSEWHERE,))])
    with socket.create_connection(("127.0.0.1", port), timeout=120) as connection:
        assert connection.recv(1) == b""
    assert "no peer has the address 127.0.0.1" in caplog.text


def test_the_title_of_one_peer_is_not_valid_at_the_address_of_another(start, associate, notes):
    port = start([Peer("SCANNER", (ELSEWHERE,)), Peer("SCANNER2", (LOCAL,))])
    assert associate(port, "SCANNER2").is_established
    assert associate(port, "SCANNER").is_rejected
    assert notes.refused_to == [("SCANNER", "127.0.0.1")]


@pytest.mark.parametrize(
    "sop_class",
    [
        MRImageStorage,
        EnhancedMRImageStorage,
        LegacyConvertedEnhancedMRImageStorage,
        SecondaryCaptureImageStorage,
    ],
)
def test_images_of_mr_are_taken_in_every_syntax_that_can_be_decoded(start, associate, sop_class):
    contexts = [(sop_class, [syntax]) for syntax in TRANSFER_SYNTAXES]
    association = associate(start(), contexts=contexts)
    taken = [context.transfer_syntax[0] for context in association.accepted_contexts]
    assert sorted(taken) == sorted(TRANSFER_SYNTAXES)


def test_other_classes_and_syntaxes_are_not_negotiated(start, associate):
    contexts = [
        (MRImageStorage, [ExplicitVRLittleEndian]),
        (MRImageStorage, [JPEGExtended12Bit]),
        (MRImageStorage, [ExplicitVRBigEndian]),
        (CTImageStorage, [ExplicitVRLittleEndian]),
    ]
    association = associate(start(), contexts=contexts)
    assert len(association.accepted_contexts) == 1
    assert len(association.rejected_contexts) == 3


def test_a_full_disk_is_answered_as_such(start, associate, mr_image, sqlite_engine, monkeypatch):
    def refuse(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    association = associate(start())
    monkeypatch.setattr("miqanet.hospital.spool.shutil.copyfileobj", refuse)
    answer = association.send_c_store(mr_image())
    assert (answer.Status, answer.ErrorComment) == (0xA700, "the disk is full")
    assert number_of_images(sqlite_engine) == 0
    monkeypatch.undo()
    answer = association.send_c_store(mr_image())
    assert answer.Status == 0x0000
    assert "ErrorComment" not in answer


def test_an_object_that_is_not_the_announced_one_is_refused(start, associate, mr_image):
    association = associate(start())
    dataset = mr_image()
    del dataset.StudyInstanceUID
    answer = association.send_c_store(dataset)
    assert answer.Status == 0xC000
    assert answer.ErrorComment == "the object has no valid StudyInstanceUID"


def test_fifty_associations_at_once(start, associate, mr_image):
    port = start()
    association = associate(port)
    request = association.requestor.primitive
    pdu = A_ASSOCIATE_RQ()
    pdu.from_primitive(request)
    with ExitStack() as others:
        for _ in range(49):
            other = others.enter_context(socket.create_connection(("127.0.0.1", port), timeout=120))
            other.sendall(pdu.encode())
            assert other.recv(1) == ACCEPTED
        assert association.send_c_store(mr_image()).Status == 0x0000


def test_more_associations_than_allowed_are_rejected_until_one_ends(start, associate):
    port = start(associations=2)
    first = associate(port)
    assert associate(port).is_established
    assert associate(port).is_rejected
    first.release()
    wait_until(lambda: associate(port).is_established)


def test_a_caller_who_says_nothing_stops_nobody(start, associate):
    port = start()
    with (
        socket.create_connection(("127.0.0.1", port)),
        socket.create_connection(("127.0.0.1", port)) as other,
    ):
        other.sendall(b"\x01\x00\xff\xff\xff\xff")
        assert associate(port).is_established

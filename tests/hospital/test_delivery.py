from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from miqanet.hospital.config import CStoreArchive, StowArchive
from miqanet.hospital.delivery import BATCH, IDLE_SECONDS, Courier, PictureGoneError, Writer, connect
from miqanet.hospital.delivery_errors import RefusedError, UnreachableError
from miqanet.hospital.node_schema import Document, DocumentKind, Send, WorkState
from miqanet.hospital.outbox import Outbox
from miqanet.hospital.pictures import Pictures
from miqanet.hospital.settings_table import ConfigError

CREATED = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
NOW = CREATED.timestamp()


@pytest.fixture
def outbox(sqlite_engine):
    return Outbox(sqlite_engine)


@pytest.fixture
def pictures(tmp_path):
    return Pictures(tmp_path)


@pytest.fixture
def complete(store, outbox, arrival, result, device):
    """Return a function that completes a series of one low image, whose documents wait for the archive."""

    def one(number=1):
        store.add_image(replace(arrival(number), series_instance_uid=f"1.2.{number}"), NOW)
        (image,) = store.take_images(NOW, 60.0, 10)
        store.add_verdicts(image.id, [result("low", number=number)])
        node = replace(device, uid=store.device_uid())
        outbox.complete_series(NOW, CREATED, node, ["pacs"], heat_maps=True)

    return one


@pytest.fixture
def sends(sqlite_engine):
    """Return a function that gives (state, error, due) of all sends."""

    def read():
        with Session(sqlite_engine) as session:
            rows = session.scalars(select(Send).order_by(Send.id))
            return [(row.state, row.error, row.due) for row in rows]

    return read


class Archive:
    """An archive in memory, which can be away, and refuse."""

    def __init__(self):
        self.stored, self.noted = [], []
        self.away, self.refused, self.breaks_after, self.broken_by = False, [], None, []

    @contextmanager
    def connect(self):
        if self.away:
            raise UnreachableError("the archive cannot be reached")

        def send(document):
            if document in self.refused:
                raise RefusedError("the archive answers with status C000")
            broken = self.breaks_after is not None and len(self.stored) >= self.breaks_after
            if broken or document in self.broken_by:
                raise UnreachableError("the archive has ended the association")
            self.stored.append(document)

        yield send


@pytest.fixture
def archive():
    return Archive()


@pytest.fixture
def courier(outbox, archive):
    """A courier of documents that are their numbers."""
    return Courier("pacs", archive.connect, outbox, lambda number: number, archive.noted.append)


def test_what_waits_is_sent_once(courier, archive, complete, sends):
    complete()
    assert courier.work(NOW) == 0.0
    assert courier.work(NOW) == IDLE_SECONDS
    assert archive.stored == archive.noted == [1, 2, 3]
    assert {state for state, _, _ in sends()} == {WorkState.DONE}


def test_all_wait_longer_and_longer_for_an_archive_that_is_away(courier, archive, complete, sends):
    complete()
    archive.away = True
    now, pauses = NOW, []
    for _ in range(10):
        pauses.append(courier.work(now))
        now += pauses[-1]
    assert pauses == [2, 4, 8, 16, 32, 64, 128, 256, 300, 300]
    assert sends() == [(WorkState.WAITING, "the archive cannot be reached", now)] * 3
    archive.away = False
    assert courier.work(now) == 0.0
    assert archive.stored == [1, 2, 3]
    archive.away = True
    complete(2)
    assert courier.work(now) == 2


def test_a_connection_that_breaks_costs_only_what_was_left(courier, archive, complete):
    complete()
    archive.breaks_after = 1
    assert courier.work(NOW) == 2
    archive.breaks_after = None
    courier.work(NOW + 2)
    assert archive.stored == archive.noted == [1, 3, 2]


def test_a_document_at_which_the_archive_breaks_off_each_time_holds_up_nothing(courier, archive, complete):
    complete()
    complete(2)
    archive.broken_by = [1, 4]
    now = NOW
    for _ in range(6):
        now += courier.work(now)
    assert archive.stored == [2, 3, 5, 6]
    complete(3)
    archive.broken_by = []
    while len(archive.stored) < 9:
        now += courier.work(now)
    assert archive.stored == archive.noted
    assert sorted(archive.stored) == list(range(1, 10))


def test_settings_that_cannot_be_used_are_told_without_their_files_to_users(
    outbox, archive, complete, sends, caplog
):
    @contextmanager
    def connect():
        raise ConfigError("tls/node.pem holds no certificate")
        yield

    complete()
    courier = Courier("pacs", connect, outbox, lambda number: number, archive.noted.append)
    assert courier.work(NOW) == 2
    assert sends() == [(WorkState.WAITING, "the archive's settings cannot be used", NOW + 2)] * 3
    assert "tls/node.pem" in caplog.text


def test_what_is_refused_holds_up_nothing_and_is_tried_again(courier, archive, complete, sends):
    complete()
    archive.refused = [1]
    courier.work(NOW)
    assert archive.stored == [2, 3]
    assert sends()[0] == (WorkState.WAITING, "the archive answers with status C000", NOW + 2)
    courier.work(NOW + 2)
    assert sends()[0][2] == NOW + 2 + 4
    archive.refused = []
    courier.work(NOW + 6)
    assert archive.stored == [2, 3, 1]


def test_a_document_that_cannot_be_written_holds_up_nothing(outbox, archive, complete, sends, caplog):
    def write(number):
        if number == 2:
            raise ValueError("Doe^Jane is no name")
        return number

    complete()
    Courier("pacs", archive.connect, outbox, write, archive.noted.append).work(NOW)
    assert archive.stored == [1, 3]
    assert sends()[1][1] == "it cannot be written (ValueError)"
    assert "Doe" not in caplog.text


def test_a_heat_map_whose_picture_is_gone_is_given_up(outbox, archive, complete, sends, caplog):
    def write(number):
        if number == 3:
            raise PictureGoneError
        return number

    complete()
    courier = Courier("pacs", archive.connect, outbox, write, archive.noted.append)
    courier.work(NOW)
    assert [state for state, _, _ in sends()] == [WorkState.DONE] * 2
    assert "document 3: given up, as its picture was deleted" in caplog.text
    assert courier.work(NOW * 1000) == IDLE_SECONDS


def test_many_documents_are_sent_in_batches(courier, archive, complete):
    for number in range(1, BATCH):
        complete(number)
    while courier.work(NOW) == 0.0:
        assert len(archive.stored) % BATCH == 0 or len(archive.stored) == 3 * (BATCH - 1)
    assert len(archive.stored) == 3 * (BATCH - 1)


def test_documents_are_written_the_same_each_time(outbox, store, pictures, complete, as_file, sqlite_engine):
    complete()
    pictures.put(1, np.full((32, 32), 0.5, np.float32), np.eye(16, dtype=np.float32))
    write = Writer(outbox, store, pictures)
    with Session(sqlite_engine) as session:
        ids = {document.kind: document.id for document in session.scalars(select(Document))}
    assert set(ids) == set(DocumentKind)
    for number in ids.values():
        assert as_file(write(number)).getvalue() == as_file(write(number)).getvalue()
    assert write(ids[DocumentKind.HEAT_MAP]).Modality == "OT"


def test_a_heat_map_needs_its_picture(outbox, store, pictures, complete, sqlite_engine):
    complete()
    with Session(sqlite_engine) as session:
        heat_map = session.scalars(select(Document.id).where(Document.kind == DocumentKind.HEAT_MAP)).one()
    with pytest.raises(PictureGoneError):
        Writer(outbox, store, pictures)(heat_map)


def test_archives_are_spoken_to_in_their_protocol():
    c_store = connect(CStoreArchive("pacs", "PACS", "127.0.0.1", 104, None), "MIQANET")
    stow = connect(StowArchive("web", "https://127.0.0.1/dicom-web", None, None), "MIQANET")
    assert [session.func.__name__ for session in (c_store, stow)] == ["c_store_session", "stow_session"]

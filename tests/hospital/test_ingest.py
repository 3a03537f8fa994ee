from __future__ import annotations

import errno
import logging
import os
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO

import pytest
from pydicom import dcmread
from pydicom.uid import (
    CTImageStorage,
    DeflatedExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEGExtended12Bit,
)
from sqlalchemy import select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from miqanet.hospital.ingest import TRANSFER_SYNTAXES, Ingest, Receipt
from miqanet.hospital.node_schema import Image
from miqanet.hospital.spool import Spool
from miqanet.hospital.store import NodeStore


@pytest.fixture
def ingest(spool, sqlite_engine):
    return Ingest(spool, NodeStore(sqlite_engine))


@pytest.fixture
def rows(sqlite_engine):
    """Return a function that gives the rows of all images."""

    def read():
        with Session(sqlite_engine) as session:
            return list(session.scalars(select(Image)))

    return read


def files(spool):
    return [path for path in spool.file("images").rglob("*") if path.is_file()]


def test_an_object_is_kept_as_it_came(ingest, spool, rows, mr_image, as_file):
    file = as_file(mr_image())
    outcome = ingest(file, "SCANNER1")
    assert (outcome.receipt, outcome.accepted, outcome.reason) == (Receipt.STORED, True, "")
    assert outcome.sop_instance_uid == "1.2.826.0.1.3.1"
    (image,) = rows()
    assert spool.file(image.path).read_bytes() == file.getvalue()
    assert image.attempts == 0


def test_the_row_is_written_after_the_object(ingest, spool, mr_image, as_file, monkeypatch):
    there = []
    add = NodeStore.add_image

    def add_image(store, arrival, now):
        there.append(spool.file(arrival.path).is_file())
        return add(store, arrival, now)

    monkeypatch.setattr(NodeStore, "add_image", add_image)
    ingest(as_file(mr_image()), "SCANNER1")
    assert there == [True]


def test_the_same_image_again_leaves_the_first_one(ingest, spool, rows, mr_image, as_file):
    first = as_file(mr_image(share=0.2))
    ingest(first, "SCANNER1")
    outcome = ingest(as_file(mr_image(share=0.8)), "SCANNER2")
    assert (outcome.receipt, outcome.accepted) == (Receipt.KNOWN, True)
    (image,) = rows()
    (file,) = files(spool)
    assert file == spool.file(image.path)
    assert file.read_bytes() == first.getvalue()


def test_an_image_that_has_the_uid_of_another_ones_is_refused_and_leaves_the_first(
    ingest, spool, rows, mr_image, as_file
):
    first, other = mr_image(), mr_image()
    other.StudyInstanceUID = "1.2.826.0.1.9"
    ingest(as_file(first), "SCANNER1")
    outcome = ingest(as_file(other), "SCANNER1")
    assert (outcome.receipt, outcome.accepted) == (Receipt.CONFLICTING, False)
    assert len(outcome.reason) <= 64
    assert len(rows()) == len(files(spool)) == 1
    assert ingest(as_file(first), "SCANNER1").receipt is Receipt.KNOWN


def test_a_repetition_that_cannot_be_deleted_is_known_all_the_same(ingest, mr_image, as_file, monkeypatch):
    def fail(*_):
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    ingest(as_file(mr_image()), "SCANNER1")
    monkeypatch.setattr(Spool, "delete", fail)
    assert ingest(as_file(mr_image()), "SCANNER1").receipt is Receipt.KNOWN


def test_the_same_image_from_many_at_once_is_one(ingest, spool, rows, mr_image, as_file):
    contents = [as_file(mr_image(number % 3 + 1)) for number in range(24)]
    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(ingest, contents, ["SCANNER1"] * 24))
    assert sum(outcome.receipt is Receipt.STORED for outcome in outcomes) == 3
    assert len(rows()) == len(files(spool)) == 3


@pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, DeflatedExplicitVRLittleEndian])
def test_uncompressed_and_deflated_objects_are_taken(ingest, spool, rows, mr_image, as_file, syntax):
    dataset = mr_image()
    dataset.file_meta.TransferSyntaxUID = syntax
    dataset._read_implicit = syntax == ImplicitVRLittleEndian
    file = as_file(dcmread(as_file(dataset)))
    assert ingest(file, "SCANNER1").receipt is Receipt.STORED
    (image,) = rows()
    assert spool.file(image.path).read_bytes() == file.getvalue()


def test_the_codec_that_cannot_be_decoded_is_not_taken():
    assert JPEGExtended12Bit not in TRANSFER_SYNTAXES
    assert len(TRANSFER_SYNTAXES) == 11


@pytest.mark.parametrize("content", [b"", b"no image", b"\0" * 128 + b"DICM", os.urandom(2000)])
def test_what_is_no_object_is_refused_and_leaves_nothing(ingest, spool, rows, content):
    outcome = ingest(BytesIO(content), "SCANNER1")
    assert (outcome.receipt, outcome.accepted) == (Receipt.MALFORMED, False)
    assert files(spool) == rows() == []


def test_an_object_that_does_not_say_which_it_is_is_refused(ingest, mr_image, as_file):
    dataset = mr_image()
    del dataset.SeriesInstanceUID
    outcome = ingest(as_file(dataset), "SCANNER1")
    assert (outcome.receipt, outcome.reason) == (
        Receipt.MALFORMED,
        "the object has no valid SeriesInstanceUID",
    )


def test_other_classes_are_refused(ingest, spool, mr_image, as_file):
    dataset = mr_image()
    dataset.SOPClassUID = CTImageStorage
    assert ingest(as_file(dataset), "SCANNER1").receipt is Receipt.UNSUPPORTED
    assert files(spool) == []


def test_another_object_than_was_announced_is_refused(ingest, mr_image, as_file):
    file = as_file(mr_image())
    announced = {"StudyInstanceUID": "1.2.826.0.1.1", "SOPInstanceUID": "1.2.3"}
    outcome = ingest(file, "SCANNER1", announced)
    assert (outcome.receipt, outcome.accepted) == (Receipt.MISMATCHED, False)
    assert "SOPInstanceUID" in outcome.reason
    file.seek(0)
    assert ingest(file, "SCANNER1", announced | {"SOPInstanceUID": "1.2.826.0.1.3.1"}).accepted


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_said_to_be_full(ingest, spool, rows, mr_image, as_file, monkeypatch, number):
    def refuse(*_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("miqanet.hospital.spool.shutil.copyfileobj", refuse)
    outcome = ingest(as_file(mr_image()), "SCANNER1")
    assert (outcome.receipt, outcome.reason) == (Receipt.OUT_OF_RESOURCES, "the disk is full")
    assert files(spool) == rows() == []
    monkeypatch.undo()
    assert ingest(as_file(mr_image()), "SCANNER1").receipt is Receipt.STORED


def test_a_database_that_fails_is_no_reason_to_lose_the_object(ingest, spool, mr_image, as_file, monkeypatch):
    def fail(*_):
        raise OperationalError("", {}, Exception())

    monkeypatch.setattr(NodeStore, "add_image", fail)
    outcome = ingest(as_file(mr_image()), "SCANNER1")
    assert outcome.receipt is Receipt.OUT_OF_RESOURCES
    # Whether there is a row is not known: a file too many is swept away later, a file too few is an image lost.
    assert len(files(spool)) == 1


def test_nothing_of_a_patient_is_logged_or_answered(ingest, mr_image, as_file, caplog, monkeypatch):
    caplog.set_level(logging.DEBUG)
    odd = as_file(mr_image()).getvalue().replace(b"20260102", b"4711 Doe")
    outcomes = [ingest(BytesIO(odd), "SCANNER1"), ingest(BytesIO(odd[:300]), "SCANNER1")]

    def fail(*_):
        raise OperationalError("4711", {"name": "Doe"}, Exception("19700131"))

    monkeypatch.setattr(NodeStore, "add_image", fail)
    outcomes.append(ingest(as_file(mr_image(2)), "SCANNER1"))
    assert [outcome.receipt for outcome in outcomes] == [
        Receipt.STORED,
        Receipt.MALFORMED,
        Receipt.OUT_OF_RESOURCES,
    ]
    assert not any(secret in caplog.text + repr(outcomes) for secret in ("Doe", "4711", "19700131"))

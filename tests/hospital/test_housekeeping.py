from __future__ import annotations

import os
import time

import numpy as np
import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from miqanet.hospital.housekeeping import DAY_SECONDS, STRAY_SECONDS, tidy
from miqanet.hospital.ingest import Ingest
from miqanet.hospital.node_schema import Image, Verdict
from miqanet.hospital.store import NodeStore


@pytest.fixture
def receive(spool, store, mr_image, as_file, sqlite_engine):
    """Return a function that takes an image in that came some days ago, and returns its file."""

    def take(number, days):
        assert Ingest(spool, store)(as_file(mr_image(number)), "SCANNER1").accepted
        with Session(sqlite_engine) as session, session.begin():
            image = session.scalars(select(Image).where(Image.instance_number == number)).one()
            session.execute(
                update(Image).where(Image.id == image.id).values(received=time.time() - days * DAY_SECONDS)
            )
            return spool.file(image.path)

    return take


def test_old_pixels_go_and_their_verdicts_stay(store, spool, pictures, receive, result, sqlite_engine):
    old, unjudged, new = receive(1, days=8), receive(2, days=8), receive(3, days=6)
    for image in store.take_images(time.time(), 60.0, 10):
        number = int(image.sop_instance_uid.rsplit(".", 1)[1])
        if number != 2:
            store.add_verdicts(image.id, [result("low", number=number)])
    pictures.put(1, np.zeros((32, 32), np.float32), None)
    picture = next((spool.file("pictures")).iterdir())
    os.utime(picture, (0, 0))
    assert tidy(store, spool, pictures, 7, time.time()) == 1
    assert [file.exists() for file in (old, unjudged, new)] == [False, True, True]
    assert pictures.get(1) is None
    with Session(sqlite_engine) as session:
        assert [image.path is None for image in session.scalars(select(Image).order_by(Image.id))] == [
            True,
            False,
            False,
        ]
        assert len(session.scalars(select(Verdict)).all()) == 2
    assert tidy(store, spool, pictures, 7, time.time()) == 0


def test_a_kill_between_file_and_row_is_made_good(store, spool, pictures, receive, result, monkeypatch):
    file = receive(1, days=8)
    (image,) = store.take_images(time.time(), 60.0, 10)
    store.add_verdicts(image.id, [result("low")])

    def killed(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(NodeStore, "forget_paths", killed)
    with pytest.raises(KeyboardInterrupt):
        tidy(store, spool, pictures, 7, time.time())
    assert not file.exists()
    monkeypatch.undo()
    assert tidy(store, spool, pictures, 7, time.time()) == 1
    assert store.expired_paths(time.time(), 10) == []


def test_files_without_a_row_go_once_they_are_nobodys(store, spool, pictures, receive, as_file, mr_image):
    kept = receive(1, days=0)
    fresh, stray = (spool.new_path(time.time()) for _ in range(2))
    for path in (fresh, stray):
        spool.write(path, as_file(mr_image(2)))
    old = time.time() - STRAY_SECONDS - 1
    for file in (kept, spool.file(stray)):
        os.utime(file, (old, old))
    assert tidy(store, spool, pictures, 7, time.time()) == 1
    assert [file.exists() for file in (kept, spool.file(fresh), spool.file(stray))] == [True, True, False]

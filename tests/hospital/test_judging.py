from __future__ import annotations

import errno
import os
import time
from io import BytesIO

import numpy as np
import pytest
from pydicom.uid import EnhancedMRImageStorage
from sqlalchemy import select
from sqlalchemy.orm import Session

from miqanet.hospital.ingest import Ingest, Receipt
from miqanet.hospital.judging import BATCH, MOST_ATTEMPTS, TRUSTED_ATTEMPTS, Judge
from miqanet.hospital.node_schema import Image, Verdict
from miqanet.hospital.pictures import Pictures
from miqanet.screening.card import Card
from miqanet.screening.engine import Prediction

CARD = Card("test", "1", 32, ("motion",), 0.5, (0.45, 0.5), {"motion": 0.5})
FOR_EVER = 1e10


class Killed(BaseException):
    """The worker is gone."""


class BrightnessEngine:
    """The brighter an image, the lower its quality; an all but bright one takes the worker with it."""

    card, streams = CARD, 1

    def infer(self, batch):
        brightness = batch.mean((1, 2, 3))
        if brightness.max() > 0.95:
            raise Killed
        number = len(batch)
        return Prediction(
            brightness, np.zeros((number, 1), np.float32), np.zeros((number, 16, 16), np.float32)
        )


@pytest.fixture
def judge(store, spool, pictures):
    return Judge(BrightnessEngine(), store, spool, pictures, heat_maps=False)


@pytest.fixture
def receive(spool, store, as_file):
    """Return a function that takes objects in."""
    ingest = Ingest(spool, store)

    def take(*datasets):
        for dataset in datasets:
            assert ingest(as_file(dataset), "SCANNER1").accepted

    return take


@pytest.fixture
def verdicts(sqlite_engine):
    """Return a function that gives (number of the image, frame, quality, reason) of all verdicts."""

    def read():
        statement = select(Image.instance_number, Verdict.frame, Verdict.quality, Verdict.reason).join(
            Verdict.image
        )
        with Session(sqlite_engine) as session:
            rows = [tuple(row) for row in session.execute(statement)]
        return sorted(rows, key=lambda row: row[:2])

    return read


def test_every_image_gets_its_verdict(judge, receive, verdicts, mr_image):
    receive(*(mr_image(number, share=0.2 * number) for number in (1, 2, 3, 4)))
    assert judge.work(time.time()) == 4
    assert judge.work(time.time()) == 0
    assert verdicts() == [(1, 0, "high", ""), (2, 0, "high", ""), (3, 0, "low", ""), (4, 0, "low", "")]


def test_more_images_than_a_batch_are_judged_batch_by_batch(judge, receive, verdicts, mr_image):
    receive(*(mr_image(number) for number in range(1, BATCH + 3)))
    assert [judge.work(time.time()) for _ in range(3)] == [BATCH, 2, 0]
    assert len(verdicts()) == BATCH + 2


def test_an_image_that_cannot_be_judged_says_why(judge, receive, spool, verdicts, mr_image, sqlite_engine):
    flat, gone, cut, other = mr_image(1, share=1.0), mr_image(2), mr_image(3), mr_image(4)
    del cut.PixelData
    other.Modality = "OT"
    receive(flat, gone, cut, other)
    with Session(sqlite_engine) as session:
        spool.delete(session.scalars(select(Image.path).where(Image.instance_number == 2)).one())
    judge.work(time.time())
    reasons = [reason for _, _, _, reason in verdicts()]
    assert [quality for _, _, quality, _ in verdicts()] == [None] * 4
    assert "constant" in reasons[0]
    assert reasons[1] == "no such file or folder"
    assert "no pixel data" in reasons[2]
    assert reasons[3] == "skipped: modality is OT (MR Image Storage), not MR"


def test_an_image_for_which_the_machine_was_short_of_something_is_judged_later(
    judge, receive, verdicts, mr_image, monkeypatch
):
    receive(mr_image())

    def fail(*_):
        raise OSError(errno.ENOMEM, os.strerror(errno.ENOMEM))

    monkeypatch.setattr("miqanet.reading.files.open_regular", fail)
    now = time.time()
    judge.work(now)
    assert verdicts() == []
    assert judge.work(now) == 0
    monkeypatch.undo()
    judge.work(now + 60)
    assert len(verdicts()) == 1


def test_what_the_machine_stays_short_of_is_the_reason_in_the_end(
    judge, receive, verdicts, mr_image, monkeypatch
):
    receive(mr_image())

    def fail(*_):
        raise MemoryError

    monkeypatch.setattr("miqanet.reading.files.open_regular", fail)
    now = time.time()
    for _ in range(MOST_ATTEMPTS):
        assert judge.work(now) == 1
        now += 1000
    assert judge.work(now) == 0
    assert [reason for *_, reason in verdicts()] == ["needs more memory than there is"]


def test_frames_have_verdicts_of_their_own(judge, receive, verdicts, mr_image):
    frames = mr_image(1)
    frames.SOPClassUID = EnhancedMRImageStorage
    frames.NumberOfFrames = 3
    dark, bright, flat = np.zeros((3, 32, 32), np.uint16)
    dark[:6], bright[:26] = 1000, 1000
    frames.PixelData = np.stack([dark, bright, flat]).tobytes()
    receive(frames)
    judge.work(time.time())
    found = verdicts()
    assert [(frame, quality) for _, frame, quality, _ in found] == [(1, "high"), (2, "low"), (3, None)]
    assert "constant" in found[2][3]


def test_an_enhanced_image_of_which_nothing_can_be_read_is_spoken_of_as_a_whole(
    judge, receive, verdicts, mr_image
):
    frames = mr_image(1)
    frames.SOPClassUID = EnhancedMRImageStorage
    del frames.PixelData
    receive(frames)
    judge.work(time.time())
    assert [frame for _, frame, _, _ in verdicts()] == [0]


def test_the_picture_of_the_worst_image_so_far_is_kept(judge, receive, pictures, mr_image):
    receive(mr_image(1, share=0.4), mr_image(2, share=0.8), mr_image(3, share=0.6))
    judge.work(time.time())
    assert [pictures.get(number) is not None for number in (1, 2, 3)] == [True, True, False]


def test_every_flagged_image_keeps_its_picture_where_heat_maps_are_sent(
    store, spool, pictures, receive, mr_image
):
    receive(mr_image(1, share=0.8), mr_image(2, share=0.6), mr_image(3, share=0.1))
    Judge(BrightnessEngine(), store, spool, pictures, heat_maps=True).work(time.time())
    assert [pictures.get(number) is not None for number in (1, 2, 3)] == [True, True, False]


def test_a_picture_that_the_disk_has_no_room_for_costs_no_verdict(
    judge, receive, verdicts, mr_image, monkeypatch, caplog
):
    def refuse(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Pictures, "put", refuse)
    receive(mr_image(1, share=0.2), mr_image(2, share=0.8))
    judge.work(time.time())
    assert verdicts() == [(1, 0, "high", ""), (2, 0, "low", "")]
    assert "No space left" in caplog.text


def test_an_image_that_kills_the_worker_costs_no_other_its_verdict(judge, store, receive, verdicts, mr_image):
    receive(mr_image(1, share=0.2), mr_image(2, share=0.98), mr_image(3, share=0.3))
    deaths = 0
    while True:
        try:
            if not judge.work(FOR_EVER):
                break
        except Killed:
            deaths += 1
            store.release(Image, FOR_EVER)
    assert deaths == MOST_ATTEMPTS
    found = verdicts()
    assert [(number, quality) for number, _, quality, _ in found] == [(1, "high"), (2, None), (3, "high")]
    assert found[1][3] == f"judging it failed {MOST_ATTEMPTS} times"


def test_an_image_that_was_taken_in_vain_is_judged_alone(judge, store, receive, mr_image, verdicts):
    receive(mr_image(1), mr_image(2))
    for _ in range(TRUSTED_ATTEMPTS + 1):
        assert len(store.take_images(FOR_EVER, 1.0, 10)) == 2
        store.release(Image, FOR_EVER)
    assert [judge.work(FOR_EVER) for _ in range(3)] == [1, 1, 0]
    assert len(verdicts()) == 2


def test_mutated_objects_end_in_a_verdict_or_a_reason(
    judge, spool, store, verdicts, mr_image, as_file, sqlite_engine
):
    ingest = Ingest(spool, store)
    draw = np.random.default_rng(6)
    accepted = 0
    for number in range(1, 301):
        content = bytearray(as_file(mr_image(number, share=0.4)).getvalue())
        # Of the elements before the pixels, which are the most of the file.
        for _ in range(draw.integers(1, 6)):
            content[draw.integers(132, len(content) - 2048)] = draw.integers(256)
        accepted += ingest(BytesIO(bytes(content)), "SCANNER1").receipt is Receipt.STORED
    while judge.work(time.time()):
        pass
    with Session(sqlite_engine) as session:
        assert len(session.scalars(select(Image)).all()) == accepted > 100
    reasons = {reason for _, _, _, reason in verdicts()}
    assert len(reasons) > 3
    assert not any(secret in reason for reason in reasons for secret in ("Doe", "4711", "1970"))

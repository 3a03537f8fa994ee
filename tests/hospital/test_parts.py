"""The work of parts, in this process as far as it can be had."""

from __future__ import annotations

import time

import pytest

from miqanet.hospital import parts
from miqanet.hospital.config import read_config
from miqanet.hospital.outbox import Outbox
from miqanet.hospital.part import Part

CONFIG = """
[[dicom.peers]]
ae_title = "SCANNER1"
addresses = ["10.0.3.17"]
[storage]
spool = "spool"
[results]
idle_seconds = 1
[[archives]]
name = "pacs"
ae_title = "PACS"
host = "pacs.hospital"
port = 104
[[archives]]
name = "web"
url = "https://web.hospital:8443/dicom-web"
"""


class Stopped(BaseException):
    """Enough."""


@pytest.fixture
def config(tmp_path, sqlite_engine, monkeypatch):
    (tmp_path / "miqanet.toml").write_text(CONFIG, encoding="utf-8")
    monkeypatch.setattr(parts, "open_node_database", lambda _: sqlite_engine)
    return read_config(tmp_path / "miqanet.toml")


@pytest.fixture
def judged(store, arrival, result):
    """A series whose only image has its verdict, and came five seconds ago."""
    store.add_image(arrival(1), time.time() - 5)
    (image,) = store.take_images(time.time(), 60.0, 1)
    store.add_verdicts(image.id, [result("high")])


def test_every_part_has_its_work():
    assert [member.value for member in Part] == ["receiver", "judge", "sender", "web"]


@pytest.mark.parametrize("part", list(Part))
def test_a_part_does_its_own_work(config, monkeypatch, part):
    names = {Part.RECEIVER: "receive", Part.JUDGE: "judge", Part.SENDER: "send", Part.WEB: "serve"}
    done = []
    for member, name in names.items():
        monkeypatch.setattr(parts, name, lambda _, member=member: done.append(member))
    parts.run(part, config)
    assert done == [part]


def test_each_archive_has_a_courier_of_its_own(config):
    assert len(parts._sending_jobs(config)) == 3 + len(config.archives)


@pytest.mark.usefixtures("judged")
def test_a_complete_series_gets_its_documents(config, sqlite_engine):
    complete, hand_over, clean, *_ = parts._sending_jobs(config)
    assert complete() == 0
    assert complete() > 0
    assert len(Outbox(sqlite_engine).take_sends("web", time.time(), 60.0, 10)) == 1
    assert hand_over() > 0
    assert clean() > 0


def test_a_spool_folder_that_cannot_be_tidied_ends_nothing(config, caplog):
    _, _, clean, *_ = parts._sending_jobs(config)
    (config.storage.spool / "images" / "no folder of a day").touch()
    assert clean() > 0
    assert "cannot be deleted" in caplog.text


@pytest.mark.usefixtures("judged")
def test_a_series_is_not_complete_while_an_image_waits(config, store, arrival):
    store.add_image(arrival(2), time.time() - 5)
    assert parts._sending_jobs(config)[0]() > 0


@pytest.mark.usefixtures("judged")
def test_what_a_killed_sender_had_taken_is_taken_again(config, sqlite_engine):
    parts._sending_jobs(config)[0]()
    outbox = Outbox(sqlite_engine)
    assert len(outbox.take_sends("pacs", time.time(), 1e6, 10)) == 1
    assert outbox.take_sends("pacs", time.time(), 1e6, 10) == []
    parts._sending_jobs(config)
    assert len(outbox.take_sends("pacs", time.time(), 1e6, 10)) == 1


def test_jobs_are_repeated_with_the_pause_that_they_ask_for(monkeypatch):
    pauses = []
    monkeypatch.setattr(parts.time, "sleep", pauses.append)
    asked = iter([0.0, 3.0])

    def job():
        try:
            return next(asked)
        except StopIteration:
            raise Stopped from None

    with pytest.raises(Stopped):
        parts._repeat(job)
    assert pauses == [0.0, 3.0]

"""The group of processes, with others in the place of the parts; real ones are in tests/system/node."""

from __future__ import annotations

import subprocess
import sys
import threading
import time

import pytest

from miqanet.hospital import node
from miqanet.hospital.part import Part

WAITING = [sys.executable, "-c", "import sys; sys.stdin.read()"]
STUBBORN = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("up", flush=True)
time.sleep(600)
"""


@pytest.fixture
def started(monkeypatch):
    """Processes that are started in the place of parts."""
    processes = []
    popen = subprocess.Popen

    def start(command, **options):
        process = popen(WAITING, **options)
        process.asked_for = command
        processes.append(process)
        return process

    monkeypatch.setattr(node.subprocess, "Popen", start)
    monkeypatch.setattr(node, "RESTART_SECONDS", 0.01)
    return processes


@pytest.fixture
def keep_up(started, tmp_path):  # noqa: ARG001  it is the processes that are kept up
    """Keep a part up in a thread, until the event that is returned is set."""
    stop = threading.Event()
    thread = threading.Thread(target=node._keep_up, args=(Part.JUDGE, tmp_path / "miqanet.toml", stop))
    thread.start()
    yield stop
    stop.set()
    thread.join(timeout=120)
    assert not thread.is_alive()


def wait_until(condition):
    deadline = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.usefixtures("keep_up")
def test_a_part_that_ends_is_started_again(started, tmp_path):
    wait_until(lambda: started)
    started[0].kill()
    wait_until(lambda: len(started) == 2)
    assert started[1].poll() is None
    assert started[1].asked_for[1:] == [
        "-m",
        "miqanet.hospital.part_process",
        Part.JUDGE,
        tmp_path / "miqanet.toml",
    ]


def test_a_part_that_cannot_be_started_is_tried_again(started, monkeypatch, tmp_path):
    start, refused, stop = node.subprocess.Popen, [], threading.Event()

    def first_refuse(*arguments, **options):
        if len(refused) < 2:
            refused.append(1)
            raise OSError(12, "Cannot allocate memory")
        return start(*arguments, **options)

    monkeypatch.setattr(node.subprocess, "Popen", first_refuse)
    thread = threading.Thread(target=node._keep_up, args=(Part.JUDGE, tmp_path / "miqanet.toml", stop))
    thread.start()
    wait_until(lambda: started)
    stop.set()
    thread.join(timeout=120)
    assert not thread.is_alive()
    assert len(refused) == 2


def test_parts_end_when_the_node_stops(started, keep_up):
    wait_until(lambda: started)
    keep_up.set()
    wait_until(lambda: started[0].poll() is not None)
    assert len(started) == 1


def test_a_part_that_does_not_want_to_end_is_killed(monkeypatch, tmp_path):
    monkeypatch.setattr(node, "_STOP_SECONDS", 0.2)
    popen = subprocess.Popen

    def start(_, **options):
        return popen([sys.executable, "-c", STUBBORN], stdout=subprocess.PIPE, **options)

    monkeypatch.setattr(node.subprocess, "Popen", start)
    with node._started(Part.JUDGE, tmp_path) as process, process.stdout as output:
        assert output.readline() == b"up\n"
    assert process.returncode == -9


def test_one_spool_folder_has_one_node(tmp_path):
    again = node._locked(tmp_path / "spool")
    with node._locked(tmp_path / "spool"), pytest.raises(node.NodeError, match="another node is at work in"):
        again.__enter__()
    with node._locked(tmp_path / "spool"):
        assert (tmp_path / "spool").stat().st_mode & 0o777 == 0o700


def test_a_spool_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(node.NodeError, match="cannot be used"), node._locked(tmp_path / "file"):
        pass


def test_a_database_that_is_none_is_said_without_its_url(tmp_path):
    (tmp_path / "node.sqlite").write_text("no database, but long enough to be looked at as one" * 20)
    with pytest.raises(node.NodeError, match="cannot be opened") as caught:
        node._database(f"sqlite:///{tmp_path}/node.sqlite")
    assert "sqlite" not in str(caught.value)


def test_start_and_stop_are_in_the_audit_trail(site, monkeypatch):
    def run(*_):
        assert 'csd-code="110120"' in site.audited()[-1]

    monkeypatch.setattr(node, "_keep_up", run)
    monkeypatch.setattr(node.signal, "signal", lambda *_: None)
    node.run_node(site.config, site.config.storage.spool)
    started, stopped = site.audited()
    assert 'csd-code="110120"' in started
    assert 'csd-code="110121"' in stopped

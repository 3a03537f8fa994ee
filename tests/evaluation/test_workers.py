"""Pieces of work in processes of their own: side by side, with their own device, told of and ended."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = r"""
import json, os, sys, time
from miqanet.evaluation.workers import in_processes

def work(piece, tell):
    tell(f"{piece} on {os.environ['DEVICE']}")
    if piece == "bad":
        raise ValueError("no good")
    if piece == "killed":
        os.kill(os.getpid(), 9)
    if piece == "long":
        os.write(1, f"{os.getpid()}\n".encode())  # in one piece: two processes write to one pipe
        time.sleep(600)

if __name__ == "__main__":
    told, done = [], []
    try:
        failed = in_processes(sys.argv[1:], work, [{"DEVICE": "a"}, {"DEVICE": "b"}], told.append, done.append)
        print(json.dumps([sorted(told), sorted(done), sorted(failed)]))
    except KeyboardInterrupt:
        print("interrupted", flush=True)
"""


@pytest.fixture
def script(tmp_path: Path) -> Path:
    path = tmp_path / "script.py"
    path.write_text(SCRIPT)
    return path


def test_each_slot_takes_one_piece_at_a_time_and_failures_do_not_stop_the_rest(script):
    ran = subprocess.run(
        [sys.executable, script, "one", "bad", "killed", "two"], capture_output=True, text=True, timeout=120
    )
    assert ran.returncode == 0, ran.stderr
    told, done, failed = json.loads(ran.stdout)
    assert [line.split(" on ")[0] for line in told] == ["bad", "killed", "one", "two"]
    assert {line.split(" on ")[1] for line in told} == {"a", "b"}
    assert done == ["bad", "killed", "one", "two"]
    assert failed == [["bad", "no good"], ["killed", "its process ended early"]]


def test_ctrl_c_ends_all_processes(script):
    process = subprocess.Popen([sys.executable, script, "long", "long"], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    children = [int(process.stdout.readline()) for _ in range(2)]
    process.send_signal(signal.SIGINT)
    assert process.stdout.readline() == "interrupted\n"
    assert process.wait(60) == 0
    process.stdout.close()
    for child in children:
        with pytest.raises(ProcessLookupError):
            os.kill(child, 0)

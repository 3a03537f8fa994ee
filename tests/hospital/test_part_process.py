"""A part as a process of its own."""

from __future__ import annotations

import subprocess
import sys
import threading

import pytest

from miqanet.hospital import part_process
from miqanet.hospital.part import Part

PROGRAM = """
import sys, threading, time
from pathlib import Path
from miqanet.hospital import part_process
from miqanet.hospital.part import Part

def work(part, config):
    {work}

part_process.run = work
part_process.read_config = lambda path: None
part_process.main(Part.JUDGE, Path("miqanet.toml"))
"""
FAILING = "raise ValueError('Doe^Jane is no name')"


@pytest.fixture
def start():
    """Return a function that starts Python, whose standard input stays open."""
    processes = []

    def run(*arguments):
        process = subprocess.Popen(
            [sys.executable, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        processes.append(process)
        return process

    yield run
    for process in processes:
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout, process.stderr):
            pipe.close()


@pytest.fixture
def start_part(start):
    """Return a function that starts a part which does something else than its work."""
    return lambda work: start("-c", PROGRAM.format(work=work))


def test_it_ends_with_the_process_that_started_it(start_part):
    process = start_part("print('up', flush=True); time.sleep(600)")
    assert process.stdout.readline() == "up\n"
    process.stdin.close()
    assert process.wait(timeout=300) == 0


def test_what_fails_is_said_by_kind_and_place_but_not_in_its_words(start_part):
    process = start_part(FAILING)
    assert process.wait(timeout=300) == 1
    log = process.stderr.read()
    assert "judge CRITICAL ValueError at" in log
    assert "part_process.py:" in log
    assert "Doe" not in log


def test_a_thread_that_fails_ends_the_whole_process(start_part):
    process = start_part(f"def fail(): {FAILING}\n    threading.Thread(target=fail).start(); time.sleep(600)")
    assert process.wait(timeout=300) == 1
    assert "Doe" not in process.stderr.read()


def test_the_system_s_words_are_told(start_part):
    process = start_part("open('/nowhere/at/all')")
    assert process.wait(timeout=300) == 1
    assert "FileNotFoundError (No such file or directory) at" in process.stderr.read()


def test_a_configuration_that_cannot_be_used_is_told_in_full(start, tmp_path):
    process = start("-m", "miqanet.hospital.part_process", Part.WEB, tmp_path / "miqanet.toml")
    assert process.wait(timeout=300) == 2
    assert f"cannot read the configuration {tmp_path}/miqanet.toml" in process.stderr.read()


def test_hooks_of_this_process_are_as_they_were():
    assert sys.excepthook is not part_process._fail
    assert threading.excepthook is not part_process._fail

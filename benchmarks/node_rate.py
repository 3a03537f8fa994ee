"""Does the node keep up with eight scanners, and does it leave the network its processors?

    python benchmarks/node_rate.py [--images 480]     (needs miqanet[hospital], psutil and dcmtk's storescu)

Images of 512 x 512 x 16 bits, sent by eight storescu at once to a real node on this machine. Three figures: the
rate at which they are received, on the disk and in the database, while the judging process is halted; the rate
of verdicts while images come in, beside that of the bare engine, which is timed before and after; and the time
from the last image of a series of 30 to its last verdict. The processor time of the receiving process does not
depend on what else the machine does.
"""

from __future__ import annotations

import argparse
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import psutil
from numpy.typing import NDArray
from pydicom import dcmread
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from miqanet.hospital.node_database import open_node_database
from miqanet.hospital.node_schema import Image, Verdict
from miqanet.image import MRImage
from miqanet.preprocessing import prepare
from miqanet.reading import read_images
from miqanet.screening.card import default_weights
from miqanet.screening.engine import Engine
from phantoms import write_dicom

_COMMAND = [sys.executable, "-c", "from miqanet.cli import main; main()", "node", "--config"]
_SCANNERS = 8
_SLICES = 30


class RunningNode:
    """A node in a folder, with this machine as its only sender."""

    def __init__(self, folder: Path) -> None:
        self._port, web_port = _free_port(), _free_port()
        folder.mkdir()
        config = folder / "miqanet.toml"
        config.write_text(
            f'[dicom]\nport = {self._port}\n[[dicom.peers]]\nae_title = "SCANNER"\n'
            f'addresses = ["127.0.0.1"]\n[web]\nport = {web_port}\n[storage]\nspool = "spool"\n',
            encoding="utf-8",
        )
        self._process = subprocess.Popen([*_COMMAND, config])
        while not _listens(self._port) or self.part("judge") is None:
            time.sleep(0.1)
        time.sleep(5)  # until the network is compiled
        self._engine = open_node_database(f"sqlite:///{folder}/spool/node.sqlite")

    def part(self, name: str) -> psutil.Process | None:
        """Return the process of a part."""
        children = psutil.Process(self._process.pid).children()
        return next((child for child in children if name in child.cmdline()), None)

    def send(self, folders: list[Path]) -> None:
        """Send folders at the same time, and wait until they are received."""
        titles = ["-aet", "SCANNER", "-aec", "MIQANET"]
        senders = [
            subprocess.Popen(["storescu", *titles, "+sd", "127.0.0.1", str(self._port), folder])
            for folder in folders
        ]
        assert [sender.wait() for sender in senders] == [0] * len(folders)

    def count(self, row: type[Image] | type[Verdict]) -> int:
        """Return how many rows there are."""
        with Session(self._engine) as session:
            return session.scalar(select(func.count()).select_from(row)) or 0

    def wait_for_verdicts(self, number: int) -> None:
        """Wait until there are so many."""
        while self.count(Verdict) < number:
            time.sleep(0.02)

    def close(self) -> None:
        """Stop the node."""
        self._engine.dispose()
        self._process.terminate()
        self._process.wait()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--images", type=int, default=480)
    options = parser.parse_args()
    if shutil.which("storescu") is None:
        parser.error("storescu is not installed: apt install dcmtk")
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        first, second = (_write(folder / name, options.images, seed) for seed, name in enumerate("ab"))
        (series,) = _write(folder / "c", _SLICES, 2, scanners=1)
        node = RunningNode(folder / "node")
        try:
            seconds, processor_seconds = _receive(node, first)
            print(
                f"received           {options.images / seconds:7.1f} images/s, "
                f"{1000 * processor_seconds / options.images:.1f} ms of a processor each"
            )
            node.wait_for_verdicts(options.images)
            engine = Engine(default_weights())
            prepared = _prepared(second)
            before = _engine_rate(engine, prepared)
            rate = _judge(node, second, options.images)
            bare = (before + _engine_rate(engine, prepared)) / 2
            print(f"bare engine        {bare:7.1f} images/s")
            print(f"judged by the node {rate:7.1f} images/s, {rate / bare:.0%} of the bare engine's")
            node.send([series])
            started = time.perf_counter()
            node.wait_for_verdicts(2 * options.images + _SLICES)
            print(
                f"series of {_SLICES}       {time.perf_counter() - started:7.1f} s from last image to last verdict"
            )
        finally:
            node.close()


def _write(folder: Path, number: int, seed: int, scanners: int = _SCANNERS) -> list[Path]:
    """Write images into a folder a scanner; a few pictures under many names, for the node does not look twice."""
    write_dicom(folder / "pictures", min(number, 24), seed, matrices=(512,))
    pictures = [dcmread(file) for file in sorted((folder / "pictures").iterdir())]
    folders = [folder / f"scanner{scanner}" for scanner in range(scanners)]
    for target in folders:
        target.mkdir()
    for index in range(number):
        dataset = pictures[index % len(pictures)]
        scanner = index % scanners
        dataset.SOPInstanceUID = f"1.2.826.0.1.3680043.10.999.{seed}.{index}"
        dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
        dataset.SeriesInstanceUID = f"1.2.826.0.1.3680043.10.999.{seed}.{scanner}.1"
        dataset.save_as(folders[scanner] / f"{index:06d}")
    return folders


def _receive(node: RunningNode, folders: list[Path]) -> tuple[float, float]:
    """Return seconds, and processor seconds of the receiver, until all is received and nothing is judged."""
    judge, receiver = node.part("judge"), node.part("receiver")
    assert judge is not None
    assert receiver is not None
    judge.suspend()
    before, started = receiver.cpu_times(), time.perf_counter()
    node.send(folders)
    seconds, after = time.perf_counter() - started, receiver.cpu_times()
    judge.resume()
    return seconds, after.user + after.system - before.user - before.system


def _judge(node: RunningNode, folders: list[Path], number: int) -> float:
    """Return the rate of verdicts from the first image sent to the last one judged."""
    judged = node.count(Verdict)
    started = time.perf_counter()
    node.send(folders)
    node.wait_for_verdicts(judged + number)
    return number / (time.perf_counter() - started)


def _prepared(folders: list[Path]) -> list[NDArray[np.float32]]:
    items = [item for item in read_images(folders) if isinstance(item, MRImage)]
    return [prepare(item.pixels) for item in items[: len(items) // 2]]


def _engine_rate(engine: Engine, prepared: list[NDArray[np.float32]]) -> float:
    started = time.perf_counter()
    with ThreadPoolExecutor(engine.streams + 1) as pool:
        list(pool.map(lambda image: engine.infer(image[None, None]), prepared))
    return len(prepared) / (time.perf_counter() - started)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


if __name__ == "__main__":
    main()

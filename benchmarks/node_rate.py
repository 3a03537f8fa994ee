"""Does the node keep up with eight scanners, and does it leave the network its processors?

    python benchmarks/node_rate.py [--images 480]     (needs miqanet[hospital], psutil and dcmtk's storescu)

Images of 512 x 512 x 16 bits, sent by eight storescu at once to a real node on this machine. Three figures: the
rate at which they are received, on the disk and in the database, while the judging process is halted; the rate
of verdicts while images come in, beside that of the bare engine, which is timed before and after; and the time
from the last image of a series of 30 to its last verdict. Processor times tell what the rate of verdicts loses
against the bare engine's: what senders, receiver and judge take for an image beside the network. They vary less
than rates with what else the machine does; the judge's is a difference, and the least certain.
"""

from __future__ import annotations

import argparse
import os
import resource
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

# pynetdicom puts a storescu of its own beside Python; dcmtk's takes less of the processors that are measured.
_ELSEWHERE = [folder for folder in os.get_exec_path() if Path(folder) != Path(sys.executable).parent]
_STORESCU = shutil.which("storescu", path=os.pathsep.join(_ELSEWHERE)) or ""
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

    def processor_seconds(self) -> dict[str, float]:
        """Return the processor time so far of the senders, the receiver and the judge."""
        senders = resource.getrusage(resource.RUSAGE_CHILDREN)
        parts = {name: part.cpu_times() for name in ("receiver", "judge") if (part := self.part(name))}
        return {
            "senders": senders.ru_utime + senders.ru_stime,
            **{name: times.user + times.system for name, times in parts.items()},
        }

    def send(self, folders: list[Path]) -> None:
        """Send folders at the same time, and wait until they are received."""
        titles = ["-aet", "SCANNER", "-aec", "MIQANET"]
        senders = [
            subprocess.Popen([_STORESCU, *titles, "+sd", "127.0.0.1", str(self._port), folder])
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
    if not _STORESCU:
        parser.error("storescu is not installed: apt install dcmtk")
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        first, second = (_write(folder / name, options.images, seed) for seed, name in enumerate("ab"))
        (series,) = _write(folder / "c", _SLICES, 2, scanners=1)
        node = RunningNode(folder / "node")
        try:
            seconds = _receive(node, first)
            print(f"received           {options.images / seconds:7.1f} images/s")
            node.wait_for_verdicts(options.images)
            engine = Engine(default_weights())
            prepared = _prepared(second)
            before = _engine_rate(engine, prepared)
            spent = node.processor_seconds()
            rate = _judge(node, second, options.images)
            spent = {part: after - spent[part] for part, after in node.processor_seconds().items()}
            started = time.process_time()
            bare = (before + _engine_rate(engine, prepared)) / 2
            spent["network"] = (time.process_time() - started) * options.images / len(prepared)
            spent["judge"] -= spent["network"]
            print(f"bare engine        {bare:7.1f} images/s")
            print(f"judged by the node {rate:7.1f} images/s, {rate / bare:.0%} of the bare engine's")
            for part, seconds in spent.items():
                print(f"  {part:17}{1000 * seconds / options.images:7.1f} ms of a processor for an image")
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


def _receive(node: RunningNode, folders: list[Path]) -> float:
    """Return seconds until all is received and nothing is judged."""
    judge = node.part("judge")
    assert judge is not None
    judge.suspend()
    started = time.perf_counter()
    node.send(folders)
    seconds = time.perf_counter() - started
    judge.resume()
    return seconds


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

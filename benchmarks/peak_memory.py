"""Does memory grow with the number of files? Peak of `screen` on few and on many.

    python benchmarks/peak_memory.py [--files 100 5000]

Resident memory of the command and of its workers together, looked at every 50 ms. Many files are links to a few
hundred distinct ones, which only spares the disk.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import psutil

from phantoms import write_dicom

_DISTINCT = 200
_COMMAND = [sys.executable, "-c", "from miqanet.cli import main; main()", "screen", "--json"]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--files", type=int, nargs="+", default=[100, 5000])
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        distinct = Path(scratch) / "distinct"
        write_dicom(distinct, min(_DISTINCT, max(options.files)))
        sources = sorted(distinct.iterdir())
        peaks = []
        for number in options.files:
            folder = Path(scratch) / f"files{number}"
            folder.mkdir()
            for i in range(number):
                (folder / f"IM{i:06d}").hardlink_to(sources[i % len(sources)])
            peaks.append(_peak([*_COMMAND, str(folder), "--out", f"{scratch}/out{number}"]))
            print(f"{number:7d} files: {peaks[-1] / 2**20:7.0f} MB", flush=True)
        print(f"greatest to least: {max(peaks) / min(peaks):.2f}")


def _peak(command: list[str]) -> int:
    """Run a command; return the peak of its and its children's resident memory in bytes."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    watched, peak = psutil.Process(process.pid), 0
    while process.poll() is None:
        with suppress(psutil.NoSuchProcess):
            family = (watched, *watched.children(recursive=True))
            peak = max(peak, sum(each.memory_info().rss for each in family))
        time.sleep(0.05)
    if process.returncode:
        raise SystemExit(f"screening failed with exit code {process.returncode}")
    return peak


if __name__ == "__main__":
    main()

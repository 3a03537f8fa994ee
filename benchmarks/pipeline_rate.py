"""Does reading keep the network busy? The rate of `screen` on DICOM files beside that of its engine alone.

    python benchmarks/pipeline_rate.py [--files 500] [--folder OWN_FILES]

Three figures: the engine on images prepared beforehand; a whole screening (reading to report) in the same
process; and the command, which starts Python and compiles the network besides (about a second, whatever the
number of files). The first two take turns and the best of each counts, so that other load matters less.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from miqanet.image import MRImage
from miqanet.preprocessing import prepare
from miqanet.reading import read_images
from miqanet.screening.card import default_weights
from miqanet.screening.engine import Engine
from miqanet.screening.run import ScreeningRun, Selection
from phantoms import write_dicom

_COMMAND = [sys.executable, "-c", "from miqanet.cli import main; main()", "screen", "--json"]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--files", type=int, default=500)
    parser.add_argument("--folder", type=Path, help="real images instead of generated ones")
    parser.add_argument("--repeats", type=int, default=2)
    parser.add_argument("--weights", type=Path, default=default_weights())
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.folder or Path(scratch) / "files"
        if options.folder is None:
            write_dicom(folder, options.files)
        engine = Engine(options.weights)
        prepared = [prepare(item.pixels) for item in read_images([folder]) if isinstance(item, MRImage)]

        engine_seconds = screen_seconds = float("inf")
        for repeat in range(options.repeats):
            started = time.perf_counter()
            with ThreadPoolExecutor(engine.streams + 1) as pool:
                list(pool.map(lambda image: engine.infer(image[None, None]), prepared))
            engine_seconds = min(engine_seconds, time.perf_counter() - started)

            started = time.perf_counter()
            run = ScreeningRun(Path(scratch) / f"out{repeat}", engine, Selection((str(folder),)))
            rows = sum(1 for _ in run.rows())
            run.finish()
            screen_seconds = min(screen_seconds, time.perf_counter() - started)

        arguments = [str(folder), "--out", f"{scratch}/command", "--weights", str(options.weights)]
        started = time.perf_counter()
        subprocess.run([*_COMMAND, *arguments], check=True, stdout=subprocess.DEVNULL)
        command_seconds = time.perf_counter() - started

    number = len(prepared)
    print(f"{number} images ({rows} rows), {engine.streams} at a time")
    for name, seconds in (
        ("engine alone", engine_seconds),
        ("screening", screen_seconds),
        ("whole command", command_seconds),
    ):
        print(f"{name:15s} {number / seconds:7.1f} images/s  {engine_seconds / seconds:6.1%}")


if __name__ == "__main__":
    main()

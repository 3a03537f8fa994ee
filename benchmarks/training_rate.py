"""How much of the bare network's rate is left to `fit`, which makes its images, averages weights and logs?

    python benchmarks/training_rate.py [--network miqanet] [--size 512] [--batch 32] [--fresh]
                                                                              (needs miqanet[train])

Images a second of the loop that `miqanet train` runs, against forward and backward of the same network in the same
precision on one batch that lies on the device already, in one run. Stored images are PNG files of phantoms, which
worker processes read, vary and prepare; with --fresh, they spoil clean phantoms instead. What an epoch ends with
(validation, checkpoints) is not counted. Beside it, the bare network where freed memory goes back to the system.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from torch.nn import functional

from miqanet.database.png import encode_png
from miqanet.database.records import ImageRecord, SourceRecord
from miqanet.networks import NETWORKS, judge, make_network
from miqanet.training.fit import FitSettings, fit
from miqanet.training.hardware import accelerator, hardware, reduced_precision
from miqanet.training.memory import keep_freed_memory
from miqanet.training.module import QualityModule
from phantoms import phantoms

_FILES = 64


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--network", choices=NETWORKS, default="miqanet")
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--steps", type=int, default=50, help="steps that are timed")
    parser.add_argument("--workers", type=int, default=max(1, (os.cpu_count() or 1) - 1))
    parser.add_argument("--fresh", action="store_true", help="spoil clean images afresh")
    options = parser.parse_args()

    given_back = options.batch / _seconds_a_bare_step(options)
    keep_freed_memory()
    bare = options.batch / _seconds_a_bare_step(options)
    with TemporaryDirectory() as folder:
        looped = options.batch / _seconds_a_step_of_fit(options, Path(folder))
    print(f"{options.network}, {options.size} pixels, batch {options.batch}, {hardware()}")
    print(f"forward and backward alone     {bare:8.1f} images/s")
    print(f"... freed memory given back    {given_back:8.1f} images/s, {given_back / bare:.0%}")
    print(f"the loop of fit, {options.workers:3d} workers   {looped:8.1f} images/s, {looped / bare:.0%}")


def _seconds_a_bare_step(options: argparse.Namespace) -> float:
    device, reduced = accelerator(), reduced_precision()
    network = make_network(options.network).to(device)
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch has it
    image = torch.rand(options.batch, 1, options.size, options.size, device=device)
    image = image.contiguous(memory_format=torch.channels_last)
    low = torch.randint(2, (options.batch,), device=device)
    torch.backends.cudnn.benchmark = True

    def steps(number: int) -> float:
        _wait()
        started = time.perf_counter()
        for _ in range(number):
            network.zero_grad()
            with torch.autocast(device, reduced, enabled=reduced is not torch.float32):
                quality, _ = judge(network, image)
            functional.cross_entropy(quality.float(), low).backward()  # type: ignore[no-untyped-call]
        _wait()
        return time.perf_counter() - started

    steps(3)  # warm up
    return steps(options.steps) / int(options.steps)


def _seconds_a_step_of_fit(options: argparse.Namespace, folder: Path) -> float:
    # What the workers have made ahead while the network was set up would flatter the loop.
    warm_up = 2 * options.workers + 3
    settings = FitSettings(
        size=options.size, batch=options.batch, epochs=1,
        images_per_epoch=(warm_up + options.steps) * options.batch,
        workers=options.workers, network=options.network,
    )  # fmt: skip
    images, sources = _files(folder, settings.images_per_epoch)
    ends: list[float] = []

    def note(_module: QualityModule, *_step: Any) -> None:
        if len(ends) in (warm_up - 1, warm_up + options.steps - 1):
            _wait()
        ends.append(time.perf_counter())

    QualityModule.on_train_batch_end = note  # type: ignore[method-assign, assignment]
    fit(folder / "run", sources if options.fresh else images, {"validation": images[:2]}, settings)
    return float(ends[-1] - ends[warm_up - 1]) / int(options.steps)


def _files(folder: Path, number: int) -> tuple[Sequence[ImageRecord], Sequence[SourceRecord]]:
    """Return so many images with labels, each of few files many times over, and the files as clean slices."""
    paths = []
    for place, pixels in enumerate(phantoms(_FILES)):
        paths.append(folder / f"{place}.png")
        paths[-1].write_bytes(encode_png(pixels))
    sources = [SourceRecord(path, place, "phantoms", "brain", "T1w") for place, path in enumerate(paths)]
    images = [
        ImageRecord(paths[i % _FILES], i, "phantoms", "brain", "T1w", bool(i % 2), {}, simulated=True)
        for i in range(number)
    ]
    return images, sources


def _wait() -> None:
    """Wait for what the device has been given to do."""
    if accelerator() == "cuda":
        torch.cuda.synchronize()


if __name__ == "__main__":
    main()

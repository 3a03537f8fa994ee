"""A few phantoms as clean slices and as labelled images, and a short run on them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from miqanet.artifacts.phantom import phantom
from miqanet.database.png import encode_png
from miqanet.database.records import ImageRecord, SourceRecord
from miqanet.training.fit import FitSettings, fit


@dataclass(frozen=True)
class Data:
    sources: list[SourceRecord]
    images: list[ImageRecord]


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Data:
    """Six subjects, one slice each; every other one noisy and labelled low."""
    folder = tmp_path_factory.mktemp("data")
    rng = np.random.default_rng(0)
    sources, images = [], []
    for number in range(6):
        clean = phantom((96, 80), seed=number)
        noisy = np.abs(clean + rng.normal(0, 0.3, clean.shape)) if number % 2 else clean
        for name, pixels in (("clean", clean), ("image", noisy)):
            (folder / f"{name}-{number}.png").write_bytes(encode_png(pixels))
        part = "brain" if number < 4 else "knee"
        sources.append(SourceRecord(folder / f"clean-{number}.png", number, "phantoms", part, "T1w"))
        low = bool(number % 2)
        harms = {"noise": 2.0, "blur": 0.4} if low else {"motion": 0.3}
        path = folder / f"image-{number}.png"
        images.append(ImageRecord(path, number, "phantoms", part, "T1w", low, harms, simulated=True))
    return Data(sources, images)


@pytest.fixture(scope="session")
def settings() -> FitSettings:
    return FitSettings(size=64, batch=4, epochs=2, images_per_epoch=8, workers=0)


@pytest.fixture(scope="session")
def short_run(
    tmp_path_factory: pytest.TempPathFactory, data: Data, settings: FitSettings
) -> tuple[Path, list[str]]:
    """The folder of a run of two epochs, and what it told."""
    run = tmp_path_factory.mktemp("runs") / "short"
    told: list[str] = []
    watched = {"validation": data.images, "held_out": data.images[:1]}
    fit(run, data.sources, watched, settings, progress=False, tell=told.append)
    return run, told


@pytest.fixture
def interrupting() -> Callable[[str], None]:
    """Stands in for Ctrl-C while the second epoch ends."""

    def tell(line: str) -> None:
        if line.startswith("epoch 2"):
            raise KeyboardInterrupt

    return tell

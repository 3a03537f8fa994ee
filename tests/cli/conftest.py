"""A tiny database and a run on it, for what is done with either."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner, Result

from miqanet.artifacts.phantom import phantom
from miqanet.cli import app
from miqanet.database.build import build

Command = Callable[..., Result]

TINY = ("--size", "64", "--epochs", "1", "--batch", "4", "--images-per-epoch", "8", "--workers", "0")


@pytest.fixture(scope="session")
def miqanet() -> Command:
    """The command line, in this process."""

    def run(*arguments: object) -> Result:
        return CliRunner().invoke(app, [str(argument) for argument in arguments])

    return run


@pytest.fixture(scope="session")
def tiny() -> tuple[str, ...]:
    """Options of a training run of two steps."""
    return TINY


@pytest.fixture(scope="session")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two sites, the first with three subjects of one slice each, the second with one."""
    clean = tmp_path_factory.mktemp("clean")
    for number in range(4):
        path = clean / ("site-a" if number < 3 else "site-b") / f"sub-{number:02d}_T1w.png"
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(np.round(phantom((72, 64), seed=number) * 255).astype(np.uint8)).save(path)
    out = tmp_path_factory.mktemp("databases") / "database"
    build(clean, out, low=30, high=30)
    return out


@pytest.fixture(scope="session")
def trained(
    miqanet: Command, database: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Result]:
    """The folder of a run, and what its command said."""
    run = tmp_path_factory.mktemp("runs") / "tiny"
    return run, miqanet("train", database, "--out", run, "--hold-out", "site-b", *TINY)

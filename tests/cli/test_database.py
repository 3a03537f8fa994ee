from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from miqanet.artifacts.phantom import phantom
from miqanet.cli.database import app

run = CliRunner().invoke


@pytest.fixture
def clean(tmp_path: Path) -> Path:
    folder = tmp_path / "brains"
    folder.mkdir()
    for number in range(4):
        pixels = np.round(phantom((72, 64), seed=number) * 255).astype(np.uint8)
        Image.fromarray(pixels).save(folder / f"sub-{number}_T1w.png")
    (folder / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    return folder


def build(clean: Path, out: Path, *options: str) -> Any:
    return run(app, ["build", str(clean), str(out), "--low", "3", "--high", "4", "--workers", "1", *options])


def test_build_and_info_say_simulated(clean: Path, tmp_path: Path) -> None:
    built = build(clean, tmp_path / "out")
    assert built.exit_code == 0, built.output
    assert "7 simulated images, 3 of low and 4 of high quality" in built.stdout
    assert "broken.png" in built.stderr
    told = run(app, ["info", str(tmp_path / "out")])
    assert told.exit_code == 0
    assert "7 simulated images" in " ".join(told.stdout.split())
    assert "brains" in told.stdout
    assert told.stdout.count("(simulated)") == 3


def test_other_arguments_on_an_existing_database_are_wrong_use(clean: Path, tmp_path: Path) -> None:
    build(clean, tmp_path / "out")
    again = build(clean, tmp_path / "out", "--seed", "5")
    assert again.exit_code == 2
    assert "choose another folder" in again.stderr


def test_no_clean_images_is_wrong_use(tmp_path: Path) -> None:
    assert build(tmp_path / "nowhere", tmp_path / "out").exit_code == 2


def test_info_without_database_is_wrong_use(tmp_path: Path) -> None:
    told = run(app, ["info", str(tmp_path)])
    assert told.exit_code == 2
    assert "miqanet database build" in told.stderr


def test_interruption_says_how_to_continue(
    clean: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_args: object, **_options: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("miqanet.database.build.keep_sources", interrupted)
    stopped = build(clean, tmp_path / "out")
    assert stopped.exit_code == 130
    assert "same command continues" in " ".join(stopped.stderr.split())


def test_missing_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "sqlalchemy" else find(name)
    )
    told = run(app, ["info", str(tmp_path)])
    assert told.exit_code == 2
    assert "pip install 'miqanet[database]'" in told.stderr

"""`miqanet calibrate`: another site's scaling and thresholds, in a folder of their own."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import Result

from miqanet.artifacts.phantom import phantom
from miqanet.database.build import build
from miqanet.database.query import Database
from miqanet.screening.card import Card, default_weights
from miqanet.screening.results import read_results

Command = Callable[..., Result]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database of seven subjects."""
    clean = tmp_path_factory.mktemp("clean")
    for number in range(7):
        picture = np.round(phantom((72, 64), seed=number) * 255).astype(np.uint8)
        Image.fromarray(picture).save(clean / f"sub-{number:02d}_T1w.png")
    out = tmp_path_factory.mktemp("databases") / "site"
    build(clean, out, low=14, high=14)
    return out


@pytest.fixture(scope="module")
def calibrated(miqanet: Command, site: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Result]:
    out = tmp_path_factory.mktemp("calibrated") / "clinic"
    return out, miqanet("calibrate", site, "--out", out, "--miss-rate", "0.1")


def said(result: Result) -> str:
    return " ".join(result.stderr.split())


def digests(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.glob("miqanet.*")}


def test_before_and_after_are_shown(calibrated: tuple[Path, Result]) -> None:
    out, result = calibrated
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert lines[0].startswith("14 low and 14 high images of ")
    assert lines[1] == "simulated artifacts and simulated labels: no radiologist has rated these images"
    assert lines[2].split() == ["before", "after"]
    shown = json.loads((out / "card.json").read_text())["calibration"]
    for name, title in (
        ("calibration_error", "calibration error"),
        ("calibration_error_of_votes", "calibration error against vote fractions"),
        ("decided", "decided without a person"),
    ):
        (line,) = (line for line in lines if line[:42].rstrip() == title)
        for when in ("before", "after"):
            assert f"{shown[when][name]['value']:.3f} [" in line
    assert lines[-1] == f"weights and model card: {out}"


def test_the_network_is_kept_and_its_card_is_new(calibrated: tuple[Path, Result]) -> None:
    out, _ = calibrated
    assert digests(out) == digests(default_weights())
    # Whom the weights know is not forgotten.
    assert (out / "run.json").read_bytes() == (default_weights() / "run.json").read_bytes()
    old, new = (json.loads((folder / "card.json").read_text()) for folder in (default_weights(), out))
    assert new["version"] == f"{old['version']}+clinic"
    assert new["temperature"] != old.get("temperature", 1.0)
    assert new["error_rates"] == {"miss": 0.1, "false_alarm": 0.05}
    assert new["original"]["metrics"] == old["metrics"]
    assert "metrics" not in new
    assert new["review_band"][0] <= new["threshold"] <= new["review_band"][1]
    text = (out / "README.md").read_text()
    assert "## Calibrated" in text
    assert "Written by `miqanet calibrate`" in text
    assert f"version {old['version']}, whose card says" in text
    assert [path.name for path in out.parent.iterdir()] == ["clinic"], "nothing unfinished is left"


def test_screening_takes_the_calibrated_weights(
    miqanet: Command, calibrated: tuple[Path, Result], site: Path, tmp_path: Path
) -> None:
    out, _ = calibrated
    image = next((site / "images").iterdir())
    result = miqanet("screen", image, "--weights", out, "--out", tmp_path / "screened")
    assert result.exit_code in (0, 1), result.output
    (row,) = read_results(tmp_path / "screened" / "results.csv")
    assert row.model_version.endswith("+clinic")
    assert row.threshold == Card.read(out).threshold


def test_what_was_calibrated_stays_so_when_calibrated_again(
    miqanet: Command, calibrated: tuple[Path, Result], site: Path, tmp_path: Path
) -> None:
    again = miqanet(
        "calibrate", site, "--weights", calibrated[0], "--out", tmp_path / "again", "--version", "7"
    )
    assert again.exit_code == 0, again.output
    first, second = (json.loads((f / "card.json").read_text()) for f in (calibrated[0], tmp_path / "again"))
    # Of the same images: the scaling is the same, what it started from does not matter.
    assert second["temperature"] == pytest.approx(first["temperature"], rel=0.05)
    assert second["bias"] == pytest.approx(first["bias"], abs=0.05)
    assert second["original"] == first["original"]
    assert second["version"] == "7"


def test_weights_are_never_overwritten(miqanet: Command, calibrated: tuple[Path, Result], site: Path) -> None:
    out, _ = calibrated
    before = (out / "card.json").read_bytes()
    for weights in (out, default_weights()):
        result = miqanet("calibrate", site, "--weights", weights, "--out", out)
        assert result.exit_code == 2
        assert "holds weights already" in said(result)
    assert (out / "card.json").read_bytes() == before


def test_subjects_that_the_network_has_learned_from_are_left_out(
    miqanet: Command, site: Path, tmp_path: Path
) -> None:
    weights = tmp_path / "weights"
    shutil.copytree(default_weights(), weights)
    with Database.open(site) as opened:
        names, images = opened.subject_names(), opened.images()
    first = min(image.subject for image in images)
    run = json.loads((weights / "run.json").read_text())
    (weights / "run.json").write_text(json.dumps(run | {"trained_on": [names[first]]}))
    result = miqanet("calibrate", site, "--weights", weights, "--out", tmp_path / "one")
    number = sum(image.subject == first for image in images)
    assert f"{number} images are left out: the network has learned from their subjects" in said(result)
    (weights / "run.json").write_text(json.dumps(run | {"trained_on": list(names.values())}))
    result = miqanet("calibrate", site, "--weights", weights, "--out", tmp_path / "none")
    assert result.exit_code == 2
    assert "holds rated images of no other subjects" in said(result)
    assert not (tmp_path / "none").exists()


def test_too_few_subjects_are_told(miqanet: Command, database: Path, tmp_path: Path) -> None:
    result = miqanet("calibrate", database, "--out", tmp_path / "out")
    assert result.exit_code == 2
    assert "subjects are too few" in said(result)
    assert not (tmp_path / "out").exists()


def test_no_database_and_no_weights_are_told(miqanet: Command, site: Path, tmp_path: Path) -> None:
    assert "miqanet database build" in said(miqanet("calibrate", tmp_path, "--out", tmp_path / "out"))
    result = miqanet("calibrate", site, "--weights", tmp_path, "--out", tmp_path / "out")
    assert result.exit_code == 2
    assert "no model card" in said(result)

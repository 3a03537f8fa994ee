"""`miqanet export`: from a run to weights that `miqanet screen` takes, with a card that is measured."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import Result

from miqanet.artifacts import KINDS
from miqanet.artifacts.phantom import phantom
from miqanet.cli import export as module
from miqanet.preprocessing import DOUBT
from miqanet.screening.card import Card
from miqanet.screening.results import read_results
from miqanet.screening.scaling import Scaling
from miqanet.training.run import RUN_FILE, Run

Command = Callable[..., Result]


@pytest.fixture(scope="module")
def exported(
    miqanet: Command,
    database: Path,
    trained: tuple[Path, Result],
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[Path, Result]:
    out = tmp_path_factory.mktemp("exported") / "weights"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_CALIBRATION_IMAGES", 4)
        return out, miqanet("export", trained[0], database, "--out", out, "--version", "0.1")


def said(result: Result) -> str:
    return " ".join(result.stderr.split())


def test_a_folder_of_weights_comes_out(exported: tuple[Path, Result]) -> None:
    out, result = exported
    assert result.exit_code == 0, result.output
    assert {path.name for path in out.iterdir()} == {
        "miqanet.xml", "miqanet.bin", "miqanet.safetensors", "card.json", "README.md", "run.json",
    }  # fmt: skip
    assert [path.name for path in out.parent.iterdir()] == ["weights"], "nothing unfinished is left"
    figures, told = result.stdout.rsplit("\n", 2)[:2]
    assert json.loads(figures) == json.loads((out / "card.json").read_text())["metrics"]
    assert told == f"weights and model card: {out}"


def test_weights_say_whom_they_know(exported: tuple[Path, Result], trained: tuple[Path, Result]) -> None:
    run, known = Run.read(exported[0]), Run.read(trained[0])
    assert run == known
    assert run.trained_on


def test_the_card_states_data_training_and_figures(
    exported: tuple[Path, Result], trained: tuple[Path, Result]
) -> None:
    out, _ = exported
    card = json.loads((out / "card.json").read_text())
    run = Run.read(trained[0])
    assert card["version"] == "0.1"
    assert card["artifact_kinds"] == list(KINDS)
    assert card["data"]["sha256"] == run.data_sha256
    assert card["data"]["subjects"] == {"train": 1, "validation": 1, "test": 1, "held_out": 1}
    assert card["training"]["stages"][0]["settings"]["size"] == 64
    assert card["training"]["stages"][0]["hardware"] == run.hardware
    assert set(card["metrics"]) == {"test", "held_out"}
    for measured in card["metrics"].values():
        assert measured["images"]["clean"] == measured["subjects"]
        assert measured["images"]["low"] + measured["images"]["high"] > 0
    assert card["review_band"][0] <= card["threshold"] <= card["review_band"][1]
    assert Scaling(card["temperature"], card["bias"]) == Card.read(out).scaling
    assert Card.read(out).doubt == DOUBT
    assert card["error_rates"] == {"miss": 0.02, "false_alarm": 0.05}
    text = (out / "README.md").read_text()
    assert "simulated artifacts" in text
    assert run.hardware in text


@pytest.fixture(scope="module")
def rated(miqanet: Command, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database of real images alone: two of each subject, by the votes one low and one high."""
    folder = tmp_path_factory.mktemp("rated")
    (folder / "scans").mkdir()
    votes = ["file,rater,quality"]
    for number in range(20):
        name = f"sub-{number // 2:02d}_run-{number % 2}_T1w.png"
        pixels = np.round(phantom((72, 64), seed=number) * 255).astype(np.uint8)
        Image.fromarray(pixels).save(folder / "scans" / name)
        votes += [f"{name},{rater},{'low' if number % 2 else 'high'}" for rater in ("R1", "R2")]
    (folder / "votes.csv").write_text("\n".join(votes), encoding="utf-8")
    keys = ("--key", folder / "key", "--create-key", "--votes", folder / "votes.csv")
    imported = miqanet("database", "import", folder / "scans", folder / "database", *keys)
    assert imported.exit_code == 0, imported.output
    return folder / "database"


def test_what_learned_from_rated_images_alone_is_exported(
    miqanet: Command, tiny: tuple[str, ...], rated: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_CALIBRATION_IMAGES", 4)
    run, out = tmp_path / "run", tmp_path / "weights"
    assert "give --stored" in said(miqanet("train", rated, "--out", run, *tiny))
    trained = miqanet("train", rated, "--out", run, "--stored", *tiny)
    assert trained.exit_code == 0, trained.output
    result = miqanet("export", run, rated, "--out", out, "--version", "1")
    assert result.exit_code == 0, result.output
    card = json.loads((out / "card.json").read_text())
    assert card["data"]["simulated"] == ""
    assert card["metrics"]["test"]["images"] == {"low": 2, "high": 2, "clean": 0}
    assert card["metrics"]["test"]["clean_called_low"] is None
    text = " ".join((out / "README.md").read_text().split())
    assert "measured on images that people have rated" in text
    assert "20 rated images of" in text
    assert "simulated" not in text


def test_screening_takes_the_weights(
    miqanet: Command, exported: tuple[Path, Result], database: Path, tmp_path: Path
) -> None:
    out, _ = exported
    image = next((database / "sources").iterdir())
    result = miqanet("screen", image, "--weights", out, "--out", tmp_path / "screened")
    assert result.exit_code in (0, 1), result.output
    (row,) = read_results(tmp_path / "screened" / "results.csv")
    assert row.model_version == "miqanet 0.1"
    assert row.threshold == Card.read(out).threshold
    assert not row.error


def test_weights_are_not_overwritten_unasked(
    miqanet: Command, exported: tuple[Path, Result], trained: tuple[Path, Result], database: Path
) -> None:
    out, _ = exported
    before = (out / "card.json").read_bytes()
    again = miqanet("export", trained[0], database, "--out", out, "--version", "2")
    assert again.exit_code == 2
    assert "holds weights already" in said(again)
    assert (out / "card.json").read_bytes() == before


def test_another_database_is_refused(
    miqanet: Command, trained: tuple[Path, Result], database: Path, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    run.mkdir()
    shutil.copy(trained[0] / RUN_FILE, run)
    shutil.copy(trained[0] / "best.ckpt", run)
    content = json.loads((run / RUN_FILE).read_text())
    (run / RUN_FILE).write_text(json.dumps(content | {"data_sha256": "other"}))
    result = miqanet("export", run, database, "--out", tmp_path / "out", "--version", "1")
    assert result.exit_code == 2
    assert "is not the database" in said(result)
    (run / RUN_FILE).write_text(json.dumps(content | {"labels_sha256": "other"}))
    result = miqanet("export", run, database, "--out", tmp_path / "out", "--version", "1")
    assert result.exit_code == 2
    assert "has other labels than when" in said(result)
    (run / RUN_FILE).write_text(json.dumps(content | {"started_from": {"weights": "found"}}))
    result = miqanet("export", run, database, "--out", tmp_path / "out", "--version", "1")
    assert result.exit_code == 2
    assert "began with the weights found, of which no training subjects are known" in said(result)
    assert not (tmp_path / "out").exists()


def test_a_rival_is_not_exported(miqanet: Command, database: Path, tmp_path: Path) -> None:
    Run({"size": 64, "network": "vgg16"}, "", (), 0, True).write(tmp_path)
    result = miqanet("export", tmp_path, database, "--out", tmp_path / "out", "--version", "1")
    assert result.exit_code == 2
    assert "holds a run of vgg16; only miqanet is exported" in said(result)


def test_a_run_without_a_finished_epoch_is_told(
    miqanet: Command, trained: tuple[Path, Result], database: Path, tmp_path: Path
) -> None:
    arguments = (database, "--out", tmp_path / "out", "--version", "1")
    assert "no folder of a training run" in said(miqanet("export", tmp_path, *arguments))
    shutil.copy(trained[0] / RUN_FILE, tmp_path)
    result = miqanet("export", tmp_path, *arguments)
    assert result.exit_code == 2
    assert "has not finished an epoch" in said(result)


def test_an_interrupted_export_leaves_no_weights(
    miqanet: Command,
    trained: tuple[Path, Result],
    database: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def interrupted(*_arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("miqanet.training.export.save_engine_model", interrupted)
    monkeypatch.setattr(module, "_CALIBRATION_IMAGES", 2)
    result = miqanet("export", trained[0], database, "--out", tmp_path / "out", "--version", "1")
    assert result.exit_code != 0
    assert not list(tmp_path.iterdir())


def test_the_runs_that_a_run_continued_are_told_in_order() -> None:
    first = {"pretrained": "resnet34.pth"}
    second = Run({"size": 256}, "a", (), 0, True, started_from=first, minutes=3.0, hardware="A")
    third = Run({"size": 512}, "a", (), 0, False, started_from=vars_of(second), minutes=1.0, hardware="B")
    told = module._training(third)
    assert [stage["settings"]["size"] for stage in told["stages"]] == [256, 512]
    assert [stage["hardware"] for stage in told["stages"]] == ["A", "B"]
    assert told["pretrained"] == "resnet34.pth"
    assert module._training(Run({"size": 256}, "a", (), 0, True))["pretrained"] is None


def vars_of(run: Run) -> dict[str, object]:
    return {name: getattr(run, name) for name in Run.__dataclass_fields__}


def test_the_progress_bar_ends_when_the_last_image_does(capsys: pytest.CaptureFixture[str]) -> None:
    tick = module._ticks("judging", 3)
    for _ in range(3):
        tick()
    assert "100%" in capsys.readouterr().err


def test_a_final_run_learns_from_all_but_validation_and_tells_what_was_measured_before(
    miqanet: Command,
    tiny: tuple[str, ...],
    database: Path,
    trained: tuple[Path, Result],
    exported: tuple[Path, Result],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "_CALIBRATION_IMAGES", 4)
    measured, out = exported[0], tmp_path / "weights"
    run = miqanet("train", database, "--out", tmp_path / "run", "--start", measured, "--final", *tiny)
    assert run.exit_code == 0, run.output
    assert len(Run.read(tmp_path / "run").trained_on) == 3
    command = ("export", tmp_path / "run", database, "--out", out, "--version", "2")
    refused = miqanet(*command)
    assert refused.exit_code == 2
    assert "nobody is left to measure it on: give --measured" in said(refused)
    elsewhere = tmp_path / "elsewhere"
    shutil.copytree(measured, elsewhere)
    (elsewhere / RUN_FILE).write_text((tmp_path / "run" / RUN_FILE).read_text())
    assert "was not exported from the run" in said(miqanet(*command, "--measured", elsewhere))
    needless = ("export", trained[0], database, "--out", out, "--version", "2", "--measured", measured)
    assert "leave --measured out" in said(miqanet(*needless))
    assert not out.exists()
    result = miqanet(*command, "--measured", measured)
    assert result.exit_code == 0, result.output
    card, before = (json.loads((each / "card.json").read_text()) for each in (out, measured))
    assert card["data"]["subjects"] == {"train": 3, "validation": 1, "test": 0, "held_out": 0}
    own = card["metrics"].pop("validation")
    assert (card["metrics"], card["metrics_of"]) == (before["metrics"], "0.1")
    assert own["subjects"] == 1
    assert own["auc_low_against_clean"]["value"] is not None
    assert "other figures are those of version 0.1" in " ".join((out / "README.md").read_text().split())

    onward = miqanet("train", database, "--out", tmp_path / "onward", "--start", out, *tiny)
    assert onward.exit_code == 0, onward.output
    refused = miqanet("export", tmp_path / "onward", database, "--out", tmp_path / "3", "--version", "3")
    assert "began with what had learned from the test subjects; train it with --final" in said(refused)
    onward = miqanet("train", database, "--out", tmp_path / "on", "--start", out, "--final", *tiny)
    assert onward.exit_code == 0, onward.output
    command = ("export", tmp_path / "on", database, "--out", tmp_path / "3", "--version", "3")
    result = miqanet(*command, "--measured", out)
    assert result.exit_code == 0, result.output
    assert json.loads((tmp_path / "3" / "card.json").read_text())["metrics_of"] == "0.1"
    # Two final stages, a small one first, need no export between them.
    result = miqanet(*command, "--measured", measured, "--overwrite")
    assert result.exit_code == 0, result.output
    assert json.loads((tmp_path / "3" / "card.json").read_text())["metrics_of"] == "0.1"

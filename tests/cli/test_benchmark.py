"""`miqanet benchmark`: what it runs, does not run again, tells and refuses."""

from __future__ import annotations

import importlib.util
import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from sqlalchemy import text
from typer.testing import Result

from miqanet.artifacts.phantom import phantom
from miqanet.cli.benchmark import slots
from miqanet.database.build import build
from miqanet.database.folds import Role, split_subjects
from miqanet.database.query import Database
from miqanet.database.records import ImageRecord
from miqanet.evaluation import benchmark as benchmarking
from miqanet.evaluation.methods import Fitted, NetworkMethod
from miqanet.evaluation.predictions import FoldPredictions
from miqanet.features import METHODS
from miqanet.training import predict as predicting
from miqanet.training.predict import Predictions
from miqanet.training.run import Run

Command = Callable[..., Result]


def said(result: Result) -> str:
    return " ".join(result.stderr.split())


@pytest.fixture(scope="module")
def rated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database of two sites with eight subjects each."""
    clean = tmp_path_factory.mktemp("clean")
    for number in range(16):
        path = clean / f"site-{'ab'[number % 2]}" / f"sub-{number:02d}_T1w.png"
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(np.round(phantom((72, 64), seed=number) * 255).astype(np.uint8)).save(path)
    out = tmp_path_factory.mktemp("databases") / "rated"
    build(clean, out, low=48, high=64, seed=2)
    return out


@pytest.fixture(scope="module")
def finished(miqanet: Command, rated: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Result]:
    """The folder of a benchmark of the measures, and what its command said."""
    out = tmp_path_factory.mktemp("benchmarks") / "out"
    command = (
        "benchmark",
        rated,
        "--out",
        out,
        "--method",
        "measures",
        "--protocol",
        "P0,P1,P2",
        "--workers",
        1,
    )
    return out, miqanet(*command)


def answers(out: Path) -> dict[str, int]:
    return {str(path.relative_to(out)): path.stat().st_mtime_ns for path in out.rglob("*.parquet")}


def test_every_fold_of_every_protocol_is_done_and_told(finished: tuple[Path, Result]) -> None:
    out, result = finished
    assert result.exit_code == 0, result.output
    assert "tables.md, report.html, results.json" in result.stdout
    results = json.loads((out / "results.json").read_text())
    assert {row["protocol"]: row["images"] for row in results["rows"]} == {"P0": 112, "P1": 112, "P2": 112}
    assert results["near_duplicates"]["protocols"]["P0"]["tested"] == 112
    assert results["leakage"] is None
    assert "| measures | – |" in (out / "tables.md").read_text()
    assert "simulated labels" in (out / "report.html").read_text()
    assert not (out / "unfinished").exists()


def test_the_same_command_computes_nothing_again(
    miqanet: Command, rated: Path, finished: tuple[Path, Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    out, _ = finished
    before = answers(out)
    monkeypatch.setitem(METHODS, "measures", lambda _image: pytest.fail("computed again"))
    again = miqanet("benchmark", rated, "--out", out, "--method", "measures", "--protocol", "P0,P1,P2")
    assert again.exit_code == 0, again.output
    assert answers(out) == before


def test_tables_alone_can_be_written_anew(
    miqanet: Command, rated: Path, finished: tuple[Path, Result]
) -> None:
    out, _ = finished
    before = answers(out)
    (out / "tables.md").unlink()
    again = miqanet("benchmark", rated, "--out", out)
    assert again.exit_code == 0, again.output
    assert answers(out) == before
    # All that was ever done in the folder, whatever is asked for now.
    for protocol in ("P0", "P1", "P2"):
        assert f"## {protocol}" in (out / "tables.md").read_text()


def test_rotations_and_folds_can_be_chosen(miqanet: Command, rated: Path, tmp_path: Path) -> None:
    command = ("benchmark", rated, "--out", tmp_path, "--method", "measures", "--workers", 1)
    assert miqanet(*command, "--rotations", 1).exit_code == 0
    assert [path.name for path in (tmp_path / "folds" / "P1").iterdir()] == ["rotation-0"]
    assert miqanet(*command, "--fold", "rotation-2").exit_code == 0
    assert {path.name for path in (tmp_path / "folds" / "P1").iterdir()} == {"rotation-0", "rotation-2"}
    assert "2 of 5" in (tmp_path / "tables.md").read_text()
    assert miqanet(*command, "--protocol", "P2", "--fold", "site-a").exit_code == 0
    assert [path.name for path in (tmp_path / "folds" / "P2").iterdir()] == ["site-a"]


def test_folds_in_processes_give_the_same_answers(
    miqanet: Command, rated: Path, finished: tuple[Path, Result], tmp_path: Path
) -> None:
    command = ("benchmark", rated, "--method", "measures", "--workers", 1, "--rotations", 2)
    result = miqanet(*command, "--out", tmp_path, "--jobs", 2)
    assert result.exit_code == 0, result.output
    for rotation in ("rotation-0", "rotation-1"):
        one, other = (
            FoldPredictions.read(out / "folds" / "P1" / rotation / "measures.parquet")
            for out in (finished[0], tmp_path)
        )
        np.testing.assert_array_equal(one.image, other.image)
        np.testing.assert_allclose(one.probability_low, other.probability_low)


def test_a_network_is_trained_in_a_fold(miqanet: Command, rated: Path, tmp_path: Path) -> None:
    options = ("--size", 64, "--epochs", 1, "--batch", 4, "--workers", 0, "--rotations", 1)
    result = miqanet("benchmark", rated, "--out", tmp_path, "--method", "squeezenet", *options)
    assert result.exit_code == 0, result.output
    assert "squeezenet, P1 rotation-0: epoch 1 of 1" in said(result)
    (row,) = json.loads((tmp_path / "results.json").read_text())["rows"]
    assert row["settings"]["size"] == 64
    assert row["settings"]["images"] == "stored"


def test_leakage_is_probed_beside_the_rest(
    miqanet: Command, rated: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def remember(_self: NetworkMethod, train: Sequence[ImageRecord], *_rest: object) -> Fitted:
        labels = {image.subject: image.low for image in train}
        return Fitted(
            lambda images: np.array([0.9 if labels.get(i.subject, True) else 0.1 for i in images]), ""
        )

    monkeypatch.setattr(NetworkMethod, "fit", remember)
    result = miqanet("benchmark", rated, "--out", tmp_path, "--leakage", "--epochs", 2)
    assert result.exit_code == 0, result.output
    probe = json.loads((tmp_path / "results.json").read_text())["leakage"]
    assert probe["method"] == "resnet34"
    assert (probe["settings"]["size"], probe["settings"]["epochs"]) == (128, 2)
    assert probe["accuracy_above_null"]["value"] > 0.2
    assert "## Leakage" in (tmp_path / "tables.md").read_text()


@pytest.mark.parametrize(("given", "first"), [(None, "0"), ("4, 5", "4"), ("MIG-a/b,MIG-c/d", "MIG-a/b")])
def test_folds_get_the_cards_that_were_given(
    monkeypatch: pytest.MonkeyPatch, given: str | None, first: str
) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if given:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", given)
    cards = [slot["CUDA_VISIBLE_DEVICES"] for slot in slots(None)]
    assert cards[0] == first
    assert len(set(cards)) == 2


def test_a_trained_run_is_tested_or_refused(
    miqanet: Command, rated: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Database.open(rated) as database:
        names, roles = database.subject_names(), split_subjects(database.subjects())
    trained_on, validated_on = (
        tuple(names[subject] for subject, role in roles.items() if role is wanted)
        for wanted in (Role.TRAIN, Role.VALIDATION)
    )
    settings = {
        "size": 64, "epochs": 3, "batch": 4, "learning_rate": 1e-3, "seed": 0, "images_per_epoch": 40,
    }  # fmt: skip
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "best.ckpt").write_bytes(b"weights")
    Run(settings, "abc", (), 0, fresh=True, trained_on=trained_on, validated_on=validated_on).write(
        tmp_path / "run"
    )

    def predict(_checkpoint: Path, images: Sequence[ImageRecord], **_options: object) -> Predictions:
        low = np.array([0.8 if image.low else 0.2 for image in images])
        return Predictions(low, np.empty((len(images), 0)))

    monkeypatch.setattr(predicting, "predict", predict)
    command = ("benchmark", rated, "--out", tmp_path / "out", "--run", tmp_path / "run")
    result = miqanet(*command, "--fold", "rotation-0")
    assert result.exit_code == 0, result.output
    (row,) = json.loads((tmp_path / "out" / "results.json").read_text())["rows"]
    assert row["method"] == "miqanet-run"
    assert row["settings"]["trained_by"].startswith("miqanet train, 3 epochs of 40 images spoiled afresh")
    assert row["figures"]["accuracy"]["value"] == 1
    refused = miqanet(*command, "--fold", "rotation-1")
    assert refused.exit_code == 1
    assert "not done: miqanet-run, P1 rotation-1:" in said(refused)
    assert "subjects that the fold tests on: too few are left" in said(refused)


def test_an_interruption_is_told_and_the_command_goes_on(
    miqanet: Command, rated: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, ran = benchmarking.run_task, []

    def run_task(task: benchmarking.Task, tell: Callable[[str], None]) -> None:
        ran.append(task.fold.name)
        if len(ran) == 2:
            raise KeyboardInterrupt
        real(task, tell)

    monkeypatch.setattr(benchmarking, "run_task", run_task)
    command = (
        "benchmark",
        rated,
        "--out",
        tmp_path,
        "--method",
        "measures",
        "--rotations",
        2,
        "--workers",
        1,
    )
    stopped = miqanet(*command)
    assert stopped.exit_code == 130
    assert "The same command goes on" in said(stopped)
    assert not (tmp_path / "tables.md").exists()
    assert miqanet(*command).exit_code == 0
    assert ran == ["rotation-0", "rotation-1", "rotation-1"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--method", "alexnet"), "'alexnet' is none of miqanet, resnet34"),
        (("--protocol", "random"), "'random' is none of P0, P1, P2"),
        (("--protocol", "P0,P1", "--fresh"), "P0 splits images"),
        (("--run", "nowhere"), "nowhere holds no run.json"),
        (("--run", "nowhere", "--method", "miqanet"), "leave --method out"),
        (("--fold", "rotation-7"), "no fold is called rotation-7"),
    ],
)
def test_what_makes_no_sense_is_told(
    miqanet: Command, rated: Path, tmp_path: Path, arguments: tuple[str, ...], message: str
) -> None:
    result = miqanet("benchmark", rated, "--out", tmp_path / "out", *arguments)
    assert result.exit_code == 2, result.output
    assert message in said(result).replace("│ ", "").replace(" │", "")
    assert not (tmp_path / "out").exists()


def test_what_cannot_be_written_or_read_is_told(miqanet: Command, rated: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    result = miqanet("benchmark", rated, "--out", tmp_path / "file", "--method", "measures")
    assert result.exit_code == 2
    assert "file" in said(result)
    copied = tmp_path / "copied"
    shutil.copytree(rated, copied)
    image = next((copied / "images").iterdir())
    image.write_bytes(image.read_bytes()[:200])
    result = miqanet("benchmark", copied, "--out", tmp_path / "out", "--method", "brisque", "--workers", 1)
    assert result.exit_code == 2
    assert f"{image} is damaged" in said(result)


def test_a_database_without_clean_slices_has_nothing_to_spoil(
    miqanet: Command, rated: Path, tmp_path: Path
) -> None:
    imported = tmp_path / "imported"
    shutil.copytree(rated, imported)
    with Database.open(imported) as opened, opened.engine.begin() as connection:
        connection.execute(text("UPDATE images SET source_id = NULL"))
        connection.execute(text("DELETE FROM sources"))
    result = miqanet("benchmark", imported, "--out", tmp_path / "out", "--method", "resnet34", "--fresh")
    assert result.exit_code == 2
    assert "holds no clean slices to spoil; leave --fresh out" in said(result)


def test_no_database_is_told(miqanet: Command, tmp_path: Path) -> None:
    result = miqanet("benchmark", tmp_path, "--out", tmp_path / "out")
    assert result.exit_code == 2
    assert "miqanet database build" in said(result)


def test_other_settings_do_not_mix(miqanet: Command, rated: Path, finished: tuple[Path, Result]) -> None:
    out, _ = finished
    path = out / "folds" / "P1" / "rotation-0" / "measures.parquet"
    kept = path.read_bytes()
    before = FoldPredictions.read(path)
    try:
        replace(before, facts=replace(before.facts, settings={"machine": "another"})).write(path)
        result = miqanet("benchmark", rated, "--out", out, "--method", "measures")
        assert result.exit_code == 2
        assert "choose another --out, or delete it" in said(result)
        # Nor is another fold of the row begun that would not go with it.
        (out / "folds" / "P1" / "rotation-1" / "measures.parquet").rename(out / "aside")
        result = miqanet("benchmark", rated, "--out", out, "--method", "measures", "--fold", "rotation-1")
        assert result.exit_code == 2
        assert "choose another --out, or delete it" in said(result)
        (out / "aside").rename(out / "folds" / "P1" / "rotation-1" / "measures.parquet")
    finally:
        path.write_bytes(kept)


def test_a_missing_extra_is_named(miqanet: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real: Callable[..., object] = importlib.util.find_spec

    def find_spec(name: str, *arguments: object) -> object:
        return None if name == "sklearn" else real(name, *arguments)

    monkeypatch.setattr(importlib.util, "find_spec", find_spec)
    result = miqanet("benchmark", tmp_path, "--out", tmp_path / "out")
    assert result.exit_code == 2
    assert "sklearn is not installed: run `pip install 'miqanet[benchmark]'`" in said(result)

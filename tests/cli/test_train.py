"""`miqanet train`: what it tells, refuses and goes on with."""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from typer.testing import Result

from miqanet.database.folds import Role
from miqanet.database.query import Database
from miqanet.database.records import labels_sha256
from miqanet.networks import NETWORKS, MIQANet, make_network
from miqanet.training import fit as fitting
from miqanet.training.curve import read_curve
from miqanet.training.run import Run

Command = Callable[..., Result]


def said(result: Result) -> str:
    return " ".join(result.stderr.split())


def test_a_run_tells_its_data_and_every_epoch(trained: tuple[Path, Result], database: Path) -> None:
    run, result = trained
    assert result.exit_code == 0, result.output
    assert "training on 1 clean slices, spoiled afresh" in result.stdout
    assert "validation images" in result.stdout
    assert "held-out images" in result.stdout
    assert "epoch 1 of 1: artifact loss" in result.stdout
    assert f"next: miqanet export {run} {database}" in result.stdout
    for chatter in ("Tip:", "GPU available", "litlogger", "warn"):
        assert chatter not in result.output
    assert (run / "best.ckpt").exists()
    assert len(read_curve(run)) == 1


def test_the_run_is_recorded_with_its_hardware(trained: tuple[Path, Result], database: Path) -> None:
    run = Run.read(trained[0])
    assert run.settings["size"] == 64
    assert run.network == "miqanet"
    assert run.held_out == ("site-b",)
    assert run.hardware
    with Database.open(database) as opened:
        assert run.data_sha256 == opened.fingerprint()
        roles = list(run.roles(opened.subjects(), opened.subject_names()).values())
    assert [roles.count(role) for role in Role] == [1, 1, 1, 1]


def test_a_finished_run_is_not_trained_again(
    miqanet: Command, tiny: tuple[str, ...], trained: tuple[Path, Result], database: Path
) -> None:
    run, _ = trained
    before = (run / "last.ckpt").stat().st_mtime_ns
    again = miqanet("train", database, "--out", run, "--hold-out", "site-b", *tiny[:-1], "1")
    assert again.exit_code == 0, again.output
    assert "continuing after epoch 1 of 1" in again.stdout
    assert "best epoch" in again.stdout
    assert (run / "last.ckpt").stat().st_mtime_ns == before


@pytest.mark.parametrize(
    "change", [("--seed", "1"), ("--epochs", "2"), ("--stored",), ("--hold-out", "site-a")]
)
def test_other_settings_do_not_overwrite_a_run(
    miqanet: Command,
    tiny: tuple[str, ...],
    trained: tuple[Path, Result],
    database: Path,
    change: tuple[str, ...],
) -> None:
    again = miqanet("train", database, "--out", trained[0], "--hold-out", "site-b", *tiny, *change)
    assert again.exit_code == 2
    assert "holds a run with other settings or data; choose another --out" in said(again)


def test_a_run_says_whom_and_what_it_saw_and_who_chose(trained: tuple[Path, Result], database: Path) -> None:
    run = Run.read(trained[0])
    with Database.open(database) as opened:
        names = set(opened.subject_names().values())
        assert run.labels_sha256 == labels_sha256(opened.images())
        assert set(run.body_parts) <= {source.body_part for source in opened.sources()}
    assert run.body_parts
    assert run.trained_on
    assert run.validated_on
    assert {*run.trained_on, *run.validated_on} <= names
    assert not set(run.trained_on) & set(run.validated_on)


def test_a_run_does_not_go_on_with_other_labels(
    miqanet: Command, tiny: tuple[str, ...], trained: tuple[Path, Result], database: Path, tmp_path: Path
) -> None:
    shutil.copytree(trained[0], tmp_path / "run")
    run = Run.read(trained[0])
    replace(run, labels_sha256="of other labels").write(tmp_path / "run")
    again = miqanet("train", database, "--out", tmp_path / "run", "--hold-out", "site-b", *tiny)
    assert again.exit_code == 2
    assert "holds a run with other settings or data" in said(again)


def test_a_run_may_begin_with_another_and_goes_on_after_an_interruption(
    miqanet: Command,
    tiny: tuple[str, ...],
    trained: tuple[Path, Result],
    database: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    calls: list[dict[str, object]] = []

    def fit(*_arguments: object, **options: object) -> Path:
        calls.append(options)
        if len(calls) == 1:
            raise KeyboardInterrupt
        return tmp_path / "best.ckpt"

    monkeypatch.setattr(fitting, "fit", fit)
    command = ("train", database, "--out", tmp_path / "run", "--start", trained[0], "--stored", *tiny)
    stopped = miqanet(*command)
    assert stopped.exit_code == 130
    assert "The same command continues" in said(stopped)
    assert miqanet(*command).exit_code == 0
    MIQANet().load_state_dict(
        {name: value for name, value in calls[1]["start"].items() if "artifact_fc" not in name}
    )
    begun = Run.read(tmp_path / "run").started_from
    assert begun is not None
    assert begun["settings"]["size"] == 64


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--images-per-epoch", "2"), "an epoch of 2 images has no batch of 4"),
        (("--hold-out", "site-z"), "no dataset or body part to hold out is called site-z"),
        (("--hold-out", "site-a"), "too few subjects"),
        (("--final",), "has been measured on its test subjects: give it by --start"),
        (("--start", "nowhere"), "nowhere holds no run.json"),
        (
            ("--start", "nameless"),
            "nameless holds no run.json: it is no folder of a training run, nor of weights",
        ),
        (("--start", "begun"), "begun holds neither exported weights nor a run that has finished an epoch"),
        (("--network", "alexnet"), "no network is called alexnet; there are miqanet, resnet34"),
        (("--pretrained", "nowhere.pth"), "nowhere.pth"),
        (("--pretrained", "nowhere.pth", "--start", "nowhere"), "with --start or with --pretrained"),
        (("--devices", "3"), "no batch of 4 for each of 3 devices"),
        (("--stored", "--batch", "60", "--images-per-epoch", "60"), "too few for --batch 60"),
    ],
)
def test_what_cannot_be_trained_is_told(
    miqanet: Command,
    tiny: tuple[str, ...],
    database: Path,
    tmp_path: Path,
    arguments: tuple[str, ...],
    message: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("begun", "nameless"):
        Path(name).mkdir()
    Path("nameless", "miqanet.safetensors").touch()
    Run({"size": 64}, "", (), 0, True).write(Path("begun"))
    result = miqanet("train", database, "--out", tmp_path / "run", *tiny, *arguments)
    assert result.exit_code == 2, result.output
    assert message in said(result)
    assert not (tmp_path / "run").exists()


def test_a_rival_begins_with_imagenet_at_its_own_rate(
    miqanet: Command,
    tiny: tuple[str, ...],
    database: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    calls: list[dict[str, Any]] = []

    def fit(*arguments: Any, **options: Any) -> Path:
        calls.append({"settings": arguments[3], **options})
        return tmp_path / "best.ckpt"

    monkeypatch.setattr(fitting, "fit", fit)
    imagenet = make_network("squeezenet", channels=3, classes=1000).state_dict()
    torch.save(imagenet, tmp_path / "squeezenet.pth")
    run = tmp_path / "run"
    command = ("train", database, "--out", run, "--network", "squeezenet", *tiny)
    result = miqanet(*command, "--pretrained", tmp_path / "squeezenet.pth")
    assert result.exit_code == 0, result.output
    (call,) = calls
    assert call["settings"].learning_rate == NETWORKS["squeezenet"].learning_rate
    assert torch.equal(call["start"]["features.12.squeeze.weight"], imagenet["features.12.squeeze.weight"])
    assert Run.read(run).network == "squeezenet"
    assert Run.read(run).started_from == {"pretrained": "squeezenet.pth"}
    # Another network cannot go on with it.
    other = miqanet("train", database, "--out", tmp_path / "other", "--start", run, *tiny)
    assert other.exit_code == 2
    assert "holds a run of squeezenet; give --network squeezenet" in said(other)


def test_no_database_is_told(miqanet: Command, tiny: tuple[str, ...], tmp_path: Path) -> None:
    result = miqanet("train", tmp_path, "--out", tmp_path / "run", *tiny)
    assert result.exit_code == 2
    assert "miqanet database build" in said(result)


@pytest.mark.parametrize(("command", "missing"), [("train", "lightning"), ("export", "nncf")])
def test_a_missing_extra_is_named(
    miqanet: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str, missing: str
) -> None:
    real: Callable[..., object] = importlib.util.find_spec

    def find_spec(name: str, *arguments: object) -> object:
        return None if name == missing else real(name, *arguments)

    monkeypatch.setattr(importlib.util, "find_spec", find_spec)
    arguments = (tmp_path, "--out", tmp_path / "out")
    result = miqanet(
        command, *(arguments if command == "train" else (tmp_path, *arguments, "--version", "1"))
    )
    assert result.exit_code == 2
    assert f"{missing} is not installed: run `pip install 'miqanet[train]'`" in said(result)

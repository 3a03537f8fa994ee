"""A network learns in a fold, from the start or from where it was interrupted, at its own size throughout."""

from __future__ import annotations

import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from miqanet.database.records import SourceRecord
from miqanet.evaluation.benchmark import Task, run_tasks
from miqanet.evaluation.methods import NetworkMethod
from miqanet.evaluation.predictions import FoldPredictions
from miqanet.evaluation.protocols import Protocol, folds
from miqanet.training import fit as fitting
from miqanet.training.module import QualityModule

TINY = NetworkMethod("squeezenet", size=64, epochs=1, batch=4, workers=0)


@pytest.fixture
def fold(world):
    fold = folds(Protocol.P1, world.images, world.subjects)[0]
    return replace(fold, train=fold.train[:8], validation=fold.validation[:6], test=fold.test[:5])


def test_a_network_learns_and_is_tested_at_its_own_size(world, fold, tmp_path, monkeypatch):
    sizes = set()
    step = QualityModule.validation_step

    def noting(self, batch, *rest):
        sizes.add(batch.image.shape[-1])
        return step(self, batch, *rest)

    monkeypatch.setattr(QualityModule, "validation_step", noting)
    told = []
    task = Task(TINY, fold, tmp_path, world.sha256)
    assert run_tasks([task], tell=told.append, done=lambda _task: None) == []
    assert sizes == {64}
    assert told[0].startswith("squeezenet, P1 rotation-0: epoch 1 of 1")
    answers = FoldPredictions.read(task.finished)
    assert len(answers.image) == 11
    assert np.isfinite(answers.score).all()
    assert answers.facts.settings["images"] == "stored"
    assert answers.facts.minutes > 0
    # Checkpoints of a finished fold are not kept.
    assert not list(tmp_path.rglob("*.ckpt"))


def test_an_interrupted_network_goes_on_with_its_last_epoch(world, fold, tmp_path):
    def interrupt(line: str) -> None:
        if "epoch 2" in line:
            raise KeyboardInterrupt

    task = Task(replace(TINY, epochs=2), fold, tmp_path, world.sha256)
    with pytest.raises(KeyboardInterrupt):
        run_tasks([task], tell=interrupt, done=lambda _task: None)
    assert not task.finished.exists()
    told: list[str] = []
    assert run_tasks([task], tell=told.append, done=lambda _task: None) == []
    assert [line.split(": ")[1] for line in told] == ["epoch 2 of 2"]
    assert task.finished.exists()


def test_fresh_artifacts_are_put_into_slices_of_training_subjects_only(world, fold, tmp_path, monkeypatch):
    slices = tuple(SourceRecord(Path("x"), each.subject, "d", "brain", "") for each in world.subjects)
    asked = {}

    def fit(run, training, watched, settings, **options):
        asked.update(training=training, watched=watched, settings=settings, options=options)
        return run / "best.ckpt"

    monkeypatch.setattr(fitting, "fit", fit)
    method = replace(TINY, sources=slices, images_per_epoch=20)
    pickle.loads(pickle.dumps(method)).fit(fold.train, fold.validation, tmp_path, print)  # noqa: S301
    assert {each.subject for each in asked["training"]} == {image.subject for image in fold.train}
    assert list(asked["watched"]["validation"]) == list(fold.validation)
    assert asked["settings"].network == "squeezenet"
    assert asked["options"]["watched_size"] == 64
    assert method.settings["images"] == "spoiled afresh"
    assert method.settings["images_per_epoch"] == 20
    assert "images_per_epoch" not in TINY.settings


def test_processors_that_prepare_images_are_no_setting():
    assert replace(TINY, workers=3).settings == TINY.settings

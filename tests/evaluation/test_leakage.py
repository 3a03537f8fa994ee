"""A method that knows people by heart is found out under P0, and has nothing to go by under P1."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

from miqanet.evaluation.benchmark import run_tasks
from miqanet.evaluation.leakage import leakage_statement, leakage_tasks, random_labels
from miqanet.evaluation.methods import Fitted


@dataclass(frozen=True)
class Memory:
    """Remembers the label of each subject; of others it guesses."""

    name: str = "memory"

    @property
    def settings(self) -> Mapping[str, Any]:
        return {"size": 64, "epochs": 1}

    def fit(self, train, _validation, _folder, _tell):
        labels = {image.subject: image.low for image in train}

        def predict(images):
            rng = np.random.default_rng(0)
            return np.array([0.5 + 0.4 * (2 * labels.get(i.subject, rng.random() < 0.5) - 1) for i in images])

        return Fitted(predict, "a desk")


def test_a_subject_has_one_label_for_all_its_images(world, tmp_path):
    labels = random_labels(world.images)
    assert set(labels) == {image.subject for image in world.images}
    assert sum(labels.values()) == len(labels) // 2
    assert labels != random_labels(world.images, seed=1)
    for task in leakage_tasks(Memory(), world, tmp_path):
        for image in (*task.fold.train, *task.fold.validation, *task.fold.test):
            assert image.low == labels[image.subject]
            # Nothing else may tell what is low.
            assert image.low_votes is None
            assert not image.harms


def test_what_is_remembered_of_people_shows_above_the_null(world, tmp_path):
    tasks = leakage_tasks(Memory(), world, tmp_path)
    assert [str(task.fold) for task in tasks] == ["P0 rotation-0", "P1 rotation-0"]
    assert leakage_statement("memory", world, tmp_path) is None
    assert not run_tasks(tasks, tell=lambda _line: None, done=lambda _task: None)
    found = leakage_statement("memory", world, tmp_path)
    assert found is not None
    assert found["P0"]["accuracy"]["value"] > 0.95
    assert 0.2 < found["P1"]["accuracy"]["value"] < 0.8
    above = found["accuracy_above_null"]
    assert above["value"] == pytest.approx(
        found["P0"]["accuracy"]["value"] - found["P1"]["accuracy"]["value"]
    )
    assert 0 <= above["least"] < above["value"] < above["greatest"]
    assert found["settings"] == {"size": 64, "epochs": 1}
    with pytest.raises(ValueError, match="another database"):
        leakage_statement("memory", replace(world, sha256="def"), tmp_path)

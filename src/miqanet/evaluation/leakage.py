"""A probe for leakage: can a network tell a subject's images by nothing but who was imaged?

Every subject gets one random label for all its images. Under P1, which tests on other subjects, nothing can be
learned: that is the null. What P0, which tests on images of the subjects learned from, scores above it comes from
recognizing people, and would come on top of real labels, too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from miqanet.consensus import Estimate
from miqanet.database.records import ImageRecord
from miqanet.evaluation.benchmark import Task, fold_file, read_finished
from miqanet.evaluation.bootstrap import estimate, estimates, stated
from miqanet.evaluation.data import Data
from miqanet.evaluation.methods import Method
from miqanet.evaluation.metrics import Array, Judged, accuracy, auc
from miqanet.evaluation.protocols import Fold, Protocol, folds
from miqanet.evaluation.rows import Row

_FOLDER = "leakage"


def leakage_tasks(method: Method, data: Data, out: Path) -> list[Task]:
    """Return what the probe has to do: the first rotation of P0, and of P1, with random labels."""
    return [Task(method, fold, out / _FOLDER, data.sha256) for fold in _relabelled_folds(data)]


def _relabelled_folds(data: Data) -> list[Fold]:
    labels = random_labels(data.images)

    def labelled(images: Sequence[ImageRecord]) -> tuple[ImageRecord, ...]:
        # Neither votes nor artifacts may tell what the label no longer does.
        return tuple(
            replace(image, low=labels[image.subject], low_votes=None, harms={}, severity=None)
            for image in images
        )

    first = [folds(protocol, data.images, data.subjects)[0] for protocol in (Protocol.P0, Protocol.P1)]
    return [
        replace(
            fold, train=labelled(fold.train), validation=labelled(fold.validation), test=labelled(fold.test)
        )
        for fold in first
    ]


def random_labels(images: Sequence[ImageRecord], seed: int = 0) -> dict[int, bool]:
    """Return a label for each subject, low for half of them."""
    subjects = sorted({image.subject for image in images})
    low = np.random.default_rng(seed).permutation(len(subjects)) < len(subjects) // 2
    return dict(zip(subjects, low.tolist(), strict=True))


def leakage_statement(method: str, data: Data, out: Path) -> dict[str, Any] | None:
    """Return what the probe found, in JSON's types; None until both of its tasks are finished.

    Raises:
        ValueError: a file is damaged, or its images have changed.
    """
    if not (out / _FOLDER).is_dir():
        return None
    probed = _relabelled_folds(data)
    paths = [fold_file(out / _FOLDER, fold.protocol, fold.name, method) for fold in probed]
    if not all(path.exists() for path in paths):
        return None
    found: dict[str, Any] = {"method": method}
    judged = []
    for path, fold in zip(paths, probed, strict=True):
        answers = read_finished(path, fold, data.sha256)
        judged.append(Row.of([answers], {image.image: image for image in fold.test}).judged)
        figures = stated(estimates({"accuracy": accuracy, "auc": auc}, judged[-1]))
        found[fold.protocol] = {"images": len(judged[-1]), **figures}
        found["settings"] = answers.facts.settings
    found["accuracy_above_null"] = stated(_above(*judged))
    return found


def _above(one: Judged, null: Judged) -> Estimate:
    """Return how much more accurate the one is, subjects of both drawn together."""

    def gap(_joined: Judged, weights: Array) -> Array:
        return accuracy(one, weights[:, : len(one)]) - accuracy(null, weights[:, len(one) :])

    return estimate(gap, one.beside(null))

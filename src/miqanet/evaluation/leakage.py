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

from miqanet.database.folds import Role
from miqanet.database.records import ImageRecord
from miqanet.evaluation.benchmark import Task, fold_file
from miqanet.evaluation.bootstrap import estimates
from miqanet.evaluation.data import Data
from miqanet.evaluation.methods import Method
from miqanet.evaluation.metrics import Judged, accuracy, auc
from miqanet.evaluation.predictions import FoldPredictions
from miqanet.evaluation.protocols import Protocol, folds
from miqanet.evaluation.rows import stated

_FOLDER = "leakage"


def leakage_tasks(method: Method, data: Data, out: Path) -> list[Task]:
    """Return what the probe has to do: the first rotation of P0, and of P1, with random labels."""
    first = [folds(protocol, data.images, data.subjects)[0] for protocol in (Protocol.P0, Protocol.P1)]
    labels = random_labels(data.images)

    def labelled(images: Sequence[ImageRecord]) -> tuple[ImageRecord, ...]:
        # Neither votes nor artifacts may tell what the label no longer does.
        return tuple(
            replace(image, low=labels[image.subject], low_votes=None, harms={}, severity=None)
            for image in images
        )

    tasks = []
    for fold in first:
        train, validation, test = (labelled(part) for part in (fold.train, fold.validation, fold.test))
        relabelled = replace(fold, train=train, validation=validation, test=test)
        tasks.append(Task(method, relabelled, out / _FOLDER, data.sha256))
    return tasks


def random_labels(images: Sequence[ImageRecord], seed: int = 0) -> dict[int, bool]:
    """Return a label for each subject, low for half of them."""
    subjects = sorted({image.subject for image in images})
    low = np.random.default_rng(seed).permutation(len(subjects)) < len(subjects) // 2
    return dict(zip(subjects, low.tolist(), strict=True))


def leakage_statement(method: str, data: Data, out: Path) -> dict[str, Any] | None:
    """Return what the probe found, in JSON's types; None until both of its tasks are finished.

    Raises:
        ValueError: a file is damaged, or of another database.
    """
    found: dict[str, Any] = {}
    values = {}
    for protocol in (Protocol.P0, Protocol.P1):
        path = fold_file(out / _FOLDER, protocol, "rotation-0", method)
        if not path.exists():
            return None
        answers = FoldPredictions.read(path)
        if answers.facts.data_sha256 != data.sha256:
            raise ValueError(f"{path} is of another database; choose another --out")
        tested = answers.role == Role.TEST
        judged = Judged(
            answers.probability_low[tested],
            answers.low[tested],
            np.asarray([data.by_number[int(number)].subject for number in answers.image[tested]], np.int64),
        )
        figures = estimates({"accuracy": accuracy, "auc": auc}, judged)
        values[protocol] = figures["accuracy"].value
        found[protocol] = {"images": len(judged), **stated(figures)}
        found |= {"method": method, "settings": answers.facts.settings}
    found["accuracy_above_null"] = values[Protocol.P0] - values[Protocol.P1]
    return found

"""Methods by protocols: every method learns and is tested in every fold, and a finished fold is not done again."""

from __future__ import annotations

import json
import re
import shutil
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np

from miqanet import __version__
from miqanet.database.folds import Role
from miqanet.database.png import write_whole
from miqanet.database.records import ImageRecord
from miqanet.evaluation.calibration import calibrate
from miqanet.evaluation.methods import Method
from miqanet.evaluation.predictions import FoldFacts, FoldPredictions
from miqanet.evaluation.protocols import Fold
from miqanet.evaluation.workers import in_processes

Tell = Callable[[str], None]

_BEGUN_FILE = "begun.json"
_CLOCK_FILE = "minutes.json"


@dataclass(frozen=True, eq=False, slots=True)
class Task:
    """A method in a fold."""

    method: Method
    fold: Fold
    out: Path
    """Folder of the benchmark."""

    data_sha256: str
    """Fingerprint of the database."""

    @property
    def finished(self) -> Path:
        """The file that is there once the fold is finished."""
        return fold_file(self.out, self.fold.protocol, self.fold.name, self.method.name)

    @property
    def working(self) -> Path:
        """The folder of what is unfinished."""
        return self.out / "unfinished" / self.fold.protocol / _plain(self.fold.name) / self.method.name

    def __str__(self) -> str:
        return f"{self.method.name}, {self.fold}"


def fold_file(out: Path, protocol: str, fold: str, method: str) -> Path:
    """Return where the predictions of a fold lie in the folder of a benchmark."""
    return out / "folds" / protocol / _plain(fold) / f"{method}.parquet"


def read_finished(path: Path, fold: Fold, data_sha256: str) -> FoldPredictions:
    """Return the answers of a finished fold.

    Raises:
        ValueError: the file is damaged, of another database, or its fold had other images or labels.
    """
    answers = FoldPredictions.read(path)
    if answers.facts.data_sha256 != data_sha256:
        raise ValueError(f"{path} is of another database; choose another --out")
    if answers.facts.fold_sha256 != fold.sha256:
        raise ValueError(
            f"{path} was done before images were labelled, or labelled otherwise: "
            "choose another --out, or delete what is of the old labels"
        )
    return answers


def unfinished(tasks: Iterable[Task]) -> list[Task]:
    """Return the tasks that have not been done.

    Raises:
        ValueError: a finished one was done with other settings or data, and would not go with the rest.
    """
    tasks = list(tasks)
    rows = {(task.finished.parents[1], task.finished.name): dict(task.method.settings) for task in tasks}
    for (folder, name), settings in rows.items():
        # The row's other folds, too: what would not go with them is better not begun.
        for path in sorted(folder.glob(f"*/{name}")):
            made_with = FoldPredictions.read(path).facts.settings
            if made_with != settings:
                raise ValueError(
                    f"{path} was made with {made_with}, not {settings}; choose another --out, or delete it"
                )
    for task in tasks:
        if task.finished.exists():
            read_finished(task.finished, task.fold, task.data_sha256)
    return [task for task in tasks if not task.finished.exists()]


def run_tasks(
    tasks: Sequence[Task], *, slots: Sequence[dict[str, str]] = (), tell: Tell, done: Callable[[Task], None]
) -> list[tuple[Task, str]]:
    """Do tasks, calling `done` after each, and return those that failed with the reason.

    Args:
        tasks: not done before.
        slots: for each task at a time the environment of its process; without any, tasks are done in this one.
        tell: takes a line on what happens.
        done: takes a task that has ended, well or not.

    Raises:
        KeyboardInterrupt: finished folds are kept, and networks go on after their last finished epoch.
    """
    if slots:
        return in_processes(tasks, run_task, slots, tell, done)
    failed = []
    for task in tasks:
        try:
            run_task(task, tell)
        except (OSError, RuntimeError, ValueError) as error:
            failed.append((task, str(error)))
        done(task)
    return failed


def run_task(task: Task, tell: Tell) -> None:
    """Learn from the training images of a fold, calibrate on its validation images, judge its test images once.

    Images of subjects that the method knows from elsewhere are left out.

    Raises:
        ValueError: it cannot be learned from these images, a class is missing among the validation images, fewer
            than half of the test subjects are left, or the fold was begun with other settings or data.
    """
    fold = task.fold
    low = np.asarray([image.low for image in fold.validation], bool)
    if low.all() or not low.any():
        raise ValueError("its validation images are not of both classes")
    _begin(task)
    with _Clock(task.working / _CLOCK_FILE) as clock:
        fitted = task.method.fit(
            fold.train, fold.validation, task.working, lambda line: tell(f"{task}: {line}")
        )
    validation = _without(fold.validation, fitted.learned_from)
    test = _without(fold.test, fitted.learned_from | fitted.chosen_by)
    _check_enough(test, fold.test)
    on_validation = fitted.predict(validation)
    calibration = calibrate(on_validation, np.asarray([image.low for image in validation], bool))
    on_test = fitted.predict(test)
    facts = FoldFacts(
        method=task.method.name,
        protocol=fold.protocol,
        fold=fold.name,
        settings=dict(task.method.settings),
        minutes=clock.minutes if fitted.minutes is None else fitted.minutes,
        hardware=fitted.hardware,
        temperature=calibration.scaling.temperature,
        bias=calibration.scaling.bias,
        review_band=calibration.thresholds.review_band,
        body_parts_seen=tuple(
            sorted(fold.body_parts_seen if fitted.body_parts is None else fitted.body_parts)
        ),
        data_sha256=task.data_sha256,
        fold_sha256=fold.sha256,
        version=__version__,
        left_out={
            Role.VALIDATION: _difference(fold.validation, validation),
            Role.TEST: _difference(fold.test, test),
        },
    )
    score = np.concatenate([on_validation, on_test])
    FoldPredictions.of(facts, validation, test, score, calibration.scaling.apply(score)).write(task.finished)
    # Checkpoints of a network with their optimizer take hundreds of megabytes a fold.
    shutil.rmtree(task.working)
    with suppress(OSError):  # Another method's fold is unfinished beside it.
        task.working.parent.rmdir()
        task.working.parent.parent.rmdir()
        task.working.parent.parent.parent.rmdir()


def _without(images: Iterable[ImageRecord], subjects: Collection[int]) -> list[ImageRecord]:
    return [image for image in images if image.subject not in subjects]


def _difference(images: Iterable[ImageRecord], kept: Iterable[ImageRecord]) -> list[int]:
    """Return the numbers of the images that were not kept."""
    return sorted({image.image for image in images}.difference(image.image for image in kept))


def _check_enough(left: Iterable[ImageRecord], test: Iterable[ImageRecord]) -> None:
    """Raise ValueError where what is left of a test fold no longer stands for it."""
    number, of_all = (len({image.subject for image in images}) for images in (left, test))
    if not number or 2 * number < of_all:
        raise ValueError(
            f"it learned from, or was chosen by, {of_all - number} of the {of_all} subjects that the fold tests on: "
            "too few are left"
        )


def _begin(task: Task) -> None:
    """Make the folder of what is unfinished, or see to it that what was begun in it is to be gone on with."""
    asked = {
        "settings": dict(task.method.settings),
        "data_sha256": task.data_sha256,
        "fold_sha256": task.fold.sha256,
        "version": __version__,
    }
    begun = task.working / _BEGUN_FILE
    if begun.exists() and json.loads(begun.read_text(encoding="utf-8")) != asked:
        raise ValueError(
            f"{task.working} was begun with other settings, data or labels, or by another version; "
            "choose another --out, or delete it"
        )
    task.working.mkdir(parents=True, exist_ok=True)
    write_whole(begun, json.dumps(asked).encode())


class _Clock:
    """Minutes spent within a `with` statement, in this process and in earlier ones that were interrupted."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.minutes = json.loads(path.read_text(encoding="utf-8")) if path.exists() else 0.0

    def __enter__(self) -> _Clock:
        self._began = time.monotonic()
        return self

    def __exit__(self, *_: Any) -> None:
        self.minutes += (time.monotonic() - self._began) / 60
        write_whole(self._path, json.dumps(self.minutes).encode())


def _plain(name: str) -> str:
    """Return a name of a fold for use as the name of a folder: another for each."""
    return re.sub(r"^\.", "%2E", quote(name, safe=" "))

"""What a model card states: choices from validation subjects, figures from subjects that training never saw."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from miqanet.database.folds import Role
from miqanet.database.png import read_png
from miqanet.database.records import ImageRecord, SourceRecord
from miqanet.evaluation.bootstrap import estimate, estimates, stated
from miqanet.evaluation.calibration import Calibration, calibrate
from miqanet.evaluation.metrics import (
    Array,
    Figure,
    Judged,
    accuracy,
    auc,
    calibration_error,
    false_alarm_rate,
    miss_rate,
    share,
)
from miqanet.evaluation.thresholds import DEFAULT_RATES, ErrorRates, Thresholds, artifact_threshold
from miqanet.preprocessing import prepare
from miqanet.screening.scaling import Scaling

Judge = Callable[[NDArray[np.float32]], tuple[float, NDArray[np.float32]]]
"""From a prepared image, (512, 512), to the probability of low and of each artifact, (kinds,)."""


@dataclass(frozen=True, eq=False, slots=True)
class Answers:
    """What a model said of the images of a database and of the clean slices they were made from."""

    images: Sequence[ImageRecord]
    image_low: Array
    image_artifacts: NDArray[np.float32]
    """(images, kinds)"""

    sources: Sequence[SourceRecord]
    source_low: Array

    def scaled(self, scaling: Scaling) -> Answers:
        """Return the answers with their probabilities of low scaled."""
        return replace(
            self, image_low=scaling.apply(self.image_low), source_low=scaling.apply(self.source_low)
        )


def ask(
    judge: Judge, images: Sequence[ImageRecord], sources: Sequence[SourceRecord], progress: Callable[[], None]
) -> Answers:
    """Judge images and clean slices, calling `progress` after each."""

    def answer(record: ImageRecord | SourceRecord) -> tuple[float, NDArray[np.float32]]:
        answered = judge(prepare(read_png(record.path)))
        progress()
        return answered

    of_images = [answer(image) for image in images]
    of_sources = [answer(source)[0] for source in sources]
    return Answers(
        images,
        np.asarray([low for low, _ in of_images]),
        np.stack([artifacts for _, artifacts in of_images]),
        sources,
        np.asarray(of_sources),
    )


def choose(
    answers: Answers, roles: Mapping[int, Role], kinds: Sequence[str], rates: ErrorRates = DEFAULT_RATES
) -> tuple[Calibration, dict[str, float]]:
    """Calibrate the verdict, and choose the threshold of each artifact, on the validation subjects.

    Raises:
        ValueError: their images are all of one class.
    """
    chosen = _having(answers.images, roles, Role.VALIDATION)
    records = [answers.images[i] for i in chosen]
    low = np.asarray([record.low for record in records], bool)
    # Clean slices as they are have a say in the thresholds: they are what a screening mostly sees.
    clean = answers.source_low[_having(answers.sources, roles, Role.VALIDATION)]
    calibration = calibrate(answers.image_low[chosen], low, rates, clean)
    naming = {
        kind: artifact_threshold(
            answers.image_artifacts[chosen, place], np.asarray([kind in record.kinds for record in records])
        )
        for place, kind in enumerate(kinds)
    }
    return calibration, naming


def measure(
    answers: Answers, roles: Mapping[int, Role], role: Role, thresholds: Thresholds
) -> dict[str, Any]:
    """Return the figures of one role's subjects with subject-level 95 % intervals.

    `clean` are the slices as they came, `high` and `low` the images of the database by their labels. What is
    `passed` or `condemned` lies below or above the review band: it is decided without a person. By artifact
    are told those that it alone spoils (harm of at least 1). A figure for which the images are missing is None.

    Args:
        answers: scaled as for `thresholds`.
        roles: of the subjects.
        role: the one to measure.
        thresholds: of the probability of low.
    """
    threshold, (least, greatest) = thresholds.decision, thresholds.review_band
    chosen = _having(answers.images, roles, role)
    records = [answers.images[i] for i in chosen]
    labelled = Judged(
        answers.image_low[chosen],
        np.asarray([record.low for record in records], bool),
        np.asarray([record.subject for record in records], np.int64),
    )
    unspoiled = _having(answers.sources, roles, role)
    clean = Judged(
        answers.source_low[unspoiled],
        np.zeros(len(unspoiled), bool),
        np.asarray([answers.sources[i].subject for i in unspoiled], np.int64),
    )
    against_clean = labelled.take(labelled.low).beside(clean)
    inside = (labelled.probability_low >= least) & (labelled.probability_low < greatest)
    of_labelled: dict[str, Figure] = {
        "auc_low_against_high": auc,
        "high_called_low": partial(false_alarm_rate, threshold=threshold),
        "low_called_high": partial(miss_rate, threshold=threshold),
        "accuracy": partial(accuracy, threshold=threshold),
        "calibration_error": calibration_error,
        "decided": partial(share, event=~inside, among=np.ones_like(inside)),
        "low_passed": partial(miss_rate, threshold=least),
        "high_condemned": partial(false_alarm_rate, threshold=greatest),
    }
    of_clean = partial(false_alarm_rate, threshold=threshold)
    return {
        "subjects": len(set(labelled.subject.tolist()) | set(clean.subject.tolist())),
        "images": {"low": int(labelled.low.sum()), "high": int((~labelled.low).sum()), "clean": len(clean)},
        "auc_low_against_clean": stated(estimate(auc, against_clean)),
        "clean_called_low": stated(estimate(of_clean, clean)),
        **stated(estimates(of_labelled, labelled)),
        "detected_by_artifact": _called_low(
            [record.kinds[0] if len(record.kinds) == 1 else None for record in records],
            labelled.probability_low >= threshold,
        ),
        "clean_called_low_by_body_part": _called_low(
            [answers.sources[i].body_part for i in unspoiled], clean.probability_low >= threshold
        ),
    }


def _called_low(parts: Sequence[str | None], called_low: NDArray[np.bool_]) -> dict[str, dict[str, int]]:
    """Count the images of each part, and how many of them are called low; those of no part are left out."""
    counts: dict[str, dict[str, int]] = {}
    for part, called in zip(parts, called_low, strict=True):
        if part is not None:
            count = counts.setdefault(part, {"images": 0, "called_low": 0})
            count["images"] += 1
            count["called_low"] += int(called)
    return dict(sorted(counts.items()))


def _having(
    records: Sequence[ImageRecord | SourceRecord], roles: Mapping[int, Role], role: Role
) -> NDArray[np.intp]:
    return np.asarray([i for i, record in enumerate(records) if roles[record.subject] is role], np.intp)

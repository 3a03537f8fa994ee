"""A row of the tables: what the models of a method's folds said of all images that they were tested on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from miqanet.consensus import Estimate
from miqanet.database.folds import Role
from miqanet.database.records import ImageRecord, VoteRecord
from miqanet.evaluation.bootstrap import estimates, stated
from miqanet.evaluation.calibration import Decided
from miqanet.evaluation.human_frame import human_frame, ratings
from miqanet.evaluation.metrics import (
    TABLE,
    Judged,
    accuracy,
    auc,
    calibration_error,
    calibration_error_by_chance,
    false_alarm_rate,
    miss_rate,
)
from miqanet.evaluation.predictions import FoldPredictions
from miqanet.evaluation.strata import STRATA, parts

_OF_A_PART = {"accuracy": accuracy, "auc": auc, "miss_rate": miss_rate, "false_alarm_rate": false_alarm_rate}


@dataclass(frozen=True, eq=False, slots=True)
class Row:
    """The answers of a method under a protocol, joined over its folds."""

    folds: tuple[FoldPredictions, ...]
    images: tuple[ImageRecord, ...]
    judged: Judged
    """In the order of `images`, as all that follows."""

    passed: NDArray[np.bool_]
    """Called high without a person, by the thresholds of each fold."""

    condemned: NDArray[np.bool_]
    """Called low without a person."""

    fold: NDArray[np.intp]
    """Which of `folds` tested the image."""

    @classmethod
    def of(
        cls,
        folds: Sequence[FoldPredictions],
        images: Mapping[int, ImageRecord],
        role: Role = Role.TEST,
    ) -> Self:
        """Join the answers to the test images of folds (or to the validation images), given all images by number.

        Raises:
            ValueError: an image is labelled otherwise than when its fold was done, or no longer.
        """
        chosen = [fold.role == role for fold in folds]
        numbers = np.concatenate([fold.image[c] for fold, c in zip(folds, chosen, strict=True)])
        if gone := len(set(numbers.tolist()).difference(images)):
            raise ValueError(f"{gone} images had labels when their folds were done, and have none now")
        records = tuple(images[int(number)] for number in numbers)
        judged = Judged(
            np.concatenate([fold.probability_low[c] for fold, c in zip(folds, chosen, strict=True)]),
            np.asarray([record.low for record in records], bool),
            np.asarray([record.subject for record in records], np.int64),
        )
        labels = np.concatenate([fold.low[c] for fold, c in zip(folds, chosen, strict=True)])
        if changed := int((labels != judged.low).sum()):
            raise ValueError(f"{changed} images have other labels than when their folds were done")
        return cls(
            folds=tuple(folds),
            images=records,
            judged=judged,
            passed=np.concatenate([fold.passed[c] for fold, c in zip(folds, chosen, strict=True)]),
            condemned=np.concatenate([fold.condemned[c] for fold, c in zip(folds, chosen, strict=True)]),
            fold=np.repeat(np.arange(len(folds)), [int(c.sum()) for c in chosen]),
        )

    @property
    def numbers(self) -> list[int]:
        """Numbers of the images, in their order."""
        return [image.image for image in self.images]

    @property
    def fold_names(self) -> list[str]:
        """Names of the folds, in their order."""
        return [fold.facts.fold for fold in self.folds]

    def statement(self, votes: Iterable[VoteRecord]) -> dict[str, Any]:
        """Return all that is measured of the row, in JSON's types."""
        facts = self.folds[0].facts
        return {
            "method": facts.method,
            "protocol": facts.protocol,
            "settings": facts.settings,
            "hardware": ", ".join(dict.fromkeys(fold.facts.hardware for fold in self.folds)),
            "minutes": float(np.mean([fold.facts.minutes for fold in self.folds])),
            "images": len(self.images),
            "low": int(self.judged.low.sum()),
            "subjects": len(np.unique(self.judged.subject)),
            "figures": stated(estimates(TABLE, self.judged)),
            "three_way": stated(self._three_way()),
            "human_frame": stated(human_frame(ratings(self.images, votes), self.judged)),
            "strata": {name: self._parts(parts(self.images, name)) for name in STRATA}
            | {"body_part_in_training": self._parts(self._seen())},
            "folds": [self._fold(place) for place in range(len(self.folds))],
        }

    def _three_way(self) -> dict[str, Estimate]:
        """Return the calibration error, and what is decided without a person and how well."""
        votes = [image.low_votes for image in self.images]
        known = [vote for vote in votes if vote is not None]
        decided = Decided(self.judged, self.passed, self.condemned)
        return decided.figures(np.asarray(known) if len(known) == len(votes) else None)

    def _seen(self) -> dict[str, NDArray[np.intp]]:
        """Part the images by whether the training of their fold saw their body part."""
        seen = np.asarray(
            [
                image.body_part in self.folds[fold].facts.body_parts_seen
                for image, fold in zip(self.images, self.fold, strict=True)
            ],
            bool,
        )
        both = {"seen": np.flatnonzero(seen), "unseen": np.flatnonzero(~seen)}
        return {name: places for name, places in both.items() if places.size}

    def _parts(self, places: Mapping[str, NDArray[np.intp]]) -> dict[str, Any]:
        measured = {}
        for name, chosen in places.items():
            judged = self.judged.take(chosen)
            counts = {"images": len(judged), "low": int(judged.low.sum())}
            measured[name] = {**counts, **stated(estimates(_OF_A_PART, judged))}
        return measured

    def _fold(self, place: int) -> dict[str, Any]:
        facts = self.folds[place].facts
        judged = self.judged.take(self.fold == place)
        figures = {"accuracy": accuracy, "auc": auc, "calibration_error": calibration_error}
        return {
            "fold": facts.fold,
            "version": facts.version,
            "images": len(judged),
            "temperature": facts.temperature,
            "bias": facts.bias,
            "review_band": list(facts.review_band),
            "minutes": facts.minutes,
            **stated(estimates(figures, judged)),
            "calibration_error_by_chance": calibration_error_by_chance(judged),
        }

"""Images that look alike on two sides of a fold: what is tested on may have been learned from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from miqanet.database.records import ImageRecord
from miqanet.database.similarity import BITS, DISTANCE, distances
from miqanet.evaluation.protocols import Fold, Protocol

Hashes = Mapping[int, NDArray[np.bool_]]
"""Perceptual hashes, (BITS,), by the number of the image."""


def near_duplicates(made: Mapping[Protocol, Sequence[Fold]], hashes: Hashes) -> dict[str, Any]:
    """Return how many tested images of each protocol have a near-duplicate among those that were learned from.

    Simulated images that were made from one slice look alike. Under P1 and P2, what is found is of another
    subject: the same person under two names, or a picture that shows hardly anything.
    """
    return {
        "bits": BITS,
        "distance": DISTANCE,
        "protocols": {protocol: _counts(folds, hashes) for protocol, folds in made.items()},
    }


def _counts(folds: Sequence[Fold], hashes: Hashes) -> dict[str, int]:
    tested = alike = of_others = 0
    for fold in folds:
        if not fold.test or not fold.train:
            continue
        close = distances(_stacked(fold.test, hashes), _stacked(fold.train, hashes)) <= DISTANCE
        others = _subjects(fold.test)[:, None] != _subjects(fold.train)
        tested += len(fold.test)
        alike += int(close.any(1).sum())
        of_others += int((close & others).any(1).sum())
    return {
        "tested": tested,
        "with_near_duplicate_in_training": alike,
        "of_other_subjects": of_others,
    }


def _stacked(images: Sequence[ImageRecord], hashes: Hashes) -> NDArray[np.bool_]:
    return np.stack([hashes[image.image] for image in images])


def _subjects(images: Sequence[ImageRecord]) -> NDArray[np.int64]:
    return np.asarray([image.subject for image in images], np.int64)

"""The three protocols: what is learned from, chosen on and tested on.

P0 is the paper's (Chen et al., VCIP 2022, section IV): images split at random, so that slices of one person are
learned from and tested on. P1 splits people instead, in each dataset and body part apart; its rotation 0 is the
split of `miqanet train`. P2 holds a dataset out at a time. All rotate until everything has been tested once.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from miqanet.database.body_parts import PHANTOM
from miqanet.database.folds import ROTATIONS, Role, split_images, split_subjects
from miqanet.database.records import ImageRecord, SubjectRecord, labels


class Protocol(StrEnum):
    """How images are divided."""

    P0 = "P0"
    P1 = "P1"
    P2 = "P2"

    @property
    def description(self) -> str:
        """What the protocol asks."""
        return _DESCRIPTIONS[self]


_DESCRIPTIONS = {
    Protocol.P0: "random images, as in the paper: the same subjects are learned from and tested on",
    Protocol.P1: "other subjects than those learned from",
    Protocol.P2: "a dataset held out at a time",
}

_COLLECTED = "natural"
"""The dataset of artifacts that were collected, from wherever they came."""


def _is_of_a_site(image: ImageRecord) -> bool:
    dataset = image.dataset.lower()
    collected = image.set_apart or dataset == _COLLECTED
    return not collected and PHANTOM not in dataset and image.body_part != PHANTOM


@dataclass(frozen=True, eq=False, slots=True)
class Fold:
    """One division of the images."""

    protocol: Protocol
    name: str
    """`rotation-0` and so on; under P2 the dataset that is held out."""

    train: tuple[ImageRecord, ...]
    validation: tuple[ImageRecord, ...]
    test: tuple[ImageRecord, ...]

    @property
    def body_parts_seen(self) -> frozenset[str]:
        """The body parts that training saw."""
        return frozenset(image.body_part for image in self.train)

    @property
    def sha256(self) -> str:
        """Hash of who is learned from, chosen on and tested on, with labels and votes: votes go on, folds change."""
        parts = {Role.TRAIN: self.train, Role.VALIDATION: self.validation, Role.TEST: self.test}
        held = {role: labels(images) for role, images in parts.items()}
        return hashlib.sha256(json.dumps(held).encode()).hexdigest()

    def __str__(self) -> str:
        return f"{self.protocol} {self.name}"


def folds(protocol: Protocol, images: Sequence[ImageRecord], subjects: Iterable[SubjectRecord]) -> list[Fold]:
    """Return the folds of a protocol that have images to test on, in their order.

    Raises:
        ValueError: under P2, there is but one dataset of patients.
    """
    subjects = list(subjects)
    roles: dict[str, list[Role]] = {}
    match protocol:
        case Protocol.P0:
            for r in range(ROTATIONS):
                roles[f"rotation-{r}"] = split_images(images, protocol=protocol, rotation=r)
        case Protocol.P1:
            for r in range(ROTATIONS):
                of_subjects = split_subjects(subjects, rotation=r)
                roles[f"rotation-{r}"] = [of_subjects[image.subject] for image in images]
        case Protocol.P2:
            images = [image for image in images if _is_of_a_site(image)]
            datasets = sorted({image.dataset for image in images})
            if len(datasets) < 2:
                raise ValueError(
                    "P2 holds a dataset out at a time, and there are not two: phantoms and `natural/` are none"
                )
            for dataset in datasets:
                roles[dataset] = _without(dataset, images, subjects)
    made = [_fold(protocol, name, images, of_images) for name, of_images in roles.items()]
    return [fold for fold in made if fold.test]


def _without(dataset: str, images: Sequence[ImageRecord], subjects: Sequence[SubjectRecord]) -> list[Role]:
    """Return every image's role with one dataset to test on: who would test of the others trains, too."""
    roles = split_subjects(each for each in subjects if each.dataset != dataset)
    trains = {Role.TRAIN: Role.TRAIN, Role.TEST: Role.TRAIN, Role.VALIDATION: Role.VALIDATION}
    return [Role.TEST if image.dataset == dataset else trains[roles[image.subject]] for image in images]


def _fold(protocol: Protocol, name: str, images: Sequence[ImageRecord], roles: Sequence[Role]) -> Fold:
    having: defaultdict[Role, list[ImageRecord]] = defaultdict(list)
    for image, role in zip(images, roles, strict=True):
        having[role].append(image)
    return Fold(protocol, name, *(tuple(having[r]) for r in (Role.TRAIN, Role.VALIDATION, Role.TEST)))

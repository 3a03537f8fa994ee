"""Who learns, who chooses and who judges: the splits behind training and behind the evaluation's protocols.

Slices of one person look alike, so a random split of images tells how well a network remembers people. Here
people are split, apart in each stratum of dataset and body part, and a whole dataset or body part can be held
out to see what carries over to a site or a region that training never saw. The paper's random split of images
(Chen et al., VCIP 2022, section IV) is there to compare with. Splits rotate, so that all is tested once.
"""

from __future__ import annotations

import zlib
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from enum import StrEnum
from itertools import pairwise

import numpy as np

from miqanet.database.records import ImageRecord, SubjectRecord

ROTATIONS = 5
"""Splits until everyone has been tested once."""

_VALIDATION, _TEST = 0.1, 0.2

_IMAGE_FOLDS = 10
"""In the paper: 7 train, 1 validates, 2 test."""


class Role(StrEnum):
    """What a subject's images are used for."""

    TRAIN = "train"
    VALIDATION = "validation"
    TEST = "test"
    HELD_OUT = "held_out"


def split_subjects(
    subjects: Iterable[SubjectRecord],
    *,
    held_out: Collection[str] = (),
    seed: int = 0,
    rotation: int = 0,
) -> dict[int, Role]:
    """Return every subject's role; the same for the same subjects and seed, in whatever order they come.

    `held_out` names datasets and body parts, all of whose subjects get that role. In every other stratum a fifth
    tests and a tenth validates, rounded, but not to nothing: a stratum of two also tests, from three on it also
    validates. Strata are shuffled apart: a new dataset leaves the others be. Over the rotations every subject
    tests once; the only subject of a stratum trains in rotation 0, and tests in a later one.

    Raises:
        ValueError: there is no such rotation, or `held_out` names what no subject has.
    """
    _check_rotation(rotation)
    everyone = sorted(subjects, key=lambda each: each.subject)
    unknown = set(held_out).difference(*({each.dataset, *each.body_parts} for each in everyone))
    if unknown:
        raise ValueError(f"no dataset or body part to hold out is called {', '.join(sorted(unknown))}")
    roles: dict[int, Role] = {}
    strata: defaultdict[str, list[int]] = defaultdict(list)
    for each in everyone:
        if held_out and not {each.dataset, *each.body_parts}.isdisjoint(held_out):
            roles[each.subject] = Role.HELD_OUT
        else:
            strata["\n".join((each.dataset, *sorted(each.body_parts)))].append(each.subject)
    for stratum, members in strata.items():
        key = zlib.crc32(stratum.encode())
        shuffled = [members[i] for i in np.random.default_rng([seed, key]).permutation(len(members))]
        begin, end = _tested(len(members), key)[rotation]
        validating = _share(_VALIDATION, len(members), least=3)
        for place, subject in enumerate(shuffled):
            if begin <= place < end:
                roles[subject] = Role.TEST
            else:
                # Those who come next in the circle of the stratum choose.
                follows = (place - end) % len(members)
                roles[subject] = Role.VALIDATION if follows < validating else Role.TRAIN
    return roles


def split_images(
    images: Sequence[ImageRecord], *, protocol: str = "", seed: int = 0, rotation: int = 0
) -> list[Role]:
    """Return every image's role in a random split of images: of ten folds 7 train, 1 validates and 2 test.

    Raises:
        ValueError: there is no such rotation, or some subject has several images and `protocol` is not "P0".
    """
    _check_rotation(rotation)
    if protocol != "P0" and len({image.subject for image in images}) < len(images):
        raise ValueError(
            "a random split of images would test on subjects that it trained on; "
            "ask for protocol P0 by name if the paper's split is what you want"
        )
    in_order = sorted(range(len(images)), key=lambda place: images[place].path)
    shuffled = np.random.default_rng(seed).permutation(in_order)
    folds = np.array_split(shuffled, _IMAGE_FOLDS)
    roles = [Role.TRAIN] * len(images)
    tested = _IMAGE_FOLDS // ROTATIONS
    for fold in range(rotation * tested, (rotation + 1) * tested):
        for place in folds[fold]:
            roles[place] = Role.TEST
    for place in folds[(rotation + 1) * tested % _IMAGE_FOLDS]:
        roles[place] = Role.VALIDATION
    return roles


def _tested(members: int, key: int) -> list[tuple[int, int]]:
    """Return for each rotation which of a stratum's shuffled members test: from one place to before another.

    Rotation 0 takes its share, and the later ones divide the rest. What does not divide goes to other rotations
    in other strata (`key`), lest all small strata test in the same.
    """
    first = _share(_TEST, members, least=2)
    later = ROTATIONS - 1
    each, left_over = divmod(members - first, later)
    sizes = [first, *(each + ((rotation - key) % later < left_over) for rotation in range(later))]
    return list(pairwise(np.cumsum([0, *sizes]).tolist()))


def _share(share: float, members: int, least: int) -> int:
    """Return how many of a stratum's members get a role that needs a stratum of at least `least`."""
    return max(1, round(share * members)) if members >= least else 0


def _check_rotation(rotation: int) -> None:
    if not 0 <= rotation < ROTATIONS:
        raise ValueError(f"there are rotations 0 to {ROTATIONS - 1}, not {rotation}")

"""Subject-disjoint splits: no person's images are both learned from and judged by.

Slices of one person look alike, so a random split of images tells how well a network remembers people. Here
people are split, apart in each stratum of dataset and body part, and a whole dataset or body part can be held
out to see what carries over to a site or a region that training never saw.
"""

from __future__ import annotations

import zlib
from collections import defaultdict
from collections.abc import Collection, Iterable
from enum import StrEnum

import numpy as np

from miqanet.database.records import SubjectRecord


class Role(StrEnum):
    """What a subject's images are used for."""

    TRAIN = "train"
    VALIDATION = "validation"
    TEST = "test"
    HELD_OUT = "held_out"


def split_subjects(
    subjects: Iterable[SubjectRecord],
    *,
    validation: float = 0.1,
    test: float = 0.2,
    held_out: Collection[str] = (),
    seed: int = 0,
) -> dict[int, Role]:
    """Return every subject's role; the same for the same subjects and seed, in whatever order they come.

    `held_out` names datasets and body parts, all of whose subjects get that role. In every other stratum the
    shares `validation` and `test` are rounded, but not to nothing: a stratum of one subject trains, of two
    also tests, from three on also validates. Strata are shuffled apart: a new dataset leaves the others be.

    Raises:
        ValueError: the shares leave nothing to train on, or `held_out` names what no subject has.
    """
    if validation < 0 or test < 0 or validation + test >= 1:
        raise ValueError(f"validation {validation} and test {test} must leave a share for training")
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
        rng = np.random.default_rng([seed, zlib.crc32(stratum.encode())])
        shuffled = [members[i] for i in rng.permutation(len(members))]
        testing = _share(test, len(members), least=2)
        validating = _share(validation, len(members), least=3)
        for place, subject in enumerate(shuffled):
            if place < testing:
                roles[subject] = Role.TEST
            else:
                roles[subject] = Role.VALIDATION if place < testing + validating else Role.TRAIN
    return roles


def _share(share: float, members: int, least: int) -> int:
    """Return how many of a stratum's members get a role that needs a stratum of at least `least`."""
    return max(1, round(share * members)) if share > 0 and members >= least else 0

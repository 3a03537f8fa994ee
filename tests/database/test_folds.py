from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from miqanet.database.folds import ROTATIONS, Role, split_images, split_subjects
from miqanet.database.records import ImageRecord, SubjectRecord

SUBJECTS = [
    *(SubjectRecord(n, "brains", frozenset({"brain"})) for n in range(100)),
    *(SubjectRecord(n, "spines", frozenset({"spine"})) for n in range(100, 140)),
    *(SubjectRecord(n, "hearts", frozenset({"heart"})) for n in range(200, 204)),
    *(SubjectRecord(n, "pair", frozenset({"brain"})) for n in range(300, 302)),
    SubjectRecord(400, "knees", frozenset({"knee"})),
]


def of_dataset(roles: dict[int, Role], dataset: str) -> Counter[Role]:
    return Counter(roles[each.subject] for each in SUBJECTS if each.dataset == dataset)


def test_every_subject_has_one_role_in_every_stratum() -> None:
    roles = split_subjects(SUBJECTS)
    assert set(roles) == {each.subject for each in SUBJECTS}
    assert of_dataset(roles, "brains") == {Role.TRAIN: 70, Role.VALIDATION: 10, Role.TEST: 20}
    assert of_dataset(roles, "spines") == {Role.TRAIN: 28, Role.VALIDATION: 4, Role.TEST: 8}


def test_small_strata_train_first_then_test_then_validate() -> None:
    roles = split_subjects(SUBJECTS)
    assert of_dataset(roles, "knees") == {Role.TRAIN: 1}
    assert of_dataset(roles, "pair") == {Role.TRAIN: 1, Role.TEST: 1}
    assert of_dataset(roles, "hearts") == {Role.TRAIN: 2, Role.VALIDATION: 1, Role.TEST: 1}


def test_seed_decides_and_order_does_not() -> None:
    assert split_subjects(SUBJECTS, seed=1) == split_subjects(SUBJECTS[::-1], seed=1)
    assert split_subjects(SUBJECTS, seed=1) != split_subjects(SUBJECTS, seed=2)


def test_datasets_and_body_parts_are_held_out_whole() -> None:
    roles = split_subjects(SUBJECTS, held_out=["spines", "knee"])
    held_out = {subject for subject, role in roles.items() if role is Role.HELD_OUT}
    assert held_out == {*range(100, 140), 400}
    plain = split_subjects(SUBJECTS)
    assert all(roles[subject] == plain[subject] for subject in roles if subject not in held_out)


def test_a_new_dataset_leaves_the_others_as_they_were() -> None:
    smaller = split_subjects(SUBJECTS[:100])
    assert smaller == {subject: split_subjects(SUBJECTS)[subject] for subject in smaller}


def test_unknown_held_out_name_is_an_error() -> None:
    with pytest.raises(ValueError, match="elbow"):
        split_subjects(SUBJECTS, held_out=["elbow"])


def spelled(roles: dict[int, Role]) -> str:
    letters = {Role.TRAIN: ".", Role.VALIDATION: "v", Role.TEST: "t", Role.HELD_OUT: "h"}
    return "".join(letters[roles[each.subject]] for each in SUBJECTS)


@pytest.mark.parametrize(
    ("seed", "held_out", "expected"),
    [
        (
            0,
            [],
            ".t.t..v..vt..v.t...........t.tv........tv...t....v.t..t.v.......v....t.tt......ttt.t.vt....tt...v...."
            "v..........tt..v.....vv.tt...t.t...t.t.v.t..t.",
        ),
        (
            3,
            [],
            "..tv.........tv.v.....vv..t..vt.....tt..t....t.t..t.t.t.......v..tt.....v.v.....t.t..v...t.tt....t..."
            ".........v.....t.vt....t.tt...v..tt..vt..vtt..",
        ),
        (
            0,
            ["spines", "knee"],
            ".t.t..v..vt..v.t...........t.tv........tv...t....v.t..t.v.......v....t.tt......ttt.t.vt....tt...v..."
            "hhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhv.t..th",
        ),
    ],
)
def test_roles_are_those_that_earlier_runs_trained_with(
    seed: int, held_out: list[str], expected: str
) -> None:
    assert spelled(split_subjects(SUBJECTS, seed=seed, held_out=held_out)) == expected


def test_over_the_rotations_every_subject_tests_once() -> None:
    rotations = [split_subjects(SUBJECTS, rotation=rotation) for rotation in range(ROTATIONS)]
    for each in SUBJECTS:
        assert sum(roles[each.subject] is Role.TEST for roles in rotations) == 1
    for roles in rotations:
        assert of_dataset(roles, "brains") == {Role.TRAIN: 70, Role.VALIDATION: 10, Role.TEST: 20}
        assert of_dataset(roles, "hearts")[Role.VALIDATION] == 1
        assert of_dataset(roles, "hearts")[Role.TRAIN] >= 2
    assert rotations[0] == split_subjects(SUBJECTS)


def test_small_strata_test_in_different_rotations() -> None:
    alone = [SubjectRecord(n, f"site-{n}", frozenset({"brain"})) for n in range(40)]
    tested = [
        sum(role is Role.TEST for role in split_subjects(alone, rotation=rotation).values())
        for rotation in range(ROTATIONS)
    ]
    assert tested[0] == 0
    assert sum(tested) == 40
    assert min(tested[1:]) >= 4


IMAGES = [
    ImageRecord(Path(f"{n:03d}.png"), n // 4, "d", "brain", "T1w", low=False, harms={}, simulated=True)
    for n in range(103)
]


def test_over_the_rotations_every_image_tests_once() -> None:
    rotations = [split_images(IMAGES, protocol="P0", rotation=rotation) for rotation in range(ROTATIONS)]
    for roles in zip(*rotations, strict=True):
        assert roles.count(Role.TEST) == 1
        assert roles.count(Role.VALIDATION) <= 1
    for roles in rotations:
        assert roles.count(Role.TEST) == pytest.approx(0.2 * len(IMAGES), abs=2)
        assert roles.count(Role.VALIDATION) == pytest.approx(0.1 * len(IMAGES), abs=1)


def test_images_are_split_by_seed_and_not_by_order() -> None:
    shuffled = [int(place) for place in np.random.default_rng(0).permutation(len(IMAGES))]
    roles = split_images(IMAGES, protocol="P0")
    assert split_images([IMAGES[place] for place in shuffled], protocol="P0") == [roles[p] for p in shuffled]
    assert split_images(IMAGES, protocol="P0", seed=1) != roles


def test_a_random_split_of_a_subject_s_images_is_refused_unless_named() -> None:
    with pytest.raises(ValueError, match="ask for protocol P0 by name"):
        split_images(IMAGES)
    alone = [replace(image, subject=n) for n, image in enumerate(IMAGES)]
    assert set(split_images(alone)) == {Role.TRAIN, Role.VALIDATION, Role.TEST}


@pytest.mark.parametrize("rotation", [-1, 5])
def test_unknown_rotation_is_an_error(rotation: int) -> None:
    with pytest.raises(ValueError, match="rotations 0 to 4"):
        split_subjects(SUBJECTS, rotation=rotation)
    with pytest.raises(ValueError, match="rotations 0 to 4"):
        split_images(IMAGES, protocol="P0", rotation=rotation)

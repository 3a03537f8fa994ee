from __future__ import annotations

from collections import Counter

import pytest

from miqanet.database.folds import Role, split_subjects
from miqanet.database.records import SubjectRecord

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


@pytest.mark.parametrize(("validation", "test"), [(0.5, 0.5), (-0.1, 0.2)])
def test_shares_have_to_leave_training_data(validation: float, test: float) -> None:
    with pytest.raises(ValueError, match="share for training"):
        split_subjects(SUBJECTS, validation=validation, test=test)

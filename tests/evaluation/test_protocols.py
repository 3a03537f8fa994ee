"""What each protocol keeps apart, and that all is tested once."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from miqanet.database.folds import Role, split_subjects
from miqanet.database.records import ImageRecord, SubjectRecord
from miqanet.evaluation.protocols import Protocol, folds

SITES = {"brains": ("brain", 30), "knees": ("knee", 20), "spines": ("spine", 10), "natural": ("brain", 5)}


def images_and_subjects() -> tuple[list[ImageRecord], list[SubjectRecord]]:
    images, subjects = [], []
    for dataset, (part, count) in SITES.items():
        for _ in range(count):
            subjects.append(SubjectRecord(len(subjects), dataset, frozenset({part})))
            images += [
                ImageRecord(
                    Path(f"{len(images) + k}.png"), subjects[-1].subject, dataset, part, "T1w",
                    low=bool(k % 2), harms={}, simulated=True, image=len(images) + k,
                )
                for k in range(4)
            ]  # fmt: skip
    return images, subjects


IMAGES, SUBJECTS = images_and_subjects()


@pytest.mark.parametrize("protocol", Protocol)
def test_every_image_is_tested_once_and_used_once_a_fold(protocol):
    made = folds(protocol, IMAGES, SUBJECTS)
    tested = Counter(image.image for fold in made for image in fold.test)
    left_out = {image.image for image in IMAGES if protocol == "P2" and image.dataset == "natural"}
    assert tested == {image.image: 1 for image in IMAGES if image.image not in left_out}
    for fold in made:
        used = [image.image for part in (fold.train, fold.validation, fold.test) for image in part]
        assert len(used) == len(set(used)) == len(IMAGES) - len(left_out)


@pytest.mark.parametrize("protocol", [Protocol.P1, Protocol.P2])
def test_no_subject_is_on_two_sides(protocol):
    for fold in folds(protocol, IMAGES, SUBJECTS):
        train, validation, test = (
            {image.subject for image in part} for part in (fold.train, fold.validation, fold.test)
        )
        assert not train & test
        assert not train & validation
        assert not validation & test


def test_random_images_put_subjects_on_both_sides():
    fold = folds(Protocol.P0, IMAGES, SUBJECTS)[0]
    assert {image.subject for image in fold.train} & {image.subject for image in fold.test}
    assert len(fold.train) == pytest.approx(0.7 * len(IMAGES), abs=2)


def test_training_uses_the_first_rotation_of_the_grouped_protocol():
    fold = folds(Protocol.P1, IMAGES, SUBJECTS)[0]
    roles = split_subjects(SUBJECTS)
    assert {image.subject for image in fold.train} == {s for s, r in roles.items() if r is Role.TRAIN}
    assert {image.subject for image in fold.test} == {s for s, r in roles.items() if r is Role.TEST}


def test_a_dataset_is_held_out_at_a_time_but_never_what_is_no_site():
    made = folds(Protocol.P2, IMAGES, SUBJECTS)
    assert [fold.name for fold in made] == ["brains", "knees", "spines"]
    for fold in made:
        assert {image.dataset for image in fold.test} == {fold.name}
        assert fold.name not in {image.dataset for image in fold.train}
        assert "natural" not in {image.dataset for image in (*fold.train, *fold.validation)}
    assert made[0].body_parts_seen == {"knee", "spine"}


def test_phantoms_are_neither_held_out_nor_learned_from_when_datasets_are():
    images = [replace(image, body_part="phantom") if image.dataset == "knees" else image for image in IMAGES]
    made = folds(Protocol.P2, images, SUBJECTS)
    assert [fold.name for fold in made] == ["brains", "spines"]
    assert all("knees" not in {image.dataset for image in fold.train} for fold in made)


def test_images_set_apart_are_neither_held_out_nor_learned_from_when_datasets_are():
    images = [replace(image, set_apart=image.image % 3 == 0) for image in IMAGES]
    kept = {i.image for i in images if not i.set_apart and i.dataset != "natural"}
    made = folds(Protocol.P2, images, SUBJECTS)
    assert {image.image for fold in made for image in fold.test} == kept
    for fold in made:
        assert {image.image for part in (fold.train, fold.validation, fold.test) for image in part} == kept
    everything = [replace(image, set_apart=image.dataset == "knees") for image in IMAGES]
    assert [fold.name for fold in folds(Protocol.P2, everything, SUBJECTS)] == ["brains", "spines"]
    assert len(folds(Protocol.P1, images, SUBJECTS)) == len(folds(Protocol.P1, IMAGES, SUBJECTS))


def test_one_dataset_cannot_be_held_out():
    for kept in (("brains",), ("brains", "natural"), ("natural",)):
        with pytest.raises(ValueError, match="there are not two"):
            folds(Protocol.P2, [image for image in IMAGES if image.dataset in kept], SUBJECTS)


def test_a_site_may_have_nature_in_its_name():
    images = [replace(i, dataset="natural history" if i.dataset == "knees" else i.dataset) for i in IMAGES]
    subjects = [
        replace(s, dataset="natural history" if s.dataset == "knees" else s.dataset) for s in SUBJECTS
    ]
    assert [f.name for f in folds(Protocol.P2, images, subjects)] == ["brains", "natural history", "spines"]


def test_a_rotation_without_test_images_is_none():
    subjects = [subject for subject in SUBJECTS if subject.dataset == "natural"][:1]
    images = [image for image in IMAGES if image.subject == subjects[0].subject]
    (fold,) = folds(Protocol.P1, images, subjects)
    assert fold.name != "rotation-0"
    assert not fold.train

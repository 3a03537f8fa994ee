"""A trained run says whom it knows, so that they are not tested on."""

from __future__ import annotations

from dataclasses import asdict, replace

import numpy as np
import pytest

from miqanet.database.folds import Role, split_subjects
from miqanet.evaluation.protocols import Protocol, folds
from miqanet.evaluation.run_method import RunMethod
from miqanet.preprocessing import DOUBT
from miqanet.training import predict as predicting
from miqanet.training.predict import Predictions
from miqanet.training.run import Run

SETTINGS = {
    "size": 64, "epochs": 3, "batch": 4, "learning_rate": 1e-3, "seed": 0, "images_per_epoch": 40,
}  # fmt: skip


@pytest.fixture
def run(world):
    roles = split_subjects(world.subjects)

    def named(wanted):
        return tuple(world.subject_names[subject] for subject, role in roles.items() if role is wanted)

    return Run(
        SETTINGS, "abc", (), 0, fresh=True, trained_on=named(Role.TRAIN), validated_on=named(Role.VALIDATION),
        body_parts=("brain",), minutes=4.0, hardware="a desk",
    )  # fmt: skip


@pytest.fixture
def first(world):
    return folds(Protocol.P1, world.images, world.subjects)[0]


def method(run, world, folder):
    return RunMethod(folder, run, world.subject_names)


def test_a_run_on_the_first_rotation_is_taken_as_it_is(run, world, first, tmp_path, monkeypatch):
    asked = {}

    def predict(checkpoint, images, *, size, workers, doubt):
        asked.update(checkpoint=checkpoint, size=size, workers=workers, doubt=doubt)
        return Predictions(np.full(len(images), 0.25), np.empty((len(images), 0)))

    monkeypatch.setattr(predicting, "predict", predict)
    fitted = method(run, world, tmp_path).fit(first.train, first.validation, tmp_path, print)
    assert fitted.predict(first.test).tolist() == [0.25] * len(first.test)
    assert asked == {"checkpoint": tmp_path / "best.ckpt", "size": 512, "workers": 1, "doubt": DOUBT}
    assert (fitted.minutes, fitted.hardware) == (4.0, "a desk")


def test_a_row_says_what_the_run_began_with(run, world, tmp_path):
    (tmp_path / "best.ckpt").write_bytes(b"weights")
    later = replace(
        run, settings={**SETTINGS, "size": 512}, started_from=asdict(run), fresh=False, held_out=("site-c",)
    )
    made = method(later, world, tmp_path)
    assert made.name == "miqanet-run"
    assert made.settings["size"] == 512
    assert made.settings["trained_by"] == (
        "miqanet train, 3 epochs of the stored images at 512 pixels, without site-c, "
        "after 3 epochs of 40 images spoiled afresh at 64 pixels"
    )
    assert made.settings["second_look"] == DOUBT


def test_other_weights_are_another_row(run, world, tmp_path):
    with pytest.raises(FileNotFoundError, match="not finished an epoch"):
        _ = method(run, world, tmp_path).settings
    seen = set()
    for content in (b"some", b"other"):
        (tmp_path / "best.ckpt").write_bytes(content)
        seen.add(method(run, world, tmp_path).settings["weights"])
    assert len(seen) == 2


def names(world, subjects):
    return {world.subject_names[subject] for subject in subjects}


def test_it_says_whom_it_learned_from_and_who_chose_its_epoch(run, world, first, tmp_path):
    fitted = method(run, world, tmp_path).fit(first.train, first.validation, tmp_path, print)
    assert names(world, fitted.learned_from) == set(run.trained_on)
    assert fitted.chosen_by == {image.subject for image in first.validation}
    assert not (fitted.learned_from | fitted.chosen_by) & {image.subject for image in first.test}


def test_whom_an_earlier_run_learned_from_counts(run, world, first, tmp_path):
    tested = first.test[0].subject
    earlier = replace(run, trained_on=(*run.trained_on, world.subject_names[tested], "elsewhere/1"))
    later = replace(run, started_from=asdict(earlier))
    fitted = method(later, world, tmp_path).fit(first.train, first.validation, tmp_path, print)
    assert names(world, fitted.learned_from) == {*run.trained_on, world.subject_names[tested]}


def test_who_chose_an_epoch_is_told_by_name_in_whatever_database(run, world, first, tmp_path):
    chosen = world.subject_names[first.test[0].subject]
    elsewhere = replace(run, held_out=("no-such-site",), validated_on=(chosen, "elsewhere/1"))
    fitted = method(elsewhere, world, tmp_path).fit(first.train, first.validation, tmp_path, print)
    assert fitted.chosen_by == {first.test[0].subject}
    stranger = replace(run, trained_on=("elsewhere/2",), validated_on=("elsewhere/1",))
    fitted = method(stranger, world, tmp_path).fit(first.train, first.validation, tmp_path, print)
    assert not fitted.learned_from | fitted.chosen_by


def test_the_body_parts_that_it_saw_are_its_own(run, world, tmp_path):
    later = replace(run, started_from=asdict(run), body_parts=("knee",))
    assert method(run, world, tmp_path).fit((), (), tmp_path, print).body_parts == {"brain"}
    assert method(later, world, tmp_path).fit((), (), tmp_path, print).body_parts == {"brain", "knee"}


def test_what_began_with_imagenet_knows_only_whom_it_learned_from(run, world, first, tmp_path):
    began = replace(run, started_from={"pretrained": "resnet34.pth"})
    fitted = method(began, world, tmp_path).fit(first.train, first.validation, tmp_path, print)
    assert names(world, fitted.learned_from) == set(run.trained_on)


def test_unknown_training_subjects_are_refused(run, world, first, tmp_path):
    for unsaid in ("trained_on", "validated_on"):
        with pytest.raises(ValueError, match="does not say who trained and validated it"):
            method(replace(run, **{unsaid: ()}), world, tmp_path).fit((), (), tmp_path, print)
    shipped = replace(run, started_from={"weights": "shipped"})
    with pytest.raises(ValueError, match="weights shipped, of which no training subjects are known"):
        method(shipped, world, tmp_path).fit(first.train, first.validation, tmp_path, print)

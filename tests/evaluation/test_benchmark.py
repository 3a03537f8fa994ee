"""Folds are done once, calibrated on their validation images, and go on after interruptions and failures."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from miqanet.evaluation import benchmark
from miqanet.evaluation.benchmark import Task, run_tasks, unfinished
from miqanet.evaluation.predictions import FoldPredictions
from miqanet.evaluation.protocols import Protocol, folds
from miqanet.screening.scaling import Scaling


def tasks_of(world, method, out, protocol=Protocol.P1):
    return [Task(method, fold, out, "abc") for fold in folds(protocol, world.images, world.subjects)]


def quietly(tasks, **arguments):
    return run_tasks(tasks, **{"tell": lambda _line: None, "done": lambda _task: None, **arguments})


def test_every_fold_leaves_its_answers_and_nothing_else(world, guess, tmp_path):
    told, done = [], []
    tasks = tasks_of(world, guess(), tmp_path)
    assert unfinished(tasks) == tasks
    assert quietly(tasks, tell=told.append, done=done.append) == []
    assert done == tasks
    assert told[0] == "guess, P1 rotation-0: learning"
    assert not unfinished(tasks)
    assert sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.*")) == [
        f"folds/P1/rotation-{r}/guess.parquet" for r in range(5)
    ]
    for task in tasks:
        answers = FoldPredictions.read(task.finished)
        assert answers.image[answers.role == "test"].tolist() == [i.image for i in task.fold.test]
        assert answers.image[answers.role == "validation"].tolist() == [i.image for i in task.fold.validation]
        assert answers.facts.hardware == "a desk"
        assert answers.facts.settings == {"noise": 0.3}
        assert set(answers.facts.body_parts_seen) == {"brain", "knee"}


def test_answers_that_are_too_sure_are_calibrated_on_validation_images(world, guess, tmp_path):
    task = tasks_of(world, guess(), tmp_path)[0]
    quietly([task])
    before = FoldPredictions.read(task.finished)
    assert before.facts.temperature > 1.5
    scaling = Scaling(before.facts.temperature, before.facts.bias)
    np.testing.assert_array_equal(before.probability_low, scaling.apply(before.score))
    # Other labels of the test images change nothing: they are not looked at.
    turned = tuple(replace(image, low=not image.low) for image in task.fold.test)
    again = replace(task, fold=replace(task.fold, test=turned), out=tmp_path / "turned")
    quietly([again])
    after = FoldPredictions.read(again.finished)
    assert after.facts.review_band == before.facts.review_band
    np.testing.assert_array_equal(after.probability_low, before.probability_low)


def test_body_parts_that_were_seen_elsewhere_are_those_that_count(world, guess, tmp_path):
    task = tasks_of(world, guess(body_parts=frozenset({"heart"})), tmp_path)[0]
    quietly([task])
    assert FoldPredictions.read(task.finished).facts.body_parts_seen == ("heart",)


def test_finished_folds_are_not_done_again(world, guess, tmp_path):
    method = guess()
    tasks = tasks_of(world, method, tmp_path)
    quietly(tasks[:3])
    quietly(unfinished(tasks))
    assert len(method.fitted) == 5


def test_an_interruption_leaves_finished_folds_and_the_clock(world, guess, tmp_path):
    tasks = tasks_of(world, guess(), tmp_path)

    def interrupt(line):
        if "rotation-1" in line:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        quietly(tasks, tell=interrupt)
    assert unfinished(tasks) == tasks[1:]
    (tasks[1].working / "minutes.json").write_text("7.5")
    quietly(unfinished(tasks))
    minutes = [FoldPredictions.read(task.finished).facts.minutes for task in tasks]
    assert 7.5 <= minutes[1] < 8
    assert minutes[2] < 0.5


@pytest.mark.parametrize(
    ("change", "message"),
    [({"method": "other"}, "was made with {'noise': 0.3}"), ({"data_sha256": "def"}, "another database")],
)
def test_what_would_not_go_with_the_rest_is_refused(world, guess, tmp_path, change, message):
    task = tasks_of(world, guess(), tmp_path)[0]
    quietly([task])
    if "method" in change:
        change = {"method": guess(noise=0.1)}
    with pytest.raises(ValueError, match=message):
        unfinished([replace(task, **change)])


def test_a_fold_whose_labels_have_changed_is_refused(world, guess, tmp_path):
    task = tasks_of(world, guess(), tmp_path)[0]
    quietly([task])
    first, *rest = task.fold.train
    for train in (
        (replace(first, low=not first.low), *rest),
        (replace(first, low_votes=0.0625), *rest),
        tuple(rest),
    ):
        with pytest.raises(ValueError, match="labelled"):
            unfinished([replace(task, fold=replace(task.fold, train=train))])
    assert unfinished([replace(task, fold=replace(task.fold, train=(*rest, first)))]) == []


def test_an_unfinished_fold_does_not_go_on_with_other_settings(world, guess, tmp_path, monkeypatch):
    task = tasks_of(world, guess(), tmp_path)[0]

    def interrupt(_line):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        quietly([task], tell=interrupt)
    ((_, reason),) = quietly([replace(task, method=guess(noise=0.1))])
    assert "was begun with other settings, data or labels" in reason
    monkeypatch.setattr(benchmark, "__version__", "0.0.0")
    ((_, reason),) = quietly([task])
    assert "or by another version" in reason
    monkeypatch.undo()
    assert not quietly([task])


def test_a_fold_that_fails_does_not_stop_the_others(world, guess, tmp_path):
    tasks = tasks_of(world, guess(), tmp_path)[:2]
    one_class = tuple(image for image in tasks[0].fold.validation if image.low)
    tasks[0] = replace(tasks[0], fold=replace(tasks[0].fold, validation=one_class))
    failed = quietly(tasks)
    assert [(str(task), reason) for task, reason in failed] == [
        ("guess, P1 rotation-0", "its validation images are not of both classes")
    ]
    assert unfinished(tasks) == tasks[:1]


def test_images_of_subjects_that_a_method_knows_are_left_out_and_counted(world, guess, tmp_path):
    fold = tasks_of(world, guess(), tmp_path)[0].fold
    learned_from = frozenset({fold.train[0].subject, fold.validation[0].subject, fold.test[0].subject})
    chosen_by = frozenset({fold.validation[-1].subject, fold.test[-1].subject})
    task = Task(guess(learned_from=learned_from, chosen_by=chosen_by), fold, tmp_path, "abc")
    assert not quietly([task])
    answers = FoldPredictions.read(task.finished)

    def numbers(images, subjects):
        return [image.image for image in images if image.subject in subjects]

    # Who chose the epoch may choose thresholds, too, but not test.
    assert answers.facts.left_out == {
        "validation": numbers(fold.validation, learned_from),
        "test": numbers(fold.test, learned_from | chosen_by),
    }
    assert [len(each) for each in answers.facts.left_out.values()] == [6, 12]
    judged = {role: set(answers.image[answers.role == role].tolist()) for role in ("validation", "test")}
    for role, images in (("validation", fold.validation), ("test", fold.test)):
        assert judged[role] == {i.image for i in images}.difference(answers.facts.left_out[role])


@pytest.mark.parametrize(("known", "done"), [(4, True), (5, False), (8, False)])
def test_a_fold_of_which_less_than_half_is_left_is_refused(world, guess, tmp_path, known, done):
    fold = tasks_of(world, guess(), tmp_path)[0].fold
    subjects = sorted({image.subject for image in fold.test})
    assert len(subjects) == 8
    task = Task(guess(learned_from=frozenset(subjects[:known])), fold, tmp_path, "abc")
    failed = quietly([task])
    assert task.finished.exists() == done
    assert (
        [reason for _, reason in failed] == []
        if done
        else [
            f"it learned from, or was chosen by, {known} of the 8 subjects that the fold tests on: too few are left"
        ]
    )


def test_names_of_datasets_are_safe_as_folders(world, guess, tmp_path):
    fold = folds(Protocol.P2, world.images, world.subjects)[0]
    names = ("../a b/ü", "..", "site a", "site_a", "site/a", "SPIDER-2.0")
    tasks = [Task(guess(), replace(fold, name=name), tmp_path, "abc") for name in names]
    for task in tasks:
        assert task.finished.parent.resolve().parent == tmp_path / "folds" / "P2"
    assert len({task.finished for task in tasks}) == len(names)
    assert tasks[-1].finished.parent.name == "SPIDER-2.0"
    assert not quietly(tasks[:1])

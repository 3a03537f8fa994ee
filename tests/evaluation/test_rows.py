"""A row joins the test images of its folds and states everything with intervals."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, roc_auc_score

from miqanet.database.folds import Role
from miqanet.evaluation.bootstrap import stated
from miqanet.evaluation.protocols import Protocol
from miqanet.evaluation.rows import Row


@pytest.fixture(scope="module")
def statement(done, world):
    return done.rows[Protocol.P1, "miqanet"].statement(world.votes)


def test_every_image_is_judged_by_the_model_that_did_not_learn_from_it(done, world):
    row = done.rows[Protocol.P1, "miqanet"]
    assert sorted(row.numbers) == [image.image for image in world.images]
    for fold, answers in zip(done.made[Protocol.P1], row.folds, strict=True):
        assert answers.facts.fold == fold.name
    tested = {image.image: fold.name for fold in done.made[Protocol.P1] for image in fold.test}
    assert [row.folds[place].facts.fold for place in row.fold] == [tested[number] for number in row.numbers]


def test_figures_are_those_of_all_test_images(statement, done):
    row = done.rows[Protocol.P1, "miqanet"]
    p, low = row.judged.probability_low, row.judged.low
    assert statement["figures"]["accuracy"]["value"] == pytest.approx(accuracy_score(low, p >= 0.5))
    assert statement["figures"]["auc"]["value"] == pytest.approx(roc_auc_score(low, p))
    assert statement["images"] == len(low) == 240
    assert statement["subjects"] == 40
    json.dumps(statement, allow_nan=False)


def test_validation_images_can_be_looked_at_without_the_test_images(done, world):
    row = Row.of(done.rows[Protocol.P1, "miqanet"].folds[:1], world.by_number, Role.VALIDATION)
    assert sorted(row.numbers) == sorted(image.image for image in done.made[Protocol.P1][0].validation)


def test_three_way_verdicts_are_counted_by_each_folds_own_band(statement, done):
    row = done.rows[Protocol.P1, "miqanet"]
    decided = missed = alarms = 0
    for place, (image, p) in enumerate(zip(row.images, row.judged.probability_low, strict=True)):
        least, greatest = row.folds[row.fold[place]].facts.review_band
        decided += not least <= p < greatest
        missed += image.low and p < least
        alarms += not image.low and p >= greatest
    low = int(row.judged.low.sum())
    assert statement["three_way"]["decided"]["value"] == pytest.approx(decided / 240)
    assert statement["three_way"]["low_passed"]["value"] == pytest.approx(missed / low)
    assert statement["three_way"]["high_condemned"]["value"] == pytest.approx(alarms / (240 - low))


def test_parts_add_up_and_new_body_parts_are_told(statement, done, world):
    for name in ("artifact", "harm", "votes", "body_part", "dataset"):
        assert sum(part["images"] for part in statement["strata"][name].values()) == 240, name
    assert set(statement["strata"]["body_part_in_training"]) == {"seen"}
    held_out = done.rows[Protocol.P2, "miqanet"].statement(world.votes)["strata"]["body_part_in_training"]
    knees = sum(image.body_part == "knee" for image in world.images)
    assert held_out["unseen"]["images"] == knees
    assert held_out["seen"]["images"] == 240 - knees


def test_each_folds_own_model_is_stated(statement):
    assert [fold["fold"] for fold in statement["folds"]] == [f"rotation-{r}" for r in range(5)]
    assert sum(fold["images"] for fold in statement["folds"]) == 240
    for fold in statement["folds"]:
        assert 0 <= fold["calibration_error"]["value"] <= 1
        assert 0 < fold["calibration_error_by_chance"] < 0.3
        assert fold["temperature"] > 0
        assert np.isfinite(fold["bias"])


def test_people_stand_beside_the_model(statement):
    frame = statement["human_frame"]
    assert len(frame["raters"]) == 8
    assert frame["ceiling"]["value"] == max(figure["value"] for figure in frame["raters"].values())
    assert 0 < statement["three_way"]["calibration_error_of_votes"]["value"] < 0.5


def test_without_votes_nothing_is_said_of_people(done, world):
    row = done.rows[Protocol.P1, "brisque"]
    unrated = {number: replace(image, low_votes=None) for number, image in world.by_number.items()}
    statement = Row.of(row.folds, unrated).statement([])
    assert statement["human_frame"] is None
    assert "calibration_error_of_votes" not in statement["three_way"]
    assert statement["strata"]["votes"] == {}


def test_what_is_not_defined_is_null(statement):
    mild = statement["strata"]["harm"]["0 to 0.25"]
    assert mild["low"] == 0
    assert mild["auc"] is None
    assert mild["miss_rate"] is None
    assert stated({"a": np.float64(1.0)}) == {"a": 1.0}


def test_labels_that_have_changed_since_are_noticed(done, world):
    row = done.rows[Protocol.P1, "brisque"]
    number = row.numbers[0]
    turned = dict(world.by_number) | {number: replace(row.images[0], low=not row.images[0].low)}
    with pytest.raises(ValueError, match="1 images have other labels"):
        Row.of(row.folds, turned)

"""What the card states: chosen on validation subjects, measured on others."""

from __future__ import annotations

import json

import numpy as np
import pytest

from miqanet.database.folds import Role
from miqanet.database.png import encode_png
from miqanet.database.records import ImageRecord, SourceRecord
from miqanet.evaluation.shipping import ask, choose, measure
from miqanet.evaluation.thresholds import ErrorRates, Thresholds
from miqanet.screening.scaling import Scaling

KINDS = ("motion", "noise")
AT_ONE_HALF = Thresholds(0.5, (0.5, 0.5))


def test_images_and_clean_slices_are_judged_as_the_network_sees_them(tmp_path):
    for name, gray in (("image", 0.25), ("clean", 0.75)):
        pixels = np.zeros((40, 40), np.float32)
        pixels[: round(40 * gray)] = 1
        (tmp_path / f"{name}.png").write_bytes(encode_png(pixels))
    image = ImageRecord(tmp_path / "image.png", 0, "d", "brain", "", False, {}, simulated=True)
    source = SourceRecord(tmp_path / "clean.png", 0, "d", "brain", "")
    ticks, shapes = [], set()

    def judge(prepared):
        shapes.add(prepared.shape)
        return float(prepared.mean()), np.array([0.1, 0.9], np.float32)

    answers = ask(judge, [image], [source], lambda: ticks.append(1))
    assert shapes == {(512, 512)}
    assert len(ticks) == 2
    assert answers.image_low == pytest.approx([0.25], abs=0.01)
    assert answers.source_low == pytest.approx([0.75], abs=0.01)
    np.testing.assert_allclose(answers.image_artifacts, [[0.1, 0.9]])


def test_choices_come_from_validation_subjects_alone(evaluated):
    chosen = choose(evaluated.answers, evaluated.roles, KINDS)
    for place, image in enumerate(evaluated.answers.images):
        if evaluated.roles[image.subject] is not Role.VALIDATION:
            evaluated.answers.image_low[place] = 0.5
            evaluated.answers.image_artifacts[place] = 0.5
    evaluated.answers.source_low[4:] = 0.5
    assert choose(evaluated.answers, evaluated.roles, KINDS) == chosen


def test_clean_slices_count_among_the_high_images_of_the_thresholds(evaluated):
    _, naming = choose(evaluated.answers, evaluated.roles, KINDS)
    assert set(naming) == set(KINDS)
    assert all(0.2 < threshold < 0.9 for threshold in naming.values())
    before, _ = choose(evaluated.answers, evaluated.roles, KINDS)
    evaluated.answers.source_low[:4] = 0.95
    after, _ = choose(evaluated.answers, evaluated.roles, KINDS)
    # They have no votes to be scaled by, but a person has to look.
    assert after.scaling == before.scaling
    assert before.thresholds.review_band[0] == before.thresholds.review_band[1]
    assert after.thresholds.review_band[0] < after.thresholds.review_band[1]


def test_stated_rates_of_errors_are_those_that_thresholds_keep(evaluated):
    evaluated.answers.source_low[:4] = 0.95
    strict, _ = choose(evaluated.answers, evaluated.roles, KINDS, ErrorRates(0, 0))
    lax, _ = choose(evaluated.answers, evaluated.roles, KINDS, ErrorRates(0.5, 0.5))
    assert strict.thresholds.review_band[1] > lax.thresholds.review_band[1]


def test_answers_that_are_scaled_keep_what_they_say_of_artifacts(evaluated):
    scaling = Scaling(2.0, -0.5)
    scaled = evaluated.answers.scaled(scaling)
    np.testing.assert_array_equal(scaled.image_low, scaling.apply(evaluated.answers.image_low))
    np.testing.assert_array_equal(scaled.source_low, scaling.apply(evaluated.answers.source_low))
    np.testing.assert_array_equal(scaled.image_artifacts, evaluated.answers.image_artifacts)


def test_figures_are_those_of_the_role_s_subjects(evaluated):
    measured = measure(evaluated.answers, evaluated.roles, Role.TEST, AT_ONE_HALF)
    assert measured["subjects"] == 4
    assert measured["images"] == {"low": 12, "high": 12, "clean": 4}
    assert measured["clean_called_low"]["value"] == 0.25
    assert measured["high_called_low"]["value"] == 0
    assert measured["low_called_high"]["value"] == pytest.approx(1 / 12)
    assert measured["accuracy"]["value"] == pytest.approx(23 / 24)
    # The missed image is judged better than some; one clean slice of four is judged worse than any low image.
    assert 0.9 < measured["auc_low_against_high"]["value"] < 1
    assert measured["auc_low_against_clean"]["value"] == pytest.approx(0.75, abs=0.03)
    for figure in ("accuracy", "low_called_high", "auc_low_against_high"):
        assert measured[figure]["least"] <= measured[figure]["value"] <= measured[figure]["greatest"]


def test_what_lies_in_the_review_band_is_not_decided(evaluated):
    measured = measure(evaluated.answers, evaluated.roles, Role.TEST, Thresholds(0.5, (0.2, 0.99)))
    images = [
        (image.low, probability)
        for image, probability in zip(evaluated.answers.images, evaluated.answers.image_low, strict=True)
        if evaluated.roles[image.subject] is Role.TEST
    ]
    decided = [probability < 0.2 or probability >= 0.99 for _, probability in images]
    assert measured["decided"]["value"] == pytest.approx(np.mean(decided))
    passed = [probability < 0.2 for low, probability in images if low]
    assert measured["low_passed"]["value"] == pytest.approx(np.mean(passed))
    assert measured["high_condemned"]["value"] == 0
    assert 0 < measured["calibration_error"]["value"] < 1


def test_an_artifact_is_counted_where_it_alone_spoils_the_image(evaluated):
    measured = measure(evaluated.answers, evaluated.roles, Role.TEST, AT_ONE_HALF)
    assert measured["detected_by_artifact"] == {
        "motion": {"images": 4, "called_low": 4},
        "noise": {"images": 4, "called_low": 3},
    }


def test_false_alarms_are_told_by_body_part(evaluated):
    measured = measure(evaluated.answers, evaluated.roles, Role.TEST, AT_ONE_HALF)
    assert measured["clean_called_low_by_body_part"] == {
        "brain": {"images": 2, "called_low": 0},
        "knee": {"images": 2, "called_low": 1},
    }


def test_figures_without_images_are_none(evaluated):
    measured = measure(evaluated.answers, evaluated.roles, Role.HELD_OUT, AT_ONE_HALF)
    assert measured["images"] == {"low": 0, "high": 0, "clean": 0}
    assert measured["accuracy"] is None
    json.dumps(measured, allow_nan=False)

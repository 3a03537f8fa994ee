"""What the card states: chosen on validation subjects, measured on others."""

from __future__ import annotations

import json

import numpy as np
import pytest

from miqanet.database.folds import Role
from miqanet.database.png import encode_png
from miqanet.database.records import ImageRecord, SourceRecord
from miqanet.evaluation.shipping import ask, measure, thresholds

KINDS = ("motion", "noise")


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


def test_thresholds_come_from_validation_subjects_alone(evaluated):
    chosen, naming = thresholds(evaluated.answers, evaluated.roles, KINDS)
    for place, image in enumerate(evaluated.answers.images):
        if evaluated.roles[image.subject] is not Role.VALIDATION:
            evaluated.answers.image_low[place] = 0.5
            evaluated.answers.image_artifacts[place] = 0.5
    evaluated.answers.source_low[4:] = 0.5
    assert thresholds(evaluated.answers, evaluated.roles, KINDS) == (chosen, naming)


def test_thresholds_count_clean_slices_among_the_high_images(evaluated):
    before, _ = thresholds(evaluated.answers, evaluated.roles, KINDS)
    evaluated.answers.source_low[:4] = 0.95
    after, naming = thresholds(evaluated.answers, evaluated.roles, KINDS)
    assert after.decision > 0.95 > before.decision
    assert set(naming) == set(KINDS)
    assert all(0.2 < threshold < 0.9 for threshold in naming.values())


def test_figures_are_those_of_the_role_s_subjects(evaluated):
    measured = measure(evaluated.answers, evaluated.roles, Role.TEST, 0.5)
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


def test_an_artifact_is_counted_where_it_alone_spoils_the_image(evaluated):
    measured = measure(evaluated.answers, evaluated.roles, Role.TEST, 0.5)
    assert measured["detected_by_artifact"] == {
        "motion": {"images": 4, "called_low": 4},
        "noise": {"images": 4, "called_low": 3},
    }


def test_false_alarms_are_told_by_body_part(evaluated):
    measured = measure(evaluated.answers, evaluated.roles, Role.TEST, 0.5)
    assert measured["clean_called_low_by_body_part"] == {
        "brain": {"images": 2, "called_low": 0},
        "knee": {"images": 2, "called_low": 1},
    }


def test_figures_without_images_are_none(evaluated):
    measured = measure(evaluated.answers, evaluated.roles, Role.HELD_OUT, 0.5)
    assert measured["images"] == {"low": 0, "high": 0, "clean": 0}
    assert measured["accuracy"] == {"value": None, "least": None, "greatest": None}
    json.dumps(measured, allow_nan=False)

"""The model card says what a model is, in words and in figures."""

from __future__ import annotations

import json
from copy import deepcopy
from dataclasses import asdict

import jinja2
import pytest

from miqanet.database.folds import Role
from miqanet.evaluation.card import INTENDED_USE, write_card
from miqanet.evaluation.shipping import measure
from miqanet.evaluation.thresholds import ErrorRates, Thresholds
from miqanet.screening.card import Card
from miqanet.screening.scaling import Scaling
from miqanet.training.fit import FitSettings

KINDS = ("motion", "noise")


@pytest.fixture
def card(evaluated):
    stage = {
        "settings": asdict(FitSettings(size=256)),
        "minutes": 61.5,
        "hardware": "2 x Example CPU",
        "fresh": True,
        "held_out": ["knee"],
    }
    return {
        "name": "miqanet",
        "version": "7",
        "created": "2026-01-02",
        "size": 512,
        "artifact_kinds": list(KINDS),
        "temperature": 1.25,
        "bias": -0.5,
        "threshold": 0.625,
        "review_band": [0.25, 0.875],
        "artifact_thresholds": dict.fromkeys(KINDS, 0.5),
        "error_rates": asdict(ErrorRates()),
        "training": {"stages": [stage], "pretrained": None, "split_seed": 0},
        "data": {
            "sha256": "0123abcd",
            "clean_slices": 8,
            "images": 40,
            "subjects": {"train": 0, "validation": 4, "test": 4, "held_out": 1},
            "datasets": ["d"],
            "body_parts": ["brain", "knee"],
            "simulated": "simulated artifacts",
        },
        "metrics": {
            role.value: measure(evaluated.answers, evaluated.roles, role, Thresholds(0.625, (0.25, 0.875)))
            for role in (Role.TEST, Role.HELD_OUT)
        },
    }


def test_the_card_for_programs_is_what_screening_reads(card, tmp_path):
    write_card(card, tmp_path)
    read = Card.read(tmp_path)
    assert (read.model_version, read.threshold, read.review_band) == ("miqanet 7", 0.625, (0.25, 0.875))
    assert (read.artifact_kinds, read.scaling) == (KINDS, Scaling(1.25, -0.5))
    written = json.loads((tmp_path / "card.json").read_text())
    assert written == {**card, "intended_use": INTENDED_USE}


def test_the_card_for_people_states_what_the_figures_are_of(card, tmp_path):
    write_card(card, tmp_path)
    text = (tmp_path / "README.md").read_text()
    assert text.startswith("# miqanet 7\n")
    assert "measured on simulated artifacts" in text
    assert "Not a medical device" in " ".join(text.split())
    assert "61.5 minutes on 2 x Example CPU" in text
    assert "artifacts made afresh every epoch" in text
    assert "0.625" in text
    assert "held out (knee)" in " ".join(text.split())
    assert "| motion | 4 of 4 | – |" in text


def test_the_table_has_a_column_a_role_and_an_interval_a_figure(card, tmp_path):
    write_card(card, tmp_path)
    lines = (tmp_path / "README.md").read_text().splitlines()
    start = lines.index("| | test | held out | ")
    table = lines[start : start + 14]
    assert table[1] == "|---|---|---|"
    assert all(line.startswith("|") and line.count("|") == 4 for line in table)
    accuracy = next(line for line in table if line.startswith("| accuracy"))
    value = card["metrics"]["test"]["accuracy"]
    assert f"{100 * value['value']:.1f} % [{100 * value['least']:.1f}, " in accuracy
    # Nothing was held out: no figure is made up.
    assert accuracy.split("|")[3].strip() == "–"


def test_the_three_way_verdict_is_told(card, tmp_path):
    write_card(card, tmp_path)
    text = " ".join((tmp_path / "README.md").read_text().split())
    assert "divided by a temperature of 1.25 and gets a bias of -0.5" in text
    assert "Below 0.25 it passes and from 0.875 on it is low without a person" in text
    assert "at most 2 % of what is low passes and at most 5 % of what is high is called low" in text
    write_card(card | {"review_band": [0.625, 0.625]}, tmp_path)
    assert "No person is asked" in (tmp_path / "README.md").read_text()


def test_a_final_card_says_whose_figures_it_tells(card, tmp_path):
    card["metrics"]["validation"] = card["metrics"]["test"] | {"detected_by_artifact": {}}
    card |= {"metrics_of": "6", "metrics_data_sha256": card["data"]["sha256"]}
    write_card(card, tmp_path)
    text = " ".join((tmp_path / "README.md").read_text().split())
    assert "another database" not in text
    assert "These weights learned from the test subjects, too" in text
    assert "All other figures are those of version 6" in text
    assert "at the threshold above" not in text
    assert "| | test, version 6 | held out, version 6 | validation |" in text
    assert "| motion | 4 of 4 | – |" in text
    write_card(card | {"metrics_data_sha256": "beef"}, tmp_path)
    assert "measured on another database" in (tmp_path / "README.md").read_text()


def test_a_calibrated_card_shows_before_and_after_instead(card, tmp_path):
    figures = {
        name: {"value": 0.125, "least": 0.1, "greatest": 0.15}
        for name in ("calibration_error", "decided", "low_passed", "high_condemned")
    }
    card |= {
        "original": {"version": "6"},
        "calibration": {
            "data_sha256": "beef",
            "simulated": "",
            "images": {"low": 70, "high": 130},
            "subjects": 50,
            "before": figures,
            "after": figures,
        },
    }
    del card["metrics"]
    write_card(card, tmp_path)
    text = (tmp_path / "README.md").read_text()
    assert "| calibration error | 0.125 [0.100, 0.150] | 0.125 [0.100, 0.150] |" in text
    assert "| decided without a person | 12.5 % [10.0, 15.0] |" in text
    assert "70 low and 130 high images of 50 subjects: **images that people have rated**" in text
    assert "## Measured" not in text
    assert "version 6" in text


def test_what_training_began_with_is_told(card, tmp_path):
    second = deepcopy(card["training"]["stages"][0]) | {"fresh": False, "held_out": []}
    second["settings"]["size"] = 512
    card["training"] |= {"stages": [*card["training"]["stages"], second], "pretrained": "resnet34.pth"}
    write_card(card, tmp_path)
    text = (tmp_path / "README.md").read_text()
    assert "Began with weights learned on ImageNet, `resnet34.pth`." in text
    assert "1. 256 pixels" in text
    assert "2. 512 pixels: 30 epochs of the stored images, batch" in text
    assert "()" not in text


def test_sources_and_licenses_are_named(card, tmp_path):
    source = {"dataset": "sct", "source": "sct/data", "commit": "0123456789abcdef", "license": "MIT"}
    card["data"]["sources"] = [source]
    card["training"]["stages"][0]["final"] = True
    write_card(card, tmp_path)
    text = (tmp_path / "README.md").read_text()
    assert "| sct | sct/data, `0123456789ab` | MIT |" in text
    assert "from the test subjects, too" in text


def test_a_card_without_figures_has_no_readme_yet(card, tmp_path):
    del card["metrics"]
    write_card(card, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["card.json"]


def test_a_missing_statement_is_an_error(card, tmp_path):
    del card["training"]["stages"][0]["hardware"]
    with pytest.raises(jinja2.UndefinedError, match="hardware"):
        write_card(card, tmp_path)

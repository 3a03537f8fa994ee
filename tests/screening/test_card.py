import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from miqanet.screening.card import CARD_FILE, Card, WeightsError, default_weights
from miqanet.screening.scaling import Scaling

NOTHING = np.zeros(3, np.float32)


def test_shipped_card_is_usable() -> None:
    card = Card.read(default_weights())
    assert 0 < card.threshold < 1
    assert card.review_band[0] <= card.review_band[1]
    assert set(card.artifact_thresholds) == set(card.artifact_kinds)


@pytest.mark.parametrize(
    ("probability", "quality", "review"),
    [
        (0.0, "high", False),
        (0.399, "high", False),
        (0.4, "high", True),
        (0.499, "high", True),
        (0.5, "low", True),
        (0.599, "low", True),
        (0.6, "low", False),
    ],
)
def test_threshold_and_review_band(card: Card, probability: float, quality: str, review: bool) -> None:
    verdict = card.verdict(probability, NOTHING)
    assert (verdict.quality, verdict.review) == (quality, review)
    assert (verdict.threshold, verdict.model_version) == (0.5, "test 1")


def test_what_is_written_is_what_was_compared(card: Card) -> None:
    verdict = card.verdict(0.49999999, NOTHING)
    assert (verdict.quality == "low") == (verdict.probability_low >= verdict.threshold)


def test_findings_pass_their_own_thresholds_most_probable_first(card: Card) -> None:
    verdict = card.verdict(0.9, np.array([0.55, 0.6, 0.65], np.float32))
    assert [finding.kind for finding in verdict.findings] == ["ghosting", "motion"]


def test_plainly_high_image_names_only_what_is_sure(card: Card) -> None:
    assert not card.verdict(0.1, np.array([0.8, 0.8, 0.8], np.float32)).findings
    assert [f.kind for f in card.verdict(0.1, np.array([0.95, 0.8, 0.8], np.float32)).findings] == ["motion"]
    assert card.verdict(0.45, np.array([0.8, 0.0, 0.0], np.float32)).findings


def test_wrong_number_of_artifacts_is_refused(card: Card) -> None:
    with pytest.raises(ValueError, match="zip"):
        replace(card, artifact_kinds=("motion",)).verdict(0.5, NOTHING)


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"name": "x", "review_band": [1]}'])
def test_damaged_card_names_its_file(tmp_path: Path, content: str) -> None:
    (tmp_path / CARD_FILE).write_text(content)
    with pytest.raises(WeightsError, match=r"card\.json"):
        Card.read(tmp_path)


def test_a_band_without_extent_asks_no_one(card: Card) -> None:
    alone = replace(card, review_band=(0.5, 0.5))
    assert not any(alone.verdict(probability, NOTHING).review for probability in (0.499, 0.5, 0.501))


def test_a_card_without_scaling_takes_probabilities_as_they_are(tmp_path: Path) -> None:
    content = json.loads((default_weights() / CARD_FILE).read_text())
    for scaling in ("temperature", "bias", "doubt"):
        content.pop(scaling, None)
    (tmp_path / CARD_FILE).write_text(json.dumps(content))
    assert Card.read(tmp_path).scaling == Scaling()
    assert Card.read(tmp_path).doubt == 0
    (tmp_path / CARD_FILE).write_text(json.dumps(content | {"temperature": 1.5, "bias": -0.2}))
    assert Card.read(tmp_path).scaling == Scaling(1.5, -0.2)
    (tmp_path / CARD_FILE).write_text(json.dumps(content | {"temperature": 0}))
    with pytest.raises(WeightsError, match="a temperature is above 0"):
        Card.read(tmp_path)


def test_artifact_without_threshold_is_refused(tmp_path: Path) -> None:
    content = json.loads((default_weights() / CARD_FILE).read_text())
    content["artifact_thresholds"] = {}
    (tmp_path / CARD_FILE).write_text(json.dumps(content))
    with pytest.raises(WeightsError, match="KeyError"):
        Card.read(tmp_path)


def test_folder_without_card_says_what_belongs_there(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="no model card"):
        Card.read(tmp_path)

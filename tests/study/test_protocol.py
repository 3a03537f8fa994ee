from __future__ import annotations

import json
from dataclasses import replace

import pytest

from miqanet.study.protocol import (
    CONFIDENCE,
    LOW_HIGH,
    TAGS,
    Protocol,
    TrainingImage,
    artifact_tags,
    graded_scale,
)
from miqanet.verdict import Quality

PROTOCOL = Protocol(
    name="study",
    question="Is it?",
    categories=LOW_HIGH,
    tags=artifact_tags(TAGS),
    confidence=CONFIDENCE,
    minimum_viewing_ms=1000,
    per_image=8,
    repeats=0.05,
    seed=1,
    training=(TrainingImage(4, "low", "ghosts"),),
)


def test_a_protocol_is_the_same_after_json() -> None:
    written = json.dumps(PROTOCOL.as_json())
    assert Protocol.from_json(json.loads(written)) == PROTOCOL
    assert Protocol.from_json(json.loads(written)).version == PROTOCOL.version


@pytest.mark.parametrize(
    "changes",
    [
        {"question": "Is it not?"},
        {"categories": graded_scale(5)},
        {"tags": artifact_tags(("motion",))},
        {"minimum_viewing_ms": 999},
        {"seed": 2},
        {"training": ()},
    ],
)
def test_any_change_is_another_version(changes: dict) -> None:
    assert replace(PROTOCOL, **changes).version != PROTOCOL.version


def test_classes_are_the_papers_by_default() -> None:
    assert PROTOCOL.grades == {"low": 0, "high": 1}
    assert PROTOCOL.high == {"low": 0, "high": 1}


@pytest.mark.parametrize(
    ("grades", "low"),
    [(3, ["1"]), (4, ["1", "2"]), (5, ["1", "2"]), (6, ["1", "2", "3"]), (7, ["1", "2", "3"])],
)
def test_from_its_middle_on_a_graded_scale_is_high(grades: int, low: list[str]) -> None:
    scale = graded_scale(grades)
    assert [each.value for each in scale if each.quality is Quality.LOW] == low
    assert [each.grade for each in scale] == list(range(1, grades + 1))
    # Digits are for tags, and these for the viewer.
    assert not {each.key for each in scale} & set("0123456789wasdibrcupt+-=?")
    assert len({each.key for each in scale}) == grades


@pytest.mark.parametrize("grades", [2, 8])
def test_other_scales_are_refused(grades: int) -> None:
    with pytest.raises(ValueError, match="3 to 7"):
        graded_scale(grades)


def test_tags_have_digits_in_order() -> None:
    assert [tag.key for tag in artifact_tags(TAGS)] == list("1234567890")
    assert artifact_tags(("wrap_around",))[0].label == "Wrap around"
    for wrong in (("a",) * 2, ("",), ("a" * 41,), tuple("abcdefghijk")):
        with pytest.raises(ValueError, match="artifact tags"):
            artifact_tags(wrong)


@pytest.mark.parametrize(
    "changes",
    [{"name": " "}, {"question": ""}, {"per_image": 0}, {"repeats": 0.6}, {"minimum_viewing_ms": -1}],
)
def test_what_makes_no_sense_is_refused(changes: dict) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        replace(PROTOCOL, **changes)

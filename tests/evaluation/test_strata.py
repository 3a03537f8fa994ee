from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from miqanet.database.records import ImageRecord
from miqanet.evaluation.strata import STRATA, parts

IMAGE = ImageRecord(Path("x"), 1, "site", "brain", "T1w", low=True, harms={}, simulated=True)


@pytest.mark.parametrize(
    ("harms", "kind", "harm"),
    [
        ({}, "none", "0 to 0.25"),
        ({"noise": 0.3, "motion": 0.9}, "motion", "0.8 to 1.25"),
        ({"noise": 4.0, "motion": 0.9}, "noise", "4 and more"),
        ({"blur": 1.25}, "blur", "1.25 to 2"),
    ],
)
def test_the_worst_artifact_names_the_part(harms, kind, harm):
    image = replace(IMAGE, harms=harms)
    assert STRATA["artifact"](image) == kind
    assert STRATA["harm"](image) == harm


def test_severity_is_that_of_the_worst_artifact():
    images = [replace(IMAGE, severity=severity) for severity in (1.3, 0.2, 0.25, None)]
    found = {name: places.tolist() for name, places in parts(images, "severity").items()}
    assert found == {"0 to 0.25": [1], "0.25 to 0.5": [2], "1 and more": [0]}
    assert list(found)[-1] == "1 and more"


def test_votes_are_unanimous_or_split():
    assert STRATA["votes"](replace(IMAGE, low_votes=1.0)) == "unanimous"
    assert STRATA["votes"](replace(IMAGE, low_votes=0.875)) == "split"
    assert STRATA["votes"](IMAGE) is None


def test_real_images_have_no_known_artifacts():
    images = [replace(IMAGE, simulated=False, harms={}), replace(IMAGE, harms={"noise": 1.0})]
    assert {name: places.tolist() for name, places in parts(images, "artifact").items()} == {"noise": [1]}
    assert {name: places.tolist() for name, places in parts(images, "harm").items()} == {"0.8 to 1.25": [1]}
    assert parts(images, "body_part")["brain"].tolist() == [0, 1]


def test_harms_come_in_their_order():
    images = [replace(IMAGE, harms={"noise": harm}) for harm in (9.0, 0.1, 3.0, 0.9)]
    assert list(parts(images, "harm")) == ["0 to 0.25", "0.8 to 1.25", "2 to 4", "4 and more"]


def test_contrasts_are_told_apart_by_what_they_are_not_by_how_they_are_written():
    images = [replace(IMAGE, contrast=text) for text in ("T1W ax", "T1w", "ZTE", "")]
    assert {name: len(places) for name, places in parts(images, "contrast").items()} == {
        "T1w": 2, "ZTE": 1, "unknown": 1,
    }  # fmt: skip

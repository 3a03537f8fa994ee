from __future__ import annotations

import pytest

from miqanet.hospital.rest_models import VerdictModel, read_cursor, write_cursor
from miqanet.verdict import Finding


@pytest.mark.parametrize("cursor", [(1763880000.1234567, 42), (0.0, 1), (12.5, 10**12)])
def test_cursors_come_back_as_they_went_out(cursor):
    assert read_cursor(write_cursor(cursor)) == cursor


def test_a_verdict_says_what_its_record_says(result):
    said = VerdictModel.of(result("low", Finding("motion", 0.75), frame=3)).model_dump(mode="json")
    assert said == {
        "frame": 3,
        "quality": "low",
        "probability_low": 0.93,
        "review": False,
        "findings": [{"kind": "motion", "probability": 0.75}],
        "model_version": "miqanet 0.1.0",
        "reason": "",
    }


def test_an_image_that_was_not_judged_says_why(result):
    said = VerdictModel.of(result("error"))
    assert (said.quality, said.probability_low, said.reason) == (None, None, "its pixels are cut short")

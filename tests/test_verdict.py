from __future__ import annotations

import numpy as np
import pytest

from miqanet.verdict import Finding, Quality, Verdict


def test_quality_reads_and_writes_as_the_papers_words():
    assert [str(quality) for quality in Quality] == ["low", "high"]
    assert Quality("low") is Quality.LOW
    with pytest.raises(ValueError, match="medium"):
        Quality("medium")


def test_finding_is_written_as_kind_and_probability():
    assert str(Finding("motion", 0.987)) == "motion:0.99"


def test_heat_map_stays_out_of_logs():
    verdict = Verdict(Quality.LOW, 0.9, False, (), "miqanet 1", 0.5, np.ones((16, 16), np.float32))
    assert "heat_map" not in repr(verdict)

"""What is made up is said, and what people did is not called made up."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from miqanet.database.records import ImageRecord, RaterRecord
from miqanet.evaluation.data import what_is_simulated

MADE_UP = ImageRecord(Path("x"), 1, "site", "brain", "T1w", low=True, harms={}, simulated=True)
REAL = replace(MADE_UP, simulated=False)
DOCTOR, PROGRAM = RaterRecord("rater-1", simulated=False), RaterRecord("simulated-1", simulated=True)
NOBODY = ": no radiologist has rated these images"


@pytest.mark.parametrize(
    ("images", "raters", "said"),
    [
        ([MADE_UP], [PROGRAM], "simulated artifacts and simulated labels" + NOBODY),
        ([MADE_UP], [], "simulated artifacts and simulated labels" + NOBODY),
        ([MADE_UP], [DOCTOR], "simulated artifacts"),
        ([REAL], [PROGRAM], "simulated labels" + NOBODY),
        ([REAL], [DOCTOR], ""),
        ([REAL], [], ""),
        ([REAL, MADE_UP], [DOCTOR, PROGRAM], "partly simulated artifacts and partly simulated labels"),
        ([REAL, MADE_UP], [DOCTOR], "partly simulated artifacts"),
    ],
)
def test_what_is_simulated_is_said_in_words(images, raters, said):
    assert what_is_simulated(images, raters) == said

"""Answers of a model that errs twice on the subjects that it is tested on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from miqanet.database.folds import Role
from miqanet.database.records import ImageRecord, SourceRecord
from miqanet.evaluation.shipping import Answers

KINDS = ("motion", "noise")


@dataclass(frozen=True)
class Evaluated:
    answers: Answers
    roles: dict[int, Role]


@pytest.fixture
def evaluated() -> Evaluated:
    """Four subjects to validate with and four to test with: what is low has 0.6 and above, but for one image."""
    rng = np.random.default_rng(0)
    roles = {n: Role.VALIDATION if n < 4 else Role.TEST for n in range(8)}
    roles[8] = Role.HELD_OUT
    images, low_probability, artifacts, sources, clean = [], [], [], [], []
    for subject in range(8):
        part = "brain" if subject % 2 else "knee"
        for place in range(6):
            low = place < 3
            harms = (
                {"noise": 1.5} if place == 0 else {"motion": 1.2, "noise": 2.0} if low else {"motion": 0.5}
            )
            if place == 2:
                harms = {"motion": 1.1}
            images.append(ImageRecord(Path("x.png"), subject, "d", part, "", low, harms, simulated=True))
            missed = subject == 5 and place == 0
            low_probability.append(rng.uniform(0.6, 1) if low and not missed else rng.uniform(0, 0.4))
            artifacts.append([0.9 if kind in images[-1].kinds else 0.2 for kind in KINDS])
        sources.append(SourceRecord(Path("y.png"), subject, "d", part, ""))
        clean.append(0.99 if subject == 6 else 0.05)
    answers = Answers(
        images, np.array(low_probability), np.array(artifacts, np.float32), sources, np.array(clean)
    )
    return Evaluated(answers, roles)

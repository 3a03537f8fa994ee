from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from miqanet.database.records import SourceRecord
from miqanet.database.sampling import EvenSampler

LOPSIDED = [
    *(SourceRecord(Path(f"volume_{n}"), 1, "volumes", "brain", "") for n in range(200)),
    SourceRecord(Path("single_2"), 2, "volumes", "brain", ""),
    SourceRecord(Path("single_3"), 3, "slices", "brain", ""),
    SourceRecord(Path("knee"), 4, "knees", "knee", ""),
]


def test_each_level_gets_its_share() -> None:
    sampler, rng = EvenSampler(LOPSIDED), np.random.default_rng(0)
    subjects = Counter(sampler.draw(rng).subject for _ in range(4000))
    shares = [subjects[number] / 4000 for number in (1, 2, 3, 4)]
    np.testing.assert_allclose(shares, [1 / 8, 1 / 8, 1 / 4, 1 / 2], atol=0.03)


def test_order_of_sources_does_not_matter() -> None:
    one, other = EvenSampler(LOPSIDED), EvenSampler(reversed(LOPSIDED))
    rngs = np.random.default_rng(3), np.random.default_rng(3)
    assert [one.draw(rngs[0]) for _ in range(50)] == [other.draw(rngs[1]) for _ in range(50)]


def test_nothing_to_draw_from_is_an_error() -> None:
    with pytest.raises(ValueError, match="no clean image"):
        EvenSampler([])

from __future__ import annotations

import numpy as np
import pyarrow.parquet as pq
import pytest

from miqanet.evaluation.predictions import FoldFacts, FoldPredictions

FACTS = FoldFacts(
    method="guess", protocol="P1", fold="rotation-0", settings={"size": 64, "rate": 1e-3}, minutes=1.5,
    hardware="a desk", temperature=2.0, bias=-0.5, review_band=(0.3, 0.6), body_parts_seen=("brain",),
    data_sha256="abc", fold_sha256="def", version="1",
)  # fmt: skip


@pytest.fixture
def answers(world):
    score = np.linspace(0, 1, 5)
    return FoldPredictions.of(FACTS, world.images[:2], world.images[2:5], score, score**2)


def test_answers_are_read_as_they_were_written(answers, world, tmp_path):
    path = tmp_path / "deep" / "fold.parquet"
    answers.write(path)
    again = FoldPredictions.read(path)
    assert again.facts == FACTS
    assert again.image.tolist() == [image.image for image in world.images[:5]]
    assert again.role.tolist() == ["validation"] * 2 + ["test"] * 3
    assert again.low.tolist() == [image.low for image in world.images[:5]]
    np.testing.assert_array_equal(again.score, answers.score)
    np.testing.assert_array_equal(again.probability_low, answers.probability_low)
    assert [each.name for each in path.parent.iterdir()] == ["fold.parquet"]


def test_a_person_looks_at_what_lies_within_the_band(answers, tmp_path):
    # Probabilities 0, 1/16, 1/4, 9/16, 1 and a band from 0.3 to 0.6.
    assert answers.passed.tolist() == [True, True, True, False, False]
    assert answers.condemned.tolist() == [False, False, False, False, True]
    answers.write(tmp_path / "fold.parquet")
    review = pq.read_table(tmp_path / "fold.parquet")["review"].to_pylist()
    assert review == [False, False, False, True, False]


def test_a_damaged_file_says_what_to_do(tmp_path):
    (tmp_path / "fold.parquet").write_bytes(b"PAR1 no more")
    with pytest.raises(ValueError, match="delete it, and its fold is done again"):
        FoldPredictions.read(tmp_path / "fold.parquet")

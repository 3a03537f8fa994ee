from __future__ import annotations

import math

import numpy as np
import pytest

from miqanet.consensus import Ratings, against_others, ceiling, majority_of_others, model_against_others

FOUR = Ratings.of([[1, 1, 1, 0], [0, 0, 0, 0], [1, 1, 0, 0], [1, np.nan, 0, 0]], categories=(0, 1))


def test_yardstick_is_the_majority_of_the_others() -> None:
    np.testing.assert_array_equal(
        majority_of_others(FOUR), [[1, 1, 1, 1], [0, 0, 0, 0], [0, 0, 1, 1], [0, 0, np.nan, np.nan]]
    )


def test_raters_are_judged_where_they_and_the_others_have_an_answer() -> None:
    np.testing.assert_allclose(against_others(FOUR), [2 / 4, 2 / 3, 2 / 3, 1 / 3])
    assert ceiling(FOUR) == pytest.approx(2 / 3)


def test_model_is_judged_by_the_same_yardstick_on_the_same_items() -> None:
    rater = FOUR.values[:, 0]
    assert model_against_others(FOUR, rater)[0] == against_others(FOUR)[0]
    # The second rater did not read the fourth item: there the model has no one's place to take.
    np.testing.assert_allclose(model_against_others(FOUR, np.array([1, 0, 0, 0])), [1, 1, 2 / 3, 2 / 3])
    np.testing.assert_allclose(model_against_others(FOUR, np.array([1, 0, np.nan, np.nan])), [1, 1, 1, 1])


def test_a_model_that_knows_the_truth_reaches_the_ceiling() -> None:
    rng = np.random.default_rng(0)
    truth = rng.integers(2, size=500).astype(float)
    flipped = rng.random((500, 8)) < 0.1
    ratings = Ratings.of(np.where(flipped, 1 - truth[:, None], truth[:, None]), categories=(0, 1))
    assert ceiling(ratings) < model_against_others(ratings, truth).mean()
    assert ceiling(ratings) == against_others(ratings).max()


def test_alone_there_is_no_yardstick() -> None:
    alone = Ratings.of([[1], [0]])
    assert np.isnan(against_others(alone)).all()
    assert math.isnan(ceiling(alone))

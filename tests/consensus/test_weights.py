from __future__ import annotations

import numpy as np
import pytest

from miqanet.consensus import Ratings, majority, rater_weights


def simulated(accuracies: list[float], items: int = 3000) -> tuple[np.ndarray, Ratings]:
    rng = np.random.default_rng(1)
    truth = rng.integers(2, size=items).astype(float)
    right = rng.random((items, len(accuracies))) < accuracies
    return truth, Ratings.of(np.where(right, truth[:, None], 1 - truth[:, None]), categories=(0, 1))


def test_better_raters_weigh_more_and_the_mean_is_one() -> None:
    _, ratings = simulated([0.95, 0.85, 0.75, 0.65, 0.55])
    weights = rater_weights(ratings)
    assert np.all(np.diff(weights) < 0)
    assert weights.mean() == pytest.approx(1)


def test_weighted_votes_are_right_more_often() -> None:
    truth, ratings = simulated([0.95, 0.6, 0.6, 0.6, 0.6])
    plain = np.mean(majority(ratings).values == truth)
    weighted = np.mean(majority(ratings, rater_weights(ratings)).values == truth)
    assert weighted > plain + 0.03


def test_weight_is_the_logarithm_of_the_odds() -> None:
    # Against the others: 3 right of 4, 3 of 4 and 4 of 4, and half an item to either side.
    ratings = Ratings.of([[1, 1, 1], [0, 0, 0], [1, 1, 1], [1, np.nan, 0]], categories=(0, 1))
    logarithms = np.log([3.5 / 1.5, 3.5 / 0.5, 3.5 / 1.5])
    np.testing.assert_allclose(rater_weights(ratings), logarithms / logarithms.mean())


def test_who_is_worse_than_chance_or_alone_weighs_nothing() -> None:
    values = np.tile([0.0, 0, 0, 1, np.nan], (20, 1))
    values[10:, :4] = [1, 1, 1, 0]
    weights = rater_weights(Ratings.of(values, categories=(0, 1)))
    np.testing.assert_allclose(weights, [5 / 3, 5 / 3, 5 / 3, 0, 0])


def test_where_nobody_can_be_compared_all_weigh_the_same() -> None:
    alone = Ratings.of([[0, np.nan], [np.nan, 1]], categories=(0, 1))
    np.testing.assert_array_equal(rater_weights(alone), [1, 1])

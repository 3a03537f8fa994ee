from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score
from statsmodels.stats.inter_rater import cohens_kappa

from miqanet.consensus import Ratings, cohen_kappas, contingency, mean_cohen_kappa, pairwise_agreement
from miqanet.consensus.pairs import upper


def test_kappa_of_two_is_the_published_one(abstractors: Ratings) -> None:
    # The documentation of irrCAC 1.0 prints it for cont3x3abstractors.
    assert cohen_kappas(abstractors)[0, 1] == pytest.approx(0.7964094, abs=5e-8)
    np.testing.assert_array_equal(contingency(abstractors)[0, 1], [[13, 0, 0], [0, 20, 7], [0, 4, 56]])
    assert pairwise_agreement(abstractors)[1, 0] == pytest.approx(0.89)


def test_every_pair_is_sklearns_and_statsmodels() -> None:
    rng = np.random.default_rng(2)
    truth = rng.integers(4, size=(50, 1))
    ratings = Ratings.of(np.where(rng.random((50, 4)) < 0.5, truth, rng.integers(4, size=(50, 4))))
    kappas = cohen_kappas(ratings)
    for first, second in itertools.combinations(range(4), 2):
        expected = cohen_kappa_score(ratings.values[:, first], ratings.values[:, second])
        assert kappas[first, second] == pytest.approx(expected, abs=1e-12)
        assert kappas[second, first] == pytest.approx(expected, abs=1e-12)
        table = contingency(ratings)[first, second]
        assert cohens_kappa(table).kappa == pytest.approx(expected, abs=1e-12)
    assert mean_cohen_kappa(ratings) == pytest.approx(upper(kappas).mean())


def test_pairs_come_once_and_in_order() -> None:
    square = np.arange(16).reshape(4, 4)
    expected = [square[pair] for pair in itertools.combinations(range(4), 2)]
    np.testing.assert_array_equal(upper(square), expected)


def test_only_common_items_count() -> None:
    ratings = Ratings.of([[1, 1, np.nan], [2, 2, 2], [1, 2, np.nan], [np.nan, 1, 1]])
    agreement = pairwise_agreement(ratings)
    assert agreement[0, 1] == pytest.approx(2 / 3)
    assert agreement[1, 2] == 1
    assert np.isnan(np.diagonal(agreement)).all()


def test_undefined_pairs_are_left_out_of_the_mean() -> None:
    ratings = Ratings.of([[1, 1, 1], [2, 2, 1], [1, 2, 1], [1, 1, np.nan]])
    kappas = cohen_kappas(ratings)
    assert kappas[0, 2] == 0  # The third never varies: no more than chance.
    constant = Ratings.of([[1, 1, 1], [1, 1, 2]])
    assert math.isnan(cohen_kappas(constant)[0, 1])
    assert mean_cohen_kappa(constant) == 0
    assert math.isnan(mean_cohen_kappa(Ratings.of([[1, np.nan], [np.nan, 1]])))

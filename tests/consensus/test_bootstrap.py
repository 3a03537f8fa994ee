from __future__ import annotations

import math

import numpy as np
import pytest

from miqanet.consensus import Estimate, Ratings, estimate, estimates, fleiss_kappa, percent_agreement


def noisy(items: int, raters: int = 4, seed: int = 0) -> Ratings:
    rng = np.random.default_rng(seed)
    truth = rng.integers(2, size=(items, 1))
    flipped = rng.random((items, raters)) < 0.15
    return Ratings.of(np.where(flipped, 1 - truth, truth), categories=(0, 1))


def test_interval_holds_the_figure_and_comes_out_the_same_again() -> None:
    ratings = noisy(100)
    first = estimate(fleiss_kappa, ratings, resamples=200)
    assert first.value == fleiss_kappa(ratings)
    assert first.least < first.value < first.greatest
    assert estimate(fleiss_kappa, ratings, resamples=200) == first
    assert estimate(fleiss_kappa, ratings, resamples=200, seed=1) != first


def test_interval_of_a_mean_is_the_normal_one() -> None:
    # Of two raters, percent agreement is the mean of a coin: its standard error is known.
    ratings = noisy(400, raters=2)
    share = percent_agreement(ratings)
    interval = estimate(percent_agreement, ratings, resamples=2000)
    half = 1.96 * math.sqrt(share * (1 - share) / 400)
    assert interval.least == pytest.approx(share - half, abs=0.1 * half)
    assert interval.greatest == pytest.approx(share + half, abs=0.1 * half)


def test_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    # Two raters who each err in 15 % of the items agree in 0.85^2 + 0.15^2 = 74.5 % of them.
    held = 0
    for seed in range(60):
        interval = estimate(percent_agreement, noisy(80, raters=2, seed=seed), resamples=150)
        held += interval.least <= 0.745 <= interval.greatest
    assert 50 <= held < 60


def test_statistics_share_their_resamples() -> None:
    ratings = noisy(50)
    together = estimates(
        lambda drawn: np.array([percent_agreement(drawn), fleiss_kappa(drawn)]), ratings, resamples=100
    )
    assert together == [
        estimate(percent_agreement, ratings, resamples=100),
        estimate(fleiss_kappa, ratings, resamples=100),
    ]


def test_every_resample_ticks() -> None:
    ticks: list[int] = []
    estimates(lambda drawn: np.array([len(drawn)]), noisy(5), resamples=7, tick=lambda: ticks.append(1))
    assert len(ticks) == 7


def test_resamples_without_a_value_are_left_out() -> None:
    nearly_constant = Ratings.of([[0, 0, 0]] * 9 + [[1, 1, 0]])
    assert any(
        math.isnan(fleiss_kappa(nearly_constant.take(np.random.default_rng(seed).integers(10, size=10))))
        for seed in range(20)
    )
    interval = estimate(fleiss_kappa, nearly_constant, resamples=200)
    assert math.isfinite(interval.least)
    assert math.isfinite(interval.greatest)


def test_what_is_not_defined_has_no_interval() -> None:
    for ratings in (Ratings.of(np.ones((5, 2))), Ratings.of(np.empty((0, 2)), categories=(0, 1))):
        undefined = estimate(fleiss_kappa, ratings, resamples=10)
        assert math.isnan(undefined.value)
        assert math.isnan(undefined.least)
        assert math.isnan(undefined.greatest)


def test_an_estimate_is_written_with_four_decimals() -> None:
    assert str(Estimate(0.97123456, 0.95, 0.98764)) == "0.9712 [0.9500, 0.9876]"

from __future__ import annotations

import csv
import math
from pathlib import Path

import numpy as np
import pytest
from statsmodels.stats.inter_rater import fleiss_kappa as statsmodels_kappa

from miqanet.consensus import Ratings, agreement_by_item, fleiss_kappa, gwet_ac1, percent_agreement


def test_fleiss_kappa_is_statsmodels_on_complete_tables() -> None:
    rng = np.random.default_rng(0)
    for raters, categories in ((2, 2), (4, 5), (8, 2), (8, 3)):
        truth = rng.integers(categories, size=(60, 1))
        noise = rng.integers(categories, size=(60, raters))
        values = np.where(rng.random((60, raters)) < 0.6, truth, noise)
        ratings = Ratings.of(values, categories=range(categories))
        assert fleiss_kappa(ratings) == pytest.approx(statsmodels_kappa(ratings.counts), abs=1e-12)


@pytest.mark.pool
@pytest.mark.parametrize("name", ["moco_T1_MPR_scores.csv", "moco_T1_TIRM_scores.csv"])
def test_fleiss_kappa_is_statsmodels_on_real_scores(pool: Path, name: str) -> None:
    path = pool.parent / "ratings" / name
    if not path.is_file():
        pytest.skip(f"no ratings at {path}")
    with path.open(newline="", encoding="utf-8") as file:
        values = [[float(cell) for cell in row[2:]] for row in list(csv.reader(file))[1:]]
    binary = Ratings.of(values).binarized(3)
    assert len(binary) > 100
    assert fleiss_kappa(binary) == pytest.approx(statsmodels_kappa(binary.counts), abs=1e-9)


def test_incomplete_tables_give_gwets_published_figures(four_observers: Ratings) -> None:
    # The documentation of irrCAC 1.0 prints them for cac.raw4raters.
    assert percent_agreement(four_observers) == pytest.approx(0.8181818, abs=5e-8)
    assert fleiss_kappa(four_observers) == pytest.approx(0.76117, abs=5e-6)
    assert gwet_ac1(four_observers) == pytest.approx(0.77544, abs=5e-6)


def test_complete_tables_give_gwets_published_figures(psychiatrists: Ratings) -> None:
    # The documentation of irrCAC 1.0 prints them for distrib.6raters.
    assert percent_agreement(psychiatrists) == pytest.approx(0.5511111, abs=5e-8)
    assert fleiss_kappa(psychiatrists) == pytest.approx(0.4139265, abs=5e-8)
    assert gwet_ac1(psychiatrists) == pytest.approx(0.4448007, abs=5e-8)


def test_two_raters_give_gwets_published_figures(abstractors: Ratings) -> None:
    # The documentation of irrCAC 1.0 prints them for cont3x3abstractors; Fleiss' kappa of two is Scott's pi.
    assert percent_agreement(abstractors) == pytest.approx(0.89)
    assert fleiss_kappa(abstractors) == pytest.approx(0.7962397, abs=5e-8)
    assert gwet_ac1(abstractors) == pytest.approx(0.8493305, abs=5e-8)


def test_ac1_stays_high_where_a_class_is_rare_and_kappa_does_not() -> None:
    rare = Ratings.of([[0, 0]] * 95 + [[0, 1], [1, 0]] * 2 + [[1, 1]])
    assert gwet_ac1(rare) > 0.95
    assert fleiss_kappa(rare) < 0.35


def test_unanimity_is_no_evidence_for_kappa_but_for_ac1() -> None:
    same = Ratings.of(np.ones((10, 4)), categories=(0, 1))
    assert percent_agreement(same) == 1
    assert math.isnan(fleiss_kappa(same))
    assert gwet_ac1(same) == 1
    assert math.isnan(gwet_ac1(Ratings.of(np.ones((10, 4)))))


def test_without_two_ratings_of_an_item_nothing_is_defined() -> None:
    alone = Ratings.of([[1, np.nan], [np.nan, 2], [np.nan, np.nan]])
    for statistic in (percent_agreement, fleiss_kappa, gwet_ac1):
        assert math.isnan(statistic(alone))
        assert math.isnan(statistic(Ratings.of(np.full((2, 2), np.nan))))


def test_agreement_is_told_item_by_item() -> None:
    table = Ratings.of([[0, 0, 1], [1, 1, 1], [0, np.nan, np.nan], [0, 1, np.nan]], categories=(0, 1))
    np.testing.assert_allclose(agreement_by_item(table), [1 / 3, 1, np.nan, 0])
    assert percent_agreement(table) == pytest.approx((1 / 3 + 1 + 0) / 3)

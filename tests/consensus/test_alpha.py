from __future__ import annotations

import math
from typing import get_args

import numpy as np
import pytest

from miqanet.consensus import Level, Ratings, fleiss_kappa, krippendorff_alpha

LEVELS = get_args(Level)


def test_krippendorffs_own_example(four_observers: Ratings) -> None:
    # Krippendorff, "Computing Krippendorff's Alpha-Reliability", 2011: section C, and after it other levels.
    assert krippendorff_alpha(four_observers, "nominal") == pytest.approx(0.743, abs=5e-4)
    assert krippendorff_alpha(four_observers, "ordinal") == pytest.approx(0.815, abs=5e-4)
    assert krippendorff_alpha(four_observers, "interval") == pytest.approx(0.849, abs=5e-4)


def test_binary_data_of_two_observers() -> None:
    # The same paper, section A.
    first, second = [0, 1, 0, 0, 0, 0, 0, 0, 1, 0], [1, 1, 1, 0, 0, 1, 0, 0, 0, 0]
    assert krippendorff_alpha(Ratings.of(np.transpose([first, second]))) == pytest.approx(0.095, abs=5e-4)


def test_nominal_data_of_two_observers() -> None:
    # The same paper, section B: a to e are 1 to 5 here.
    meg = [1, 1, 2, 2, 4, 3, 3, 3, 5, 4, 4, 1]
    owen = [2, 1, 2, 2, 2, 3, 3, 3, 5, 4, 4, 4]
    assert krippendorff_alpha(Ratings.of(np.transpose([meg, owen]))) == pytest.approx(0.692, abs=5e-4)


def test_three_coders_with_many_gaps() -> None:
    # Wikipedia, "Krippendorff's alpha", a computational example: 3 coders, 15 units.
    coders = ["*****34121133*3", "1*213343*******", "**21344*21133*4"]
    values = [[float(sign) if sign != "*" else np.nan for sign in coder] for coder in coders]
    ratings = Ratings.of(np.transpose(values))
    assert krippendorff_alpha(ratings, "nominal") == pytest.approx(0.691, abs=5e-4)
    assert krippendorff_alpha(ratings, "interval") == pytest.approx(0.811, abs=5e-4)


def test_figures_of_irrcac(four_observers: Ratings, psychiatrists: Ratings, abstractors: Ratings) -> None:
    assert krippendorff_alpha(four_observers) == pytest.approx(0.74342, abs=5e-6)
    assert krippendorff_alpha(psychiatrists) == pytest.approx(0.4204384, abs=5e-8)
    assert krippendorff_alpha(abstractors) == pytest.approx(0.7972585, abs=5e-8)


def test_nominal_alpha_is_fleiss_kappa_on_many_items(psychiatrists: Ratings) -> None:
    often = psychiatrists.take(np.tile(np.arange(15), 400))
    assert krippendorff_alpha(often) == pytest.approx(fleiss_kappa(often), abs=1e-4)


@pytest.mark.parametrize("level", LEVELS)
def test_two_categories_have_one_level(level: Level) -> None:
    rng = np.random.default_rng(1)
    binary = Ratings.of(rng.integers(2, size=(30, 4)))
    assert krippendorff_alpha(binary, level) == pytest.approx(krippendorff_alpha(binary), abs=1e-12)


@pytest.mark.parametrize("level", LEVELS)
def test_agreement_is_one_and_constancy_undefined(level: Level) -> None:
    assert krippendorff_alpha(Ratings.of([[1, 1], [2, 2], [5, 5]]), level) == 1
    assert math.isnan(krippendorff_alpha(Ratings.of(np.ones((5, 3))), level))
    assert math.isnan(krippendorff_alpha(Ratings.of([[1, np.nan], [np.nan, 2]]), level))


def test_categories_that_nobody_used_change_nothing(four_observers: Ratings) -> None:
    wider = Ratings.of(four_observers.values, categories=range(8))
    for level in LEVELS:
        assert krippendorff_alpha(wider, level) == pytest.approx(krippendorff_alpha(four_observers, level))


def test_other_levels_are_refused(four_observers: Ratings) -> None:
    with pytest.raises(ValueError, match="no level"):
        krippendorff_alpha(four_observers, "ratio")

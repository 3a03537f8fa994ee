from __future__ import annotations

import math

import numpy as np
import pytest

from miqanet.consensus import Vote, intra_rater_kappa, repeated_readings, tabulate

SCALE = (0, 1)
VOTES = [
    Vote("b", "Ann", 1, order=0),
    Vote("a", "Ann", 0, order=1),
    Vote("b", "Ann", 0, order=7),
    Vote("a", "Ben", 1, order=3),
    Vote("c", "Ben", 0, order=1),
]


def test_first_readings_make_the_table_whatever_order_they_come_in() -> None:
    for votes in (VOTES, VOTES[::-1]):
        ratings = tabulate(votes, SCALE)
        assert ratings.items == ("a", "b", "c")
        assert ratings.raters == ("Ann", "Ben")
        np.testing.assert_array_equal(ratings.values, [[0, 1], [1, np.nan], [np.nan, 0]])


def test_a_vote_off_the_scale_is_refused() -> None:
    with pytest.raises(ValueError, match="none of the categories"):
        tabulate([Vote("a", "Ann", 3, order=0)], SCALE)


def test_repeats_are_columns_in_the_order_of_reading() -> None:
    repeated = repeated_readings(
        [*VOTES, Vote("b", "Ann", 1, order=9), Vote("a", "Ann", 0, order=8)], "Ann", SCALE
    )
    assert set(repeated.items) == {"a", "b"}
    readings = dict(zip(repeated.items, repeated.values.tolist(), strict=True))
    assert readings["b"] == [1, 0, 1]
    assert readings["a"][:2] == [0, 0]
    assert math.isnan(readings["a"][2])


def test_intra_rater_kappa_is_cohens_between_two_readings() -> None:
    # Cohen's table [[4, 1], [2, 3]]: 7 of 10 agree, 5 of 10 by chance.
    pairs = [(0, 0)] * 4 + [(0, 1)] + [(1, 0)] * 2 + [(1, 1)] * 3
    votes = [
        Vote(str(item), "Ann", value, order=10 * reading + item)
        for item, pair in enumerate(pairs)
        for reading, value in enumerate(pair)
    ]
    assert intra_rater_kappa(repeated_readings(votes, "Ann", SCALE)) == pytest.approx(0.4)


def test_without_repeats_there_is_no_intra_rater_kappa() -> None:
    repeated = repeated_readings(VOTES, "Ben", SCALE)
    assert len(repeated) == 0
    assert math.isnan(intra_rater_kappa(repeated))
    assert len(tabulate([], SCALE)) == 0

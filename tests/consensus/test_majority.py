from __future__ import annotations

import numpy as np
import pytest

from miqanet.consensus import Ratings, majority

EIGHT = Ratings.of(
    [[1, 1, 1, 1, 1, 0, 0, 0], [1, 1, 1, 1, 0, 0, 0, 0], [0] * 7 + [np.nan], [np.nan] * 8],
    items=("most", "tie", "all", "unrated"),
)


def test_most_votes_make_the_label() -> None:
    labels = majority(EIGHT)
    np.testing.assert_array_equal(labels.values, [1, np.nan, 0, np.nan])
    np.testing.assert_allclose(labels.fractions, [[3 / 8, 5 / 8], [0.5, 0.5], [1, 0], [np.nan, np.nan]])


def test_ties_go_to_adjudication_and_unrated_items_do_not() -> None:
    assert majority(EIGHT).to_adjudicate == ("tie",)


def test_a_senior_readers_decision_settles_a_tie_and_keeps_the_votes() -> None:
    labels = majority(EIGHT)
    decided = labels.decided({"tie": 0})
    assert decided.values[1] == 0
    assert decided.to_adjudicate == ()
    np.testing.assert_array_equal(decided.fractions, labels.fractions)
    assert labels.to_adjudicate == ("tie",)


@pytest.mark.parametrize(
    ("decision", "message"),
    [({"most": 1}, "not up for"), ({"other": 1}, "not up for"), ({"tie": 2}, "none of the categories")],
)
def test_only_ties_can_be_decided_and_only_within_the_scale(decision: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        majority(EIGHT).decided(decision)


def test_weights_break_ties_and_can_overrule() -> None:
    labels = majority(EIGHT, np.array([1, 1, 1, 1, 1, 2, 2, 2], float))
    np.testing.assert_array_equal(labels.values, [0, 0, 0, np.nan])
    assert labels.fractions[0, 0] == pytest.approx(6 / 11)


def test_a_tie_of_weights_does_not_hang_on_rounding() -> None:
    split = Ratings.of([[0, 0, 0, 1]])
    assert 0.1 + 0.1 + 0.1 != 0.3
    assert majority(split, np.array([0.1, 0.1, 0.1, 0.3])).to_adjudicate == ("1",)


def test_the_largest_group_wins_among_many_categories() -> None:
    labels = majority(Ratings.of([[1, 2, 2, 3, 4], [1, 1, 2, 2, 5]]))
    np.testing.assert_array_equal(labels.values, [2, np.nan])

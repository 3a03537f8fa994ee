from __future__ import annotations

import numpy as np
import pytest

from miqanet.consensus import Ratings

THREE = Ratings.of([[1, 2, np.nan], [3, 3, 1]], raters="ABC", items=("x", "y"))


def test_scale_is_what_occurs_unless_told() -> None:
    assert THREE.categories == (1, 2, 3)
    assert Ratings.of([[1, 3]], categories=(1, 2, 3)).categories == (1, 2, 3)
    assert Ratings.of([[1, 3]]).raters == ("1", "2")


def test_counts_leave_missing_values_out() -> None:
    np.testing.assert_array_equal(THREE.counts, [[1, 1, 0], [1, 0, 2]])
    np.testing.assert_array_equal(THREE.one_hot[0, 2], [0, 0, 0])
    np.testing.assert_array_equal(THREE.given, [[True, True, False], [True, True, True]])


def test_items_may_be_drawn_twice() -> None:
    drawn = THREE.take(np.array([1, 1, 0]))
    assert drawn.items == ("y", "y", "x")
    assert drawn.categories == THREE.categories
    np.testing.assert_array_equal(drawn.values, THREE.values[[1, 1, 0]])


def test_without_a_rater_the_scale_stays() -> None:
    others = THREE.without(1)
    assert others.raters == ("A", "C")
    assert others.categories == (1, 2, 3)
    np.testing.assert_array_equal(others.values, [[1, np.nan], [3, 1]])


def test_binarized_at_three_is_one_from_three_on() -> None:
    binary = THREE.binarized(3)
    np.testing.assert_array_equal(binary.values, [[0, 0, np.nan], [1, 1, 0]])
    assert binary.categories == (0, 1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"categories": (1, 2)}, "3 is none of the categories"),
        ({"categories": (3, 2, 1)}, "ascend"),
        ({"raters": "AB"}, "2 raters do not fit"),
    ],
)
def test_contradictions_are_refused(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Ratings.of([[1, 2, 3]], **arguments)


def test_a_list_is_no_table() -> None:
    with pytest.raises(ValueError, match="two axes"):
        Ratings.of([1, 2, 3])

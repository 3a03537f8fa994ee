from __future__ import annotations

import numpy as np
import pytest

from miqanet.study.design import assign, showing_order


def test_all_judge_all_where_as_many_are_asked_for() -> None:
    assert assign(10, 8, 8, np.random.default_rng(0)).all()


@pytest.mark.parametrize(("images", "raters", "per_image"), [(40, 8, 3), (101, 7, 2), (30, 10, 9), (5, 8, 1)])
def test_an_incomplete_design_is_balanced(images: int, raters: int, per_image: int) -> None:
    assigned = assign(images, raters, per_image, np.random.default_rng(0)).astype(int)
    assert (assigned.sum(axis=1) == per_image).all()
    loads = assigned.sum(axis=0)
    assert loads.max() - loads.min() <= 1
    common = (assigned.T @ assigned)[np.triu_indices(raters, 1)]
    # By chance alone, the numbers of common images would be spread three times as widely.
    assert common.std() <= 1.5


def test_every_two_raters_have_images_in_common() -> None:
    assigned = assign(100, 8, 3, np.random.default_rng(1)).astype(int)
    common = (assigned.T @ assigned)[np.triu_indices(8, 1)]
    assert common.min() > 0


def test_who_judges_what_is_random_but_reproducible() -> None:
    first, again, other = (assign(30, 6, 2, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert (first == again).all()
    assert (first != other).any()


def test_too_few_raters_are_refused() -> None:
    with pytest.raises(ValueError, match="there are 2"):
        assign(5, 2, 3, np.random.default_rng(0))


@pytest.mark.parametrize(("count", "repeats"), [(1, 0.05), (4, 0.5), (40, 0.05), (300, 0.1), (10, 0.0)])
def test_everything_is_shown_once_and_a_share_twice_far_apart(count: int, repeats: float) -> None:
    images = list(range(100, 100 + count))
    for seed in range(20):
        shown = showing_order(images, repeats, np.random.default_rng(seed))
        first = [image for image, repeat in shown if not repeat]
        assert sorted(first) == images
        again = [image for image, repeat in shown if repeat]
        assert len(again) == len(set(again)) == int(np.ceil(repeats * count))
        for image in again:
            places = [place for place, (other, _) in enumerate(shown) if other == image]
            assert places[1] - places[0] >= max(1, min(50, count // 2))
            assert [shown[place][1] for place in places] == [False, True]


@pytest.mark.parametrize(
    ("count", "repeats", "again"), [(100, 0.07, 7), (50, 0.14, 7), (40, 0.05, 2), (41, 0.05, 3)]
)
def test_a_share_is_rounded_up_and_no_further(count: int, repeats: float, again: int) -> None:
    shown = showing_order(range(count), repeats, np.random.default_rng(0))
    assert sum(repeat for _, repeat in shown) == again


def test_orders_differ_between_raters() -> None:
    rng = np.random.default_rng(0)
    images = range(50)
    assert showing_order(images, 0.1, rng) != showing_order(images, 0.1, rng)

"""Anatomy that no subject has: what is moved, cut or joined is still a clean slice."""

from __future__ import annotations

import numpy as np
import pytest

from miqanet.artifacts.phantom import phantom
from miqanet.training import anatomy
from miqanet.training.anatomy import invent


@pytest.fixture
def only(monkeypatch):
    """Let one of the ways be taken always, and the others never."""

    def choose(name):
        for each in ("_JOINED", "_CUT", "_WEIGHTED", "_MOVED"):
            monkeypatch.setattr(anatomy, each, float(each == name))

    return choose


def test_slices_stay_slices_and_the_given_ones_as_they_were():
    image, other = phantom((96, 64), seed=1), phantom((50, 70), seed=2)
    before = image.copy(), other.copy()
    unchanged = 0
    for seed in range(60):
        made = invent(image, other, np.random.default_rng(seed))
        assert made.shape == image.shape
        assert made.dtype == np.float32
        assert made.min() >= 0
        assert made.max() <= 1.3  # bicubic interpolation overshoots at edges
        unchanged += made is image
    # One in seven stays as it is.
    assert 3 <= unchanged <= 18
    np.testing.assert_array_equal(image, before[0])
    np.testing.assert_array_equal(other, before[1])


def test_the_same_draw_makes_the_same():
    image, other = phantom((64, 64), seed=1), phantom((64, 64), seed=2)
    for seed in range(8):
        one, again = (invent(image, other, np.random.default_rng(seed)) for _ in range(2))
        np.testing.assert_array_equal(one, again)


def test_a_join_has_regions_of_both(only):
    only("_JOINED")
    dark, bright = np.full((80, 120), 0.2, np.float32), np.full((40, 50), 0.8, np.float32)
    for seed in range(10):
        made = invent(dark, bright, np.random.default_rng(seed))
        pure = [np.isclose(made, value, atol=1e-6).mean() for value in (0.2, 0.8)]
        assert min(pure) > 0.1
        # Between them lies an edge, not a blend of the two all over.
        assert sum(pure) > 0.75


def test_a_cut_leaves_air_around_the_middle(only):
    only("_CUT")
    full = np.ones((90, 120), np.float32)
    outlines = []
    for seed in range(10):
        made = invent(full, full, np.random.default_rng(seed))
        assert made[[0, 0, -1, -1], [0, -1, 0, -1]].max() < 0.5
        assert 0.15 < made.mean() < 0.95
        assert ((made == 0) | (made == 1)).mean() > 0.85
        outlines.append(made)
    assert not any(np.array_equal(one, outlines[0]) for one in outlines[1:])


def test_another_weighting_changes_the_order_of_tissues_and_leaves_air_and_shape(only):
    only("_WEIGHTED")
    tissues = np.array([0.0, 0.3, 0.6, 0.9], np.float32)
    image = np.repeat(tissues, 25).reshape(10, 10)
    orders = set()
    for seed in range(40):
        made = invent(image, image, np.random.default_rng(seed))
        assert made.max() <= image.max()
        shown = [made[image == tissue] for tissue in tissues]
        assert all(np.ptp(values) == 0 for values in shown)
        assert shown[0][0] == 0
        orders.add(tuple(np.argsort([values[0] for values in shown])))
    assert (0, 1, 2, 3) in orders
    assert len(orders) > 2


def test_a_move_keeps_the_middle_and_turns_what_is_around_it(only):
    only("_MOVED")
    image = np.zeros((101, 141), np.float32)
    image[46:55, 66:75] = 1
    image[48:53, 100:110] = 0.5
    angles = []
    for seed in range(20):
        made = invent(image, image, np.random.default_rng(seed))
        assert made[50, 70] > 0.9
        marker = np.argwhere(
            (made > 0.3) & (made < 0.7) & (np.hypot(*(np.indices(made.shape) - [[[50]], [[70]]])) > 20)
        )
        row, column = marker.mean(0) - (50, 70)
        angles.append(np.degrees(np.arctan2(row, column)))
        assert 22 < np.hypot(row, column) < 60
    assert max(angles) > 10
    assert min(angles) < -10
    assert np.abs(angles).max() < 45

from __future__ import annotations

import numpy as np
import pytest

from miqanet.features.gray import to_gray


def test_an_image_of_eight_bits_stays_as_it_is() -> None:
    pixels = np.array([[0, 17], [3, 200]], np.float32)
    np.testing.assert_array_equal(to_gray(pixels), pixels)


@pytest.mark.parametrize("factor", [0.01, 1 / 3, 1000.0])
def test_intensities_go_from_zero_to_the_greatest(factor: float) -> None:
    gray = to_gray(np.array([[1, 2], [3, 4.5]]) * factor)
    np.testing.assert_allclose(gray, np.array([[1, 2], [3, 4.5]]) * 255 / 4.5)


def test_the_least_of_negative_intensities_is_black() -> None:
    gray = to_gray(np.array([[-100, 0], [50, 100.0]]))
    np.testing.assert_allclose(gray, [[0, 127.5], [191.25, 255]])


def test_sixteen_bits_are_not_rounded() -> None:
    gray = to_gray(np.array([[0, 1], [300, 65535]], np.float32))
    np.testing.assert_allclose(gray, np.array([[0, 1], [300, 65535]]) / 257)


def test_zeros_stay_zeros() -> None:
    np.testing.assert_array_equal(to_gray(np.zeros((2, 2))), 0)


@pytest.mark.parametrize(("level", "gray"), [(-5.0, 0), (0.5, 255), (1e-310, 255)])
def test_an_image_of_one_level_is_black_or_white(level: float, gray: int) -> None:
    np.testing.assert_array_equal(to_gray(np.full((2, 2), level)), gray)

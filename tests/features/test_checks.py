from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from miqanet.features import FEATURE_NAMES, METHODS, bliinds2, brisque, diivine
from miqanet.features.checks import checked

CLASSICAL = pytest.mark.parametrize(
    ("method", "least"), [(bliinds2, 5), (brisque, 7), (diivine, 60)], ids=["bliinds2", "brisque", "diivine"]
)


def test_values_are_taken_as_they_are() -> None:
    image = np.array([[0, 255], [7, 8]], np.uint8)
    pixels = checked(image, "a method", 2)
    assert pixels.dtype == np.float64
    np.testing.assert_array_equal(pixels, image)


@CLASSICAL
def test_the_least_size_is_admitted_and_no_smaller_one(method: Callable[[Any], Any], least: int) -> None:
    image = np.random.default_rng(0).integers(0, 256, (least, least + 1))
    assert np.isfinite(method(image)).all()
    with pytest.raises(
        ValueError, match=rf"at least {least} x {least} pixels, not {least - 1} x {least + 1}"
    ):
        method(image[1:])
    with pytest.raises(ValueError, match=rf"at least {least} x {least} pixels"):
        method(image[:, :1])


@CLASSICAL
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_what_is_no_finite_number_is_refused(method: Callable[[Any], Any], least: int, bad: float) -> None:
    image = np.random.default_rng(0).uniform(0, 255, (least, least))
    image[least // 2, 1] = bad
    with pytest.raises(ValueError, match="NaN or infinity"):
        method(image)


@CLASSICAL
@pytest.mark.parametrize("shape", [(64,), (64, 64, 3), (1, 64, 64), ()])
def test_other_than_two_axes_are_refused(
    method: Callable[[Any], Any], least: int, shape: tuple[int, ...]
) -> None:
    del least
    with pytest.raises(ValueError, match="two axes"):
        method(np.ones(shape))


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("image", [np.full((64, 64), 1 + 1j), [["a"] * 64] * 64], ids=["complex", "text"])
def test_other_than_real_numbers_are_refused(method: str, image: object) -> None:
    with pytest.raises(ValueError, match="real numbers"):
        METHODS[method](image)  # type: ignore[arg-type]


@pytest.mark.parametrize("method", METHODS)
def test_every_method_names_its_features(method: str) -> None:
    image = np.random.default_rng(0).integers(0, 256, (61, 64))
    vector = METHODS[method](image)
    assert vector.shape == (len(FEATURE_NAMES[method]),)
    assert vector.dtype == np.float64


def test_no_two_features_have_the_same_name() -> None:
    names = [name for method in METHODS for name in FEATURE_NAMES[method]]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("method", METHODS)
def test_methods_leave_the_image_alone_and_repeat(method: str) -> None:
    image = np.random.default_rng(0).uniform(0, 255, (61, 64))
    before = image.copy()
    first = METHODS[method](image)
    np.testing.assert_array_equal(image, before)
    np.testing.assert_array_equal(METHODS[method](image), first)
    np.testing.assert_allclose(METHODS[method](np.asfortranarray(image)), first, rtol=1e-6)

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from miqanet.features.cornia import CorniaCodebook, cornia
from miqanet.features.patches import patch_count

Array = NDArray[np.float64]


def random_codebook(k: int) -> CorniaCodebook:
    rng = np.random.default_rng(5)
    return CorniaCodebook(rng.normal(0, 0.1, 49), rng.normal(size=(49, 49)), 3 * rng.normal(size=(49, k)))


def literal(image: Array, codebook: CorniaCodebook, indices: list[int]) -> Array:
    """The release, patch by patch."""
    k = codebook.atoms.shape[1]
    features = np.zeros(2 * k)
    positions = image.shape[0] - 6
    for index in indices:
        row, column = index % positions, index // positions
        x = image[row : row + 7, column : column + 7].T.ravel()
        x = (x - x.mean()) / np.sqrt(x.var(ddof=1) + 10)
        x = (x - codebook.mean) @ codebook.whitening
        for i in range(k):
            atom = codebook.atoms[:, i]
            z = x @ atom / (np.sqrt(np.sum(atom**2)) + 1e-20)
            features[i] = max(features[i], z)
            features[k + i] = max(features[k + i], -z)
    return features


@pytest.fixture
def image() -> Array:
    return np.random.default_rng(0).uniform(0, 255, (13, 15))


@pytest.mark.pool
def test_features_are_those_of_the_release(
    references: Callable[[str], list[tuple[str, Array, Array]]], nriqa: Path
) -> None:
    codebook = CorniaCodebook.load(nriqa / "cornia_codebook.npz")
    for name, pixels, expected in references("cornia"):
        np.testing.assert_allclose(cornia(pixels, codebook), expected, rtol=0, atol=1e-9, err_msg=name)


def test_features_are_the_greatest_responses_of_all_patches(image: Array) -> None:
    codebook = random_codebook(5)
    expected = literal(image, codebook, list(range(7 * 9)))
    np.testing.assert_allclose(cornia(image, codebook), expected, atol=1e-9)


def test_indices_choose_patches_down_the_columns(image: Array) -> None:
    codebook = random_codebook(3)
    for indices in ([0], [6, 7, 62], [30, 2]):
        expected = literal(image, codebook, indices)
        np.testing.assert_allclose(cornia(image, codebook, indices), expected, atol=1e-9)


def test_order_of_patches_does_not_matter(image: Array) -> None:
    codebook = random_codebook(4)
    shuffled = np.random.default_rng(0).permutation(patch_count(image.shape))
    np.testing.assert_allclose(cornia(image, codebook, shuffled), cornia(image, codebook), atol=1e-12)


def test_patches_and_atoms_beyond_one_block_count() -> None:
    image = np.random.default_rng(0).uniform(0, 255, (30, 36))
    codebook = random_codebook(1030)
    features = cornia(image, codebook).reshape(2, -1)
    for i in (0, 511, 512, 1029):
        one = CorniaCodebook(codebook.mean, codebook.whitening, codebook.atoms[:, [i]])
        np.testing.assert_allclose(features[:, i], literal(image, one, list(range(24 * 30))), atol=1e-9)


def test_what_no_patch_resembles_is_zero() -> None:
    codebook = CorniaCodebook(np.zeros(49), np.eye(49), np.eye(49)[:, :1])
    image = np.full((7, 7), 100.0)
    image[0, 0] = 200
    features = cornia(image, codebook)
    assert features[0] > 0
    assert features[1] == 0
    assert not np.signbit(features[1])


def test_integers_are_taken_as_they_are(image: Array) -> None:
    codebook = random_codebook(4)
    features = cornia(np.round(image).astype(np.uint8), codebook)
    np.testing.assert_array_equal(features, cornia(np.round(image), codebook))
    assert features.shape == (8,)
    assert features.dtype == np.float64


@pytest.mark.parametrize(
    ("pixels", "reason"),
    [(np.zeros((6, 20)), "7 x 7"), (np.full((9, 9), np.nan), "finite"), (np.zeros((3, 9, 9)), "two axes")],
)
def test_what_is_no_proper_image_is_refused(pixels: Array, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        cornia(pixels, random_codebook(2))


@pytest.mark.parametrize(
    ("patches", "reason"),
    [
        ("some", "not 'some'"),
        ([], "at least one"),
        ([0.5], "whole number"),
        ([[0]], "list"),
        ([True], "whole number"),
        ([63], "indices are 0 to 62"),
        ([-1], "indices are 0 to 62"),
    ],
)
def test_patches_that_the_image_does_not_have_are_refused(image: Array, patches: object, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        cornia(image, random_codebook(2), patches)  # type: ignore[arg-type]

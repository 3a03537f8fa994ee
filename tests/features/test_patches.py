from __future__ import annotations

import numpy as np
import pytest

from miqanet.features.patches import draw_patches, normalized_patches, patch_count


def test_patches_and_their_pixels_run_down_the_columns() -> None:
    image = np.random.default_rng(0).uniform(0, 255, (9, 10))
    patches = normalized_patches(image, np.arange(patch_count(image.shape)))
    assert patches.shape == (3 * 4, 49)
    for index, patch in enumerate(patches):
        row, column = index % 3, index // 3
        x = np.array([image[row + i, column + j] for j in range(7) for i in range(7)])
        np.testing.assert_allclose(patch, (x - x.mean()) / np.sqrt(x.var(ddof=1) + 10), atol=1e-12)


def test_only_the_patches_asked_for_are_returned_in_that_order() -> None:
    image = np.random.default_rng(1).uniform(0, 255, (12, 8))
    everything = normalized_patches(image, np.arange(12))
    np.testing.assert_array_equal(normalized_patches(image, np.array([7, 0, 7])), everything[[7, 0, 7]])


def test_flat_patch_is_zero() -> None:
    np.testing.assert_array_equal(
        normalized_patches(np.full((7, 7), 200.0), np.array([0])), np.zeros((1, 49))
    )


def test_drawn_patches_differ_from_each_other_and_repeat_with_the_seed() -> None:
    drawn = draw_patches((40, 40), np.random.default_rng(3), 500)
    assert len(np.unique(drawn)) == 500
    assert 0 <= drawn.min() < drawn.max() < patch_count((40, 40))
    np.testing.assert_array_equal(drawn, draw_patches((40, 40), np.random.default_rng(3), 500))
    assert not np.array_equal(drawn, draw_patches((40, 40), np.random.default_rng(4), 500))


@pytest.mark.parametrize(("shape", "count"), [((7, 7), 1), ((20, 9), 42), ((512, 512), 10_000)])
def test_as_many_as_the_release_or_all_are_drawn(shape: tuple[int, int], count: int) -> None:
    assert len(draw_patches(shape, np.random.default_rng(0))) == count

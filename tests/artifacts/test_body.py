import numpy as np
import pytest

from miqanet.artifacts.body import body_mask, body_signal


def square_with_hole():
    image = np.full((100, 100), 2.0, np.float32)
    image[20:80, 20:80] = 100
    image[45:55, 45:55] = 0
    return image


def test_mask_is_tissue_with_its_holes_filled():
    mask = body_mask(square_with_hole())
    assert mask[25:75, 25:75].all()
    assert not mask[:17].any()
    assert not mask[:, 83:].any()


@pytest.mark.parametrize("scale", [1e-3, 1.0, 4095.0])
def test_signal_is_the_median_of_tissue_and_scales(scale):
    assert body_signal(square_with_hole() * np.float32(scale)) == pytest.approx(100 * scale)


def test_empty_image_has_neither_body_nor_signal():
    empty = np.zeros((20, 30), np.float32)
    assert not body_mask(empty).any()
    assert body_signal(empty) == 0

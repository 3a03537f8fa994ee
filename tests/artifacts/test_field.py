import numpy as np
import pytest

from miqanet.artifacts.field import displace, smooth_field
from miqanet.artifacts.phantom import phantom


def test_smooth_field_reaches_one_and_has_no_mean():
    field = smooth_field((90, 121), seed=4)
    assert np.abs(field).max() == pytest.approx(1)
    assert field.mean() == pytest.approx(0, abs=1e-4)
    assert np.abs(np.diff(field, axis=0)).max() < 0.15


def test_smooth_field_depends_on_its_seed_alone():
    assert np.array_equal(smooth_field((32, 48), 1), smooth_field((32, 48), 1))
    assert not np.allclose(smooth_field((32, 48), 1), smooth_field((32, 48), 2))


@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("pixels", [-7, 0, 5])
def test_even_displacement_shifts(axis, pixels):
    image = phantom((64, 80)) * (np.hypot(*np.ogrid[-32:32, -40:40]) < 22)
    moved = displace(image, np.full(image.shape, pixels), axis)
    np.testing.assert_allclose(moved, np.roll(image, pixels, axis), atol=1e-5)


def test_half_a_pixel_is_shared_between_neighbors():
    image = np.zeros((1, 9), np.float32)
    image[0, 4] = 1
    np.testing.assert_allclose(displace(image, np.full((1, 9), 0.5), 1)[0, 3:7], [0, 0.5, 0.5, 0], atol=1e-6)


def test_uneven_displacement_keeps_the_signal():
    image = phantom((64, 64)) * (np.hypot(*np.ogrid[-32:32, -32:32]) < 20)
    moved = displace(image, 10 * smooth_field((64, 64), 0, order=6), 0)
    np.testing.assert_allclose(moved.sum(axis=0), image.sum(axis=0), rtol=1e-4, atol=1e-4)


def test_intensity_follows_the_jacobian():
    position = np.arange(200, dtype=np.float32)
    image = np.ones((1, 200), np.float32)
    stretched = displace(image, (position - 100)[None], 1)
    squeezed = displace(image, -0.5 * (position - 100)[None], 1)
    np.testing.assert_allclose(stretched[0, 5:195], 0.5, rtol=1e-3)
    np.testing.assert_allclose(squeezed[0, 60:140], 2.0, rtol=1e-3)
    assert squeezed[0, :45].max() == 0


def test_folding_signal_piles_up():
    image = np.ones((1, 101), np.float32)
    mirror = 2.0 * (50 - np.arange(101))[None]
    np.testing.assert_allclose(displace(image, mirror, 1), image, atol=1e-4)
    point = (50.0 - np.arange(101))[None]
    piled = displace(image, point, 1)
    assert piled[0, 49:52].sum() == pytest.approx(101, rel=0.01)


def test_signal_that_leaves_the_field_of_view_is_lost():
    image = np.ones((3, 20), np.float32)
    assert displace(image, np.full((3, 20), 1e9), 1).sum() == 0
    assert displace(image, np.full((3, 20), -8.0), 1).sum() == pytest.approx(3 * 12)

from __future__ import annotations

import numpy as np
import pytest

from miqanet.artifacts.phantom import phantom
from miqanet.preprocessing import SIZE, letterbox, letterbox_placement, prepare, scale_intensities

SHAPES = [(512, 512), (256, 256), (320, 240), (181, 217), (1024, 700), (64, 500), (1, 1), (1, 4000), (3, 700)]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.uint16, np.int16])
def test_any_shape_becomes_the_network_s_square(shape, dtype):
    pixels = (np.random.default_rng(0).random(shape) * 1000).astype(dtype)
    prepared = prepare(pixels)
    assert prepared.shape == (SIZE, SIZE)
    assert prepared.dtype == np.float32
    assert np.isfinite(prepared).all()
    assert prepared.min() >= 0
    assert prepared.max() <= 1


@pytest.mark.parametrize("shape", [(256, 256), (320, 200), (150, 411)])
def test_the_whole_image_is_kept(shape):
    rows, columns = shape
    pixels = np.zeros(shape, np.float32)
    marks = [(slice(0, 8), slice(0, 8)), (slice(0, 8), slice(columns - 8, None)),
             (slice(rows - 8, None), slice(0, 8)), (slice(rows - 8, None), slice(columns - 8, None))]  # fmt: skip
    for mark in marks:
        pixels[mark] = 1
    fitted = letterbox(pixels, 256)
    top, left, height, width = letterbox_placement(shape, 256)
    inside = fitted[top : top + height, left : left + width]
    for row in (0, -1):
        for column in (0, -1):
            assert inside[row, column] > 0.9
    assert inside.mean() == pytest.approx(pixels.mean(), rel=0.05)


@pytest.mark.parametrize("shape", [(256, 128), (100, 300), (217, 181)])
def test_aspect_is_kept_and_the_rest_is_black(shape):
    fitted = letterbox(np.ones(shape, np.float32), 128)
    top, left, rows, columns = letterbox_placement(shape, 128)
    assert rows / columns == pytest.approx(shape[0] / shape[1], rel=0.02)
    assert max(rows, columns) == 128
    expected = np.zeros((128, 128), np.float32)
    expected[top : top + rows, left : left + columns] = 1
    np.testing.assert_allclose(fitted, expected, atol=1e-6)
    assert abs(top - (128 - rows - top)) <= 1
    assert abs(left - (128 - columns - left)) <= 1


@pytest.mark.parametrize(("gain", "offset"), [(1000.0, 0.0), (0.01, 0.0), (1.0, -300.0), (4095.0, 77.0)])
def test_gain_and_offset_make_no_difference(gain, offset):
    image = phantom((96, 80)).astype(np.float64)
    np.testing.assert_allclose(prepare(image * gain + offset, 96), prepare(image, 96), atol=1e-3)


def test_a_few_extreme_pixels_make_no_difference():
    image = phantom((128, 128))
    spiked = image.copy()
    spiked[3, 5] = 1e6
    np.testing.assert_allclose(
        np.delete(scale_intensities(spiked).ravel(), 3 * 128 + 5),
        np.delete(scale_intensities(image).ravel(), 3 * 128 + 5),
        atol=0.01,
    )


def test_constant_image_is_black():
    for value in (0.0, -5.0, 1e6):
        assert not prepare(np.full((40, 30), value, np.float32), 64).any()


def test_an_object_too_small_for_percentiles_is_still_seen():
    pixels = np.zeros((256, 256), np.float32)
    pixels[100:110, 100:110] = 700
    assert scale_intensities(pixels).max() == 1
    assert prepare(pixels).max() == pytest.approx(1, abs=0.01)


def test_an_image_of_the_right_size_is_not_resampled():
    pixels = np.random.default_rng(0).random((64, 64), np.float32)
    assert np.array_equal(letterbox(pixels, 64), pixels)


def test_reduction_does_not_alias():
    lines = np.zeros((512, 512), np.float32)
    lines[::2] = 1
    reduced = letterbox(lines, 96)
    assert np.ptp(reduced[4:-4]) < 0.1
    assert reduced.mean() == pytest.approx(0.5, abs=0.02)

"""What healthy scanners do to an image, and that none of it does harm."""

from __future__ import annotations

import numpy as np
import pytest

from miqanet.artifacts.acquisition import Acquisition
from miqanet.artifacts.phantom import phantom


@pytest.fixture(scope="module")
def image():
    return phantom((128, 100))


def drawn(number, shape=(128, 100)):
    rng = np.random.default_rng(0)
    return [Acquisition.draw(rng, shape) for _ in range(number)]


def test_the_same_acquisition_gives_the_same_image(image):
    for acquisition in drawn(12):
        once, again = (acquisition.show(acquisition.scan(image)) for _ in range(2))
        assert np.array_equal(once, again)


def test_the_same_seed_draws_the_same_acquisition():
    assert drawn(5) == drawn(5)
    assert len({repr(acquisition) for acquisition in drawn(20)}) == 20


def test_results_are_finite_magnitudes_and_the_object_is_left_alone(image):
    before = image.copy()
    for acquisition in drawn(40):
        shown = acquisition.show(acquisition.scan(image))
        assert shown.dtype == np.float32
        assert np.isfinite(shown).all()
        assert shown.min() >= 0
        assert shown.max() > 0
        assert max(shown.shape) <= 2 * acquisition.matrix
    assert np.array_equal(image, before)


def test_the_default_acquisition_only_scales_to_a_largest_signal_of_about_one(image):
    plain = Acquisition(matrix=128)
    scanned = plain.scan(image * np.float32(700))
    np.testing.assert_allclose(scanned, image / np.percentile(image, 99.5), rtol=1e-4)
    assert np.array_equal(plain.show(scanned), scanned)


@pytest.mark.parametrize("matrix", [64, 96, 200])
def test_the_matrix_is_the_longer_side(image, matrix):
    assert Acquisition(matrix=matrix).scan(image).shape == (matrix, round(matrix * 100 / 128))


def test_a_larger_field_of_view_adds_air_and_a_smaller_one_cuts(image):
    larger = Acquisition(field_of_view=(1.5, 1.5), matrix=192).scan(image)
    assert larger.shape == (192, 150)
    assert not larger[:30].any()
    assert not larger[-30:].any()
    assert not larger[:, :23].any()
    np.testing.assert_allclose(larger[32:160, 25:125], Acquisition(matrix=128).scan(image), atol=1e-6)
    smaller = Acquisition(field_of_view=(0.75, 1.0), matrix=100).scan(image)
    assert smaller.shape == (96, 100)
    np.testing.assert_allclose(smaller, Acquisition(matrix=128).scan(image)[16:112], atol=1e-6)


def test_turns_and_flips_keep_every_pixel(image):
    plain = Acquisition(matrix=128).scan(image)
    assert np.array_equal(Acquisition(matrix=128, quarter_turns=1).scan(image), np.rot90(plain))
    assert np.array_equal(Acquisition(matrix=128, flip=True).scan(image), plain[:, ::-1])


@pytest.mark.parametrize("factor", [1.25, 1.5, 2.0])
def test_zero_filling_interpolates_to_the_stated_size(image, factor):
    shown = Acquisition(zero_fill=factor).show(image)
    assert shown.shape == (round(128 * factor), round(100 * factor))
    # The magnitude of ringing in the air adds a little.
    assert shown.mean() == pytest.approx(image.mean(), rel=0.03)


def test_zero_filling_by_two_keeps_the_acquired_samples(image):
    # k-space interpolation passes through the samples, but for the Nyquist line of an even matrix.
    shown = Acquisition(zero_fill=2.0).show(image)
    np.testing.assert_allclose(shown[::2, ::2], image, atol=0.05)


def test_apodization_blurs_without_dimming(image):
    shown = Acquisition(apodization=1.0).show(image)
    assert shown.mean() == pytest.approx(image.mean(), rel=0.01)
    assert np.abs(np.diff(shown, axis=0)).mean() < np.abs(np.diff(image, axis=0)).mean()


def test_contrast_keeps_air_dark(image):
    bright_air = Acquisition(matrix=128, contrast=(0.9, 0.5, 1.0)).scan(image)
    plain = Acquisition(matrix=128).scan(image)
    assert (bright_air[plain < 0.08] <= plain[plain < 0.08] + 1e-6).all()


def test_drawn_contrasts_keep_air_dark_and_tissue_bright():
    for acquisition in drawn(60):
        assert min(acquisition.contrast) >= 0
        assert max(acquisition.contrast) == pytest.approx(1)
        levels = np.linspace(0, 1, len(acquisition.contrast))
        assert np.interp(0.0, levels, acquisition.contrast) == 0


def test_noise_has_the_stated_ratio_to_a_signal_of_one_half():
    flat = np.ones((128, 128), np.float32)
    noisy = Acquisition(matrix=128, contrast=(0.0, 1.0), snr=20).scan(flat)
    assert noisy.std() == pytest.approx(0.5 / 20, rel=0.1)


def test_shading_is_smooth_and_within_its_range():
    flat = np.ones((128, 128), np.float32)
    shaded = Acquisition(matrix=128, shading=0.4, seed=3).scan(flat)
    assert np.log(shaded.max() / shaded.min()) <= 0.4 * 2
    assert shaded.std() > 0.01
    assert np.abs(np.diff(shaded, axis=0)).max() < 0.05


def test_a_warp_moves_anatomy_by_about_what_is_stated():
    ramp = np.broadcast_to(np.linspace(0, 1, 200, dtype=np.float32)[:, None], (200, 200))
    warped = Acquisition(matrix=200, warp_percent=1.0, seed=1).scan(np.ascontiguousarray(ramp))
    plain = Acquisition(matrix=200).scan(np.ascontiguousarray(ramp))
    moved = (warped - plain)[30:-30, 30:-30] * 199 * np.percentile(ramp, 99.5)
    assert 0.3 < np.sqrt(np.mean(moved**2)) < 6


def test_an_exported_picture_has_the_stated_gray_levels_and_window(image):
    shown = Acquisition(window=(1.0, 99.0), gray_levels=256).show(image)
    assert len(np.unique(shown)) <= 256
    assert shown.min() == 0
    assert shown.max() == pytest.approx(np.percentile(image, 99) - np.percentile(image, 1), rel=1e-5)


def test_an_empty_object_gives_an_empty_image():
    empty = np.zeros((64, 64), np.float32)
    for acquisition in drawn(10, (64, 64)):
        assert np.isfinite(acquisition.show(acquisition.scan(empty))).all()

from __future__ import annotations

import numpy as np
import pytest

from miqanet.artifacts.fourier import smooth_phase, to_image, to_kspace, unit_phasor

SHAPES = [(64, 64), (65, 48), (33, 71)]


@pytest.mark.parametrize("shape", SHAPES)
def test_image_returns_from_kspace_with_its_energy(shape: tuple[int, int]) -> None:
    image = np.random.default_rng(0).random(shape, np.float32)
    kspace = to_kspace(image)
    assert kspace.dtype == np.complex64
    assert np.linalg.norm(kspace) == pytest.approx(np.linalg.norm(image), rel=1e-5)
    np.testing.assert_allclose(to_image(kspace), image, atol=1e-5)


@pytest.mark.parametrize("shape", SHAPES)
def test_zero_frequency_stands_in_the_middle(shape: tuple[int, int]) -> None:
    kspace = np.abs(to_kspace(np.ones(shape, np.float32)))
    assert np.unravel_index(np.argmax(kspace), shape) == (shape[0] // 2, shape[1] // 2)


def test_point_in_the_middle_has_no_phase_in_kspace() -> None:
    image = np.zeros((65, 48), np.float32)
    image[32, 24] = 1
    np.testing.assert_allclose(to_kspace(image), 1 / np.sqrt(image.size), atol=1e-6)


@pytest.mark.parametrize("shape", SHAPES)
def test_smooth_phase_is_smooth_unit_and_reproducible(shape: tuple[int, int]) -> None:
    phase = smooth_phase(shape, 7)
    np.testing.assert_allclose(np.abs(phase), 1, atol=1e-6)
    assert np.abs(np.diff(phase, axis=0)).max() < 0.6
    np.testing.assert_array_equal(phase, smooth_phase(shape, 7))
    assert np.abs(phase - smooth_phase(shape, 8)).max() > 0.1


def test_unit_phasor_is_the_complex_exponential() -> None:
    radians = np.linspace(-7, 7, 50, dtype=np.float32)
    np.testing.assert_allclose(unit_phasor(radians), np.exp(1j * radians), atol=1e-6)

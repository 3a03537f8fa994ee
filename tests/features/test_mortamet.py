import numpy as np
import pytest

from miqanet.features.air_mask import Blocks, Regions
from miqanet.features.mortamet import Air, part_air, qi1, qi2


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def rayleigh(rng: np.random.Generator, shape=(256, 256)) -> np.ndarray:
    return np.hypot(rng.normal(size=shape), rng.normal(size=shape)).astype(np.float32)


def scene(rng: np.random.Generator) -> np.ndarray:
    """Noise of deviation 1, and a square body of signal 40."""
    image = rayleigh(rng)
    image[96:160, 96:160] += 40
    return image


def parted(image: np.ndarray) -> Air:
    blocks = Blocks.of(image)
    return part_air(image, blocks, Regions.of(blocks))


def test_noise_alone_is_no_artifact(rng):
    air = parted(scene(rng))
    assert qi1(air) < 1e-4
    assert qi2(air) < 0.05


def test_share_of_air_with_artifact_is_measured(rng):
    image = scene(rng)
    image[16:32] += 5
    assert qi1(parted(image)) == pytest.approx(16 * 256 / (256**2 - 72**2), rel=0.1)


def test_line_of_one_pixel_is_an_artifact_and_single_pixels_are_not(rng):
    line, specks = scene(rng), scene(rng)
    line[:, 40] += 8
    specks[::16, ::16] = 8
    assert qi1(parted(line)) > 0.003
    assert qi1(parted(specks)) < 1e-4


def test_ghosts_in_most_of_the_air_do_not_hide_themselves(rng):
    image = scene(rng)
    image[:, 60:200] += 5
    assert qi1(parted(image)) > 0.4


def test_faint_signal_in_noiseless_air_harms_nothing(rng):
    image = scene(rng) * 1e-3
    image[96:160, 96:160] = 1
    image[16:32] += 0.01
    assert qi1(parted(image)) == 0


@pytest.mark.parametrize("coils", [1, 4, 16])
def test_noise_of_any_number_of_coils_fits(rng, coils):
    noise = np.sqrt(sum(rayleigh(rng, 20_000) ** 2 for _ in range(coils)))
    assert qi2(Air(noise, 0.0)) < 0.08


@pytest.mark.parametrize("levels", [0.5, 2.0, 16.0])
def test_noise_of_few_gray_levels_fits(rng, levels):
    noise = np.round(rayleigh(rng, 20_000) * np.float32(levels))
    assert qi2(Air(noise, 0.0)) < 0.08


def test_noise_that_is_not_noise_does_not_fit(rng):
    noise = rayleigh(rng, 20_000)
    noise[:6000] += 4
    assert qi2(Air(noise, 0.0)) > 0.3


def test_artifact_adds_to_the_misfit(rng):
    noise = rayleigh(rng, 20_000)
    assert qi2(Air(noise, 0.3)) == pytest.approx(qi2(Air(noise, 0.0)) + 0.3)


def test_measures_do_not_depend_on_the_unit_of_intensity(rng):
    image = scene(rng)
    image[16:32] += 5
    once, again = parted(image), parted(image * 256)
    assert qi1(again) == qi1(once)
    assert qi2(again) == pytest.approx(qi2(once), rel=1e-3)


def test_air_without_any_signal_has_no_fit():
    assert np.isnan(qi2(Air(np.zeros(100, np.float32), 0.0)))


@pytest.mark.parametrize("value", [0.1, 0.3, 1 / 3])
def test_noise_of_one_value_fits(value):
    assert qi2(Air(np.full(3001, value, np.float32), 0.25)) == 0.25

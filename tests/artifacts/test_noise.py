import numpy as np
import pytest

from miqanet.artifacts.noise import Noise


def half_body(level=100.0, size=256):
    """Even tissue on the left, air on the right."""
    image = np.zeros((size, size), np.float32)
    image[:, : size // 2] = level
    return image


@pytest.mark.parametrize("zero_filling", [1.0, 1.7])
@pytest.mark.parametrize("severity", [0.5, 1.0])
def test_noise_has_the_stated_sigma_in_tissue_and_its_rayleigh_mean_in_air(zero_filling, severity):
    sigma = severity * 100 / 20
    spoiled = Noise(snr=20, zero_filling=zero_filling, seed=1, severity=severity).apply(half_body())
    tissue, air = spoiled[:, :128], spoiled[:, 128:]
    assert tissue.std() == pytest.approx(sigma, rel=0.03)
    assert tissue.mean() == pytest.approx(np.hypot(100, sigma), rel=0.01)
    assert air.mean() == pytest.approx(sigma * np.sqrt(np.pi / 2), rel=0.03)
    assert (air**2).mean() == pytest.approx(2 * sigma**2, rel=0.04)


def neighbor_correlation(image):
    centered = image - image.mean()
    return float((centered[:, 1:] * centered[:, :-1]).mean() / centered.var())


def test_zero_filling_makes_the_grain_coarse():
    fine = Noise(snr=20, seed=1).apply(half_body())[:, :120]
    coarse = Noise(snr=20, zero_filling=2.0, seed=1).apply(half_body())[:, :120]
    assert abs(neighbor_correlation(fine)) < 0.05
    assert neighbor_correlation(coarse) == pytest.approx(np.sinc(0.5), abs=0.05)


def test_g_factor_amplifies_noise_in_the_middle():
    image = np.full((200, 200), 50, np.float32)
    spoiled = Noise(snr=30, g_factor=3.0, seed=2).apply(image)
    middle, corner = spoiled[80:120, 80:120].std(), spoiled[:20, :20].std()
    assert middle > 1.8 * corner
    assert middle < 3.2 * 50 / 30


def test_seed_decides_the_noise():
    image = half_body(size=32)
    assert np.array_equal(Noise(snr=5, seed=3).apply(image), Noise(snr=5, seed=3).apply(image))
    assert not np.array_equal(Noise(snr=5, seed=3).apply(image), Noise(snr=5, seed=4).apply(image))


@pytest.mark.parametrize("wrong", [{"snr": 0.0}, {"g_factor": 0.5}, {"zero_filling": 0.9}], ids=str)
def test_impossible_parameters_are_refused(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Noise(**{"snr": 10.0, **wrong})

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from miqanet.artifacts.blur import Blur

GAUSSIAN = Blur(cause="gaussian", fwhm_px=(6.0, 3.0), seed=8)
DECAY = Blur(cause="t2_decay", fwhm_px=(6.0, 0.0), seed=8)
STEADY = Blur(cause="steady_motion", fwhm_px=(4.0, 4.0), seed=8)


def width_at_half(profile: NDArray[np.float32]) -> float:
    half = profile.max() / 2
    above = np.flatnonzero(profile >= half)
    first, last = above[0], above[-1]
    left = first - (profile[first] - half) / (profile[first] - profile[first - 1])
    right = last + (profile[last] - half) / (profile[last] - profile[last + 1])
    return float(right - left)


@pytest.fixture
def point() -> NDArray[np.float32]:
    image = np.zeros((129, 129), np.float32)
    image[64, 64] = 1
    return image


@pytest.mark.parametrize("severity", [0.7, 1.0, 2.0])
def test_gaussian_point_spread_has_its_width(point: NDArray[np.float32], severity: float) -> None:
    spread = GAUSSIAN.at(severity).apply(point)
    assert width_at_half(spread[:, 64]) == pytest.approx(6 * severity, rel=0.05)
    assert width_at_half(spread[64]) == pytest.approx(3 * severity, rel=0.08)


def test_decay_along_the_echo_train_spreads_as_a_lorentzian(point: NDArray[np.float32]) -> None:
    profile = DECAY.apply(point)[:, 64]
    assert width_at_half(profile) == pytest.approx(6, rel=0.1)
    distance = np.arange(-20, 21)
    np.testing.assert_allclose(profile[44:85] / profile[64], 1 / (1 + (distance / 3) ** 2), atol=0.05)


def test_decay_leaves_readout_sharp(point: NDArray[np.float32]) -> None:
    profile = DECAY.apply(point)[64]
    assert np.delete(profile, 64).max() < 1e-4


def test_steady_motion_smears_along_its_path(disc: NDArray[np.float32]) -> None:
    path = np.zeros((64, 64), np.float32)
    path[32, 32] = 1
    spread = replace(STEADY, fwhm_px=(0.0, 9.0)).apply(path)
    np.testing.assert_allclose(spread[32, 29:36], 1 / 9, atol=0.03)
    assert spread[np.arange(64) != 32].max() < 1e-4
    assert np.linalg.norm(STEADY.apply(disc) - disc) > 0


@pytest.mark.parametrize("artifact", [GAUSSIAN, DECAY, STEADY])
def test_mean_signal_stays(disc: NDArray[np.float32], artifact: Blur) -> None:
    assert artifact.transfer((128, 120))[0, 0] == 1
    assert artifact.apply(disc).sum() == pytest.approx(disc.sum(), rel=0.06)


@pytest.mark.parametrize("artifact", [GAUSSIAN, DECAY, STEADY])
def test_blur_only_takes_energy_away(disc: NDArray[np.float32], artifact: Blur) -> None:
    assert np.abs(artifact.transfer((128, 120))).max() <= 1
    spoiled = artifact.apply(disc)
    assert np.vdot(spoiled, spoiled) < np.vdot(disc, disc)


@pytest.mark.parametrize("artifact", [GAUSSIAN, DECAY, STEADY])
def test_larger_severity_blurs_more(disc: NDArray[np.float32], artifact: Blur) -> None:
    changes = [np.linalg.norm(artifact.at(s).apply(disc) - disc) for s in (0, 0.1, 0.3, 0.6, 1, 2)]
    assert np.all(np.diff(changes) > 0)


@pytest.mark.parametrize(
    ("name", "value"), [("cause", "defocus"), ("fwhm_px", (-1.0, 2.0)), ("fwhm_px", (np.inf, 1.0))]
)
def test_wrong_parameters_are_named(name: str, value: object) -> None:
    with pytest.raises(ValueError, match=name):
        replace(GAUSSIAN, **{name: value})

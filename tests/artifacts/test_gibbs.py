from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from miqanet.artifacts.gibbs import Gibbs, kept_lines

RINGING = Gibbs(kept=(0.25, 1.0), seed=6)


def test_edge_overshoots_by_nine_percent() -> None:
    image = np.zeros((256, 16), np.float32)
    image[64:192] = 1
    # The seed's phase bends slowly; the overshoot at one edge is that of a real step within a percent.
    profile = Gibbs(kept=(0.25, 1.0), seed=0).apply(image)[:, 8]
    assert profile[60:80].max() == pytest.approx(1.09, abs=0.015)


def test_ringing_has_a_period_of_two_acquired_pixels() -> None:
    image = np.zeros((512, 16), np.float32)
    image[128:384] = 1
    profile = Gibbs(kept=(0.125, 1.0), seed=0).apply(image)[160:350, 8]
    spectrum = np.abs(np.fft.rfft((profile - profile.mean()) * np.hanning(profile.size)))
    assert np.argmax(spectrum[5:]) + 5 == pytest.approx(profile.size / 16, abs=1.5)


def test_lost_energy_is_that_of_the_removed_lines(disc: NDArray[np.float32]) -> None:
    spoiled = RINGING.apply(disc)
    assert np.vdot(spoiled, spoiled) < np.vdot(disc, disc)
    assert np.vdot(spoiled, spoiled) > 0.95 * np.vdot(disc, disc)


def test_truncation_leaves_the_other_axis_alone(disc: NDArray[np.float32]) -> None:
    image = np.repeat(disc[62:63], 128, axis=0)
    np.testing.assert_allclose(Gibbs(kept=(0.5, 1.0), seed=6).apply(image)[64], image[64], rtol=0.05, atol=2)


@pytest.mark.parametrize("lines", [64, 65])
@pytest.mark.parametrize("fraction", [0.1, 0.37, 0.8, 1.0])
def test_kept_lines_are_the_middle_ones(lines: int, fraction: float) -> None:
    weights = kept_lines(lines, fraction)
    assert weights[lines // 2] == 1
    assert weights.sum() == pytest.approx(fraction * lines, abs=1)
    assert np.all(np.diff(weights[: lines // 2 + 1]) >= 0)


@pytest.mark.parametrize("lines", [64, 65])
def test_nothing_removed_keeps_every_line(lines: int) -> None:
    assert kept_lines(lines, 1.0).min() >= 0.5


def test_larger_severity_removes_more(disc: NDArray[np.float32]) -> None:
    changes = [np.linalg.norm(RINGING.at(s).apply(disc) - disc) for s in (0, 0.1, 0.3, 0.6, 1, 1.3)]
    assert np.all(np.diff(changes) > 0)


@pytest.mark.parametrize("kept", [(0.0, 1.0), (0.5, 1.1), (-0.2, 0.5)])
def test_wrong_parameters_are_named(kept: tuple[float, float]) -> None:
    with pytest.raises(ValueError, match="kept"):
        replace(RINGING, kept=kept)

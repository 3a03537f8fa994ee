from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from miqanet.artifacts.ghosting import Ghosting

BREATH = Ghosting(source="respiration", phase_encode_axis=0, lines_per_cycle=8, amplitude=0.4, seed=5)
FLOW = Ghosting(source="flow", phase_encode_axis=0, lines_per_cycle=4, amplitude=4, extent=0.05, seed=2)
NYQUIST = Ghosting(
    source="nyquist", phase_encode_axis=0, lines_per_cycle=2, amplitude=0, phase_deg=60, seed=9
)


@pytest.fixture
def dot() -> NDArray[np.float32]:
    image = np.zeros((128, 64), np.float32)
    image[40:45, 30:35] = 1
    return image


def ghost_rows(image: NDArray[np.float32], level: float = 0.02) -> set[int]:
    """Rows of the peaks of the column through the dot's middle, relative to the dot."""
    profile = image[:, 32]
    peaks = (profile > level) & (profile >= np.roll(profile, 1)) & (profile >= np.roll(profile, -1))
    return {int(row - 42) % image.shape[0] for row in np.flatnonzero(peaks)}


@pytest.mark.parametrize("lines_per_cycle", [4, 8, 16])
def test_ghosts_stand_fov_over_n_apart(dot: NDArray[np.float32], lines_per_cycle: int) -> None:
    spoiled = replace(BREATH, lines_per_cycle=lines_per_cycle).apply(dot)
    spacing = 128 // lines_per_cycle
    ghosts = [spoiled[(42 + k * spacing) % 128, 32] for k in (1, -1)]
    assert min(ghosts) > 0.05
    # Between two ghosts there is nothing.
    assert spoiled[(42 + spacing // 2 + np.arange(-1, 2)) % 128, 32].max() < 0.02


def test_ghosts_of_a_fractional_cycle_stand_where_predicted(dot: NDArray[np.float32]) -> None:
    spoiled = replace(BREATH, lines_per_cycle=6.4).apply(dot)
    assert spoiled[42 + 20, 32] > 0.05
    assert spoiled[42 - 20, 32] > 0.05


def test_amplitude_ghost_has_the_predicted_strength(dot: NDArray[np.float32]) -> None:
    # A cosine of amplitude a/2 on the lines gives two ghosts of a/4.
    spoiled = BREATH.apply(dot)
    center = 1 + 0.2 * (0 - BREATH.modulation(128)[64])
    assert spoiled[42 + 16, 32] == pytest.approx(0.1, rel=0.02)
    assert spoiled[42, 32] == pytest.approx(center, rel=0.02)


def test_ghosts_follow_phase_encoding(dot: NDArray[np.float32]) -> None:
    spoiled = replace(BREATH, phase_encode_axis=1).apply(dot)
    assert spoiled[42, (32 + 8) % 64] > 0.05
    assert np.abs(spoiled[60:]).max() < 1e-4


def test_irregular_breathing_smears_the_ghosts(dot: NDArray[np.float32]) -> None:
    regular, irregular = BREATH.apply(dot), replace(BREATH, irregularity=0.3).apply(dot)
    between = np.arange(42 + 20, 42 + 28)
    assert irregular[between, 32].max() > 5 * regular[between, 32].max()


def test_displacement_alone_keeps_the_energy(disc: NDArray[np.float32]) -> None:
    spoiled = replace(BREATH, amplitude=0, displacement_px=3).apply(disc)
    assert np.vdot(spoiled, spoiled) == pytest.approx(np.vdot(disc, disc), rel=1e-3)
    assert np.linalg.norm(spoiled - disc) > 0.05 * np.linalg.norm(disc)


def test_resting_part_of_the_body_casts_no_ghost(disc: NDArray[np.float32]) -> None:
    part = replace(BREATH, extent=0.3, displacement_px=3).apply(disc) - disc
    whole = replace(BREATH, displacement_px=3).apply(disc) - disc
    assert 0 < np.linalg.norm(part) < 0.8 * np.linalg.norm(whole)


def test_flow_ghosts_come_from_vessels_alone(disc: NDArray[np.float32]) -> None:
    change = np.abs(FLOW.apply(disc) - disc)
    columns = change.max(axis=0) > 1
    assert 0 < columns.sum() < 60
    rows = np.flatnonzero(change[:, columns].max(axis=1) > 1)
    assert np.ptp(rows) > 60


def test_nyquist_ghost_stands_at_half_the_field_of_view(dot: NDArray[np.float32]) -> None:
    spoiled = NYQUIST.apply(dot)
    half = np.deg2rad(60) / 2
    assert ghost_rows(spoiled) <= {62, 63, 64, 65, 66, 126, 127, 0, 1, 2}
    assert spoiled[42 + 64, 32] == pytest.approx(np.sin(half), rel=1e-3)
    assert spoiled[42, 32] == pytest.approx(np.cos(half), rel=1e-3)


def test_nyquist_ghost_keeps_the_energy(disc: NDArray[np.float32]) -> None:
    spoiled = replace(NYQUIST, delay_px=0.3).apply(disc)
    assert np.vdot(spoiled, spoiled) == pytest.approx(np.vdot(disc, disc), rel=1e-3)


def test_readout_delay_ghost_grows_from_the_middle_to_the_edges() -> None:
    image = np.zeros((128, 65), np.float32)
    image[40:45] = 1
    ghost = replace(NYQUIST, phase_deg=0, delay_px=0.5).apply(image)[42 + 64]
    assert ghost[32] == pytest.approx(0, abs=1e-3)
    np.testing.assert_allclose(ghost, np.abs(np.sin(np.pi * 0.5 * (np.arange(65) - 32) / 65)), atol=1e-3)


@pytest.mark.parametrize("artifact", [BREATH, FLOW, NYQUIST])
def test_larger_severity_changes_more(disc: NDArray[np.float32], artifact: Ghosting) -> None:
    changes = [np.linalg.norm(artifact.at(s).apply(disc) - disc) for s in (0, 0.1, 0.3, 0.6, 1)]
    assert np.all(np.diff(changes) > 0)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("source", "ghost"),
        ("phase_encode_axis", -1),
        ("lines_per_cycle", 1.5),
        ("amplitude", -1.0),
        ("extent", 0.0),
        ("sharpness", 0.5),
        ("irregularity", -0.1),
    ],
)
def test_wrong_parameters_are_named(name: str, value: object) -> None:
    with pytest.raises(ValueError, match=name):
        replace(BREATH, **{name: value})


def test_echoes_alternate_every_two_lines_only() -> None:
    with pytest.raises(ValueError, match="lines_per_cycle"):
        replace(NYQUIST, lines_per_cycle=3)


def test_draws_cover_every_source() -> None:
    rng = np.random.default_rng(0)
    assert {Ghosting.draw(rng, (64, 64)).source for _ in range(40)} == {"respiration", "flow", "nyquist"}

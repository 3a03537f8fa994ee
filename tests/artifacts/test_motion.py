from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

from miqanet.artifacts.fourier import smooth_phase, to_image
from miqanet.artifacts.motion import Motion, kspace_of_poses, shots_of_lines

MOTION = Motion(
    phase_encode_axis=0,
    order="sequential",
    shots=128,
    pattern="random_walk",
    translation_px=(2.0, -1.5),
    rotation_deg=3.0,
    onset=0.1,
    events=3,
    seed=11,
)


def still(lines: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    return np.zeros((lines, 2)), np.zeros(lines)


def test_equal_translation_of_all_lines_shifts_the_image(disc: NDArray[np.float32]) -> None:
    shift, rotation = still(128)
    shift += (5, -7)
    moved = np.abs(to_image(kspace_of_poses(disc.astype(np.complex64), shift, rotation)))
    np.testing.assert_allclose(moved, np.roll(disc, (5, -7), (0, 1)), atol=1e-3)


@pytest.mark.parametrize("angle", [-20.0, 4.0, 11.0])
def test_equal_rotation_of_all_lines_turns_the_image(disc: NDArray[np.float32], angle: float) -> None:
    shift, rotation = still(128)
    turned = np.abs(to_image(kspace_of_poses(disc.astype(np.complex64), shift, rotation + angle)))
    cos, sin = np.cos(np.deg2rad(angle)), np.sin(np.deg2rad(angle))
    back = np.array([[cos, sin], [-sin, cos]])
    middle = np.array([64, 60])
    expected = ndimage.affine_transform(disc, back, middle - back @ middle, order=3)
    assert np.linalg.norm(turned - expected) < 0.03 * np.linalg.norm(disc)


def test_lines_that_do_not_turn_are_exact(disc: NDArray[np.float32]) -> None:
    body = disc * smooth_phase(disc.shape, 1)
    shift, rotation = still(128)
    plain = kspace_of_poses(body, shift, rotation)
    rotation[3] = 10.0
    turned = kspace_of_poses(body, shift, rotation)
    np.testing.assert_allclose(np.delete(turned, 3, 0), np.delete(plain, 3, 0), atol=0.02)


def test_translation_alone_keeps_the_energy(disc: NDArray[np.float32]) -> None:
    spoiled = replace(MOTION, rotation_deg=0.0).apply(disc)
    assert np.vdot(spoiled, spoiled) == pytest.approx(np.vdot(disc, disc), rel=1e-3)


@pytest.mark.parametrize("pattern", ["jumps", "drift", "random_walk", "nods"])
@pytest.mark.parametrize("order", ["sequential", "interleaved", "centric"])
def test_center_of_kspace_is_the_reference_pose(order: str, pattern: str) -> None:
    shift, rotation = replace(MOTION, order=order, pattern=pattern, shots=16).poses(101)
    np.testing.assert_array_equal(shift[50], 0)
    assert rotation[50] == 0
    assert np.abs(shift).max() > 0.5


def test_poses_are_equal_within_a_shot() -> None:
    motion = replace(MOTION, order="interleaved", shots=8)
    shift, rotation = motion.poses(64)
    for shot in range(8):
        assert np.unique(rotation[shot::8]).size == 1
        assert np.unique(shift[shot::8], axis=0).shape[0] == 1


def test_quiet_lines_before_the_onset_share_one_pose() -> None:
    _, rotation = replace(MOTION, onset=0.6).poses(128)
    np.testing.assert_array_equal(rotation[:76], 0)
    assert np.abs(rotation[78:]).max() > 1


def test_interpolated_lines_follow_the_outermost_acquired_line() -> None:
    _, rotation = replace(MOTION, acquired=0.5).poses(128)
    assert np.unique(rotation[:33]).size == 1
    assert np.unique(rotation[32:96]).size > 30
    assert np.unique(rotation[95:]).size == 1


def test_orders_fill_kspace_as_scanners_do() -> None:
    np.testing.assert_array_equal(shots_of_lines(8, 4, "sequential"), [0, 0, 1, 1, 2, 2, 3, 3])
    np.testing.assert_array_equal(shots_of_lines(8, 4, "interleaved"), [0, 1, 2, 3, 0, 1, 2, 3])
    np.testing.assert_array_equal(shots_of_lines(8, 4, "centric"), [3, 2, 1, 0, 0, 1, 2, 3])


@pytest.mark.parametrize("order", ["sequential", "interleaved", "centric"])
def test_every_shot_takes_its_share_of_lines(order: str) -> None:
    counts = np.bincount(shots_of_lines(131, 16, order))
    assert counts.size == 16
    assert set(counts) <= {8, 9}


def test_ghosts_spread_along_phase_encoding(disc: NDArray[np.float32]) -> None:
    motion = replace(MOTION, rotation_deg=0.0, translation_px=(4.0, 0.0))
    down = np.abs(motion.apply(disc) - disc)
    across = np.abs(replace(motion, phase_encode_axis=1, translation_px=(0.0, 4.0)).apply(disc) - disc)
    assert down[:, 60].max() > 5 * down[62, :20].max()
    assert across[62].max() > 5 * across[:15, 60].max()


def test_transposed_body_moves_in_transposed_poses(disc: NDArray[np.float32]) -> None:
    body = disc.astype(np.complex64)
    shift, rotation = still(128)
    down = kspace_of_poses(body, shift + np.array([3, 5]), rotation + 7)
    shift, rotation = still(120)
    across = kspace_of_poses(body.T, shift + np.array([5, 3]), rotation - 7)
    assert np.linalg.norm(down - across.T) < 0.01 * np.linalg.norm(down)


@pytest.mark.parametrize("scale", [0.05, 0.2, 0.5])
def test_larger_severity_changes_more(disc: NDArray[np.float32], scale: float) -> None:
    less = np.linalg.norm(MOTION.at(scale).apply(disc) - disc)
    more = np.linalg.norm(MOTION.at(2 * scale).apply(disc) - disc)
    assert 0 < less < more


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("phase_encode_axis", 2),
        ("order", "spiral"),
        ("pattern", "dance"),
        ("shots", 0),
        ("onset", 1.0),
        ("events", 0),
        ("acquired", 1.5),
    ],
)
def test_wrong_parameters_are_named(name: str, value: object) -> None:
    with pytest.raises(ValueError, match=name):
        replace(MOTION, **{name: value})

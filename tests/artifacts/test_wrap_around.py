from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from miqanet.artifacts.body import body_mask
from miqanet.artifacts.wrap_around import WrapAround

FOLD = WrapAround(phase_encode_axis=0, overlap=0.25, rectangular=True, gain=(1.0, 1.0), seed=4)
REACH = replace(FOLD, rectangular=False, gain=(1.0, 1.0), overlap=0.4)


def body_rows(disc: NDArray[np.float32]) -> tuple[int, int]:
    rows = np.flatnonzero(body_mask(disc).any(axis=1))
    return int(rows[0]), int(rows[-1]) + 1


def test_field_of_view_is_shortened_by_the_overlap(disc: NDArray[np.float32]) -> None:
    first, last = body_rows(disc)
    shown = np.flatnonzero(FOLD.apply(disc).any(axis=1))
    assert np.ptp(shown) + 1 == round((last - first) * 0.75)


def test_tissue_lands_one_field_of_view_away(disc: NDArray[np.float32]) -> None:
    image = disc.copy()
    first, last = body_rows(disc)
    spoiled = FOLD.apply(image)
    length = round((last - first) * 0.75)
    shown = np.flatnonzero(spoiled.any(axis=1))
    start = int(shown[0])
    for row in (first + 4, last - 5):
        folded = row + length if row < start else row - length
        column = 61
        inside, outside = disc[folded, column], disc[row, column]
        assert abs(inside - outside) - 1e-3 <= spoiled[folded, column] <= inside + outside + 1e-3
        assert spoiled[folded, column] != pytest.approx(inside, abs=1)


def test_offset_moves_the_whole_fold_to_one_side(disc: NDArray[np.float32]) -> None:
    top = np.flatnonzero(replace(FOLD, offset=-1.0).apply(disc).any(axis=1))
    bottom = np.flatnonzero(replace(FOLD, offset=1.0).apply(disc).any(axis=1))
    first, last = body_rows(disc)
    assert abs(int(top[0]) - first) <= 1
    assert abs(int(bottom[-1]) + 1 - last) <= 1


def test_overlapping_tissues_add_as_complex_signals(disc: NDArray[np.float32]) -> None:
    # Averaged over phases, interference keeps the energy of the two tissues.
    energies = []
    for seed in range(30):
        spoiled = replace(FOLD, seed=seed).apply(disc)
        energies.append(np.vdot(spoiled, spoiled))
    assert np.std(energies) > 0
    assert np.mean(energies) == pytest.approx(np.vdot(disc, disc), rel=0.05)


def test_copy_reaches_in_from_the_other_side(disc: NDArray[np.float32]) -> None:
    first, _ = body_rows(disc)
    spoiled = replace(REACH, gain=(0.0, 1.0)).apply(disc)
    depth = round(0.4 * 128)
    np.testing.assert_allclose(spoiled[: 128 - depth], disc[: 128 - depth], atol=1e-3)
    tail = slice(last := max(body_rows(disc)[1], 128 - depth), 128)
    np.testing.assert_allclose(spoiled[tail], disc[first + last - (128 - depth) : first + depth], atol=1e-3)


def test_nothing_beyond_the_image_wraps_nothing(disc: NDArray[np.float32]) -> None:
    np.testing.assert_allclose(replace(REACH, gain=(0.0, 0.0)).apply(disc), disc, atol=1e-3)


@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("artifact", [FOLD, REACH])
def test_wrap_happens_along_phase_encoding_only(
    disc: NDArray[np.float32], artifact: WrapAround, axis: int
) -> None:
    image = disc * (np.arange(128)[:, None] > 55) * (np.arange(120) > 55)
    spoiled = replace(artifact, phase_encode_axis=axis).apply(image)
    empty = ~image.any(axis=axis)
    assert not np.take(spoiled, np.flatnonzero(empty), axis=1 - axis).any()


@pytest.mark.parametrize("artifact", [FOLD, REACH])
def test_larger_severity_folds_more(disc: NDArray[np.float32], artifact: WrapAround) -> None:
    changes = [np.linalg.norm(artifact.at(s).apply(disc) - disc) for s in (0, 0.2, 0.4, 0.7, 1)]
    assert np.all(np.diff(changes) > 0)


@pytest.mark.parametrize(
    ("name", "value"),
    [("phase_encode_axis", 3), ("overlap", 1.0), ("offset", 1.2), ("gain", (-0.1, 1.0))],
)
def test_wrong_parameters_are_named(name: str, value: object) -> None:
    with pytest.raises(ValueError, match=name):
        replace(FOLD, **{name: value})

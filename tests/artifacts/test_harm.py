"""The rules that make every simulated label."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from miqanet.artifacts import ARTIFACTS, KINDS
from miqanet.artifacts.body import body_mask
from miqanet.artifacts.field import displace
from miqanet.artifacts.harm import (
    RULES,
    broad_change,
    change,
    detail_loss,
    harm,
    line_change,
    local_change,
    overlaid_change,
    pile_up,
)
from miqanet.artifacts.phantom import phantom

each_kind = pytest.mark.parametrize("kind", KINDS)


@pytest.fixture(scope="module")
def reference():
    return phantom((128, 120))


def spoiled(kind, reference, severity, seed=0):
    drawn = ARTIFACTS[kind].draw(np.random.default_rng(seed), reference.shape)
    return drawn.at(severity).apply(reference)


def test_every_kind_of_artifact_has_a_rule_and_every_rule_an_artifact():
    assert set(RULES) == set(KINDS)
    assert all(rule.level > 0 for rule in RULES.values())


@each_kind
def test_an_untouched_image_has_no_harm(kind, reference):
    assert harm(kind, reference, reference.copy()) == pytest.approx(0, abs=1e-6)


@each_kind
def test_harm_does_not_depend_on_the_intensity_scale(kind, reference):
    image = spoiled(kind, reference, 0.6)
    expected = harm(kind, reference, image)
    for gain in (0.01, 4095):
        factor = np.float32(gain)
        assert harm(kind, reference * factor, image * factor) == pytest.approx(expected, rel=1e-3, abs=1e-4)


@each_kind
def test_harm_grows_with_severity(kind, reference):
    for seed in range(3):
        harms = [harm(kind, reference, spoiled(kind, reference, s, seed)) for s in (0, 0.1, 0.3, 0.6, 1, 1.6)]
        # Moved copies may chance to overlap a little better, hence the 5 %.
        assert all(more >= 0.95 * less - 1e-6 for less, more in pairwise(harms))
        assert harms[-1] > harms[0]


@each_kind
def test_both_sides_of_the_threshold_are_within_the_range_that_is_drawn(kind, reference):
    harms = [
        harm(kind, reference, spoiled(kind, reference, s, seed)) for seed in range(3) for s in (0.08, 1.6)
    ]
    assert min(harms) < 0.6
    assert max(harms) >= 1


def test_a_gain_that_a_display_windows_away_is_no_change(reference):
    body = body_mask(reference)
    for gain in (0.6, 1.9):
        for measure in (change, broad_change, local_change, overlaid_change, pile_up):
            assert measure(reference, np.float32(gain) * reference, body) == pytest.approx(0, abs=1e-5)
    assert change(reference, np.float32(0.1) * reference, body) > 0.5


def test_change_is_the_relative_rms_of_what_is_orthogonal_to_the_image(reference):
    body = body_mask(reference)
    noise = np.random.default_rng(0).normal(0, 1, reference.shape).astype(np.float32)
    rms = np.sqrt(np.mean(reference[body] ** 2))
    image = reference + np.float32(0.1 * rms) * noise
    assert change(reference, image, body) == pytest.approx(0.1, rel=0.05)


def test_broad_change_overlooks_the_finest_texture_that_change_sees(reference):
    body = body_mask(reference)
    rows, columns = np.indices(reference.shape)
    pattern = np.float32(0.1) * (-1.0) ** (rows + columns).astype(np.float32)
    assert broad_change(reference, reference + pattern, body) < 0.5 * change(
        reference, reference + pattern, body
    )


def test_what_a_narrower_field_of_view_cuts_off_is_no_overlaid_change(reference):
    body = body_mask(reference)
    image = reference.copy()
    image[:40] = 0
    assert change(reference, image, body) > 0.3
    assert overlaid_change(reference, image, body) == pytest.approx(0, abs=1e-6)
    assert overlaid_change(reference, np.zeros_like(reference), body) == 0


def test_overlaid_change_is_the_change_where_tissues_lie_over_each_other(reference):
    body = body_mask(reference)
    image = reference.copy()
    image[60:80] += reference[40:60]
    assert overlaid_change(reference, image, body) == pytest.approx(change(reference, image, body))
    assert overlaid_change(reference, image, body) > 0.2


def test_tissue_that_only_moved_is_no_pile_up(reference):
    body = body_mask(reference)
    moved = np.roll(reference, 2, axis=0)
    assert pile_up(reference, moved, body) < 0.02 < 0.2 * broad_change(reference, moved, body)


def test_a_field_that_compresses_tissue_is_a_pile_up(reference):
    body = body_mask(reference)
    rows = np.arange(reference.shape[0], dtype=np.float32)[:, None]
    bump = 10 * np.exp(-0.5 * ((rows - 64) / 10) ** 2) * np.ones_like(reference)
    assert pile_up(reference, displace(reference, bump, 0), body) > RULES["epi_distortion"].level
    assert pile_up(reference, displace(reference, 0.1 * bump, 0), body) < 0.3 * RULES["epi_distortion"].level


def test_local_change_finds_what_the_whole_body_hides(reference):
    body = body_mask(reference)
    image = reference.copy()
    image[60:66, 50:56] = 0
    assert local_change(reference, image, body) > 5 * change(reference, image, body)


def test_a_line_in_the_air_counts_as_one_in_the_body(reference):
    body = body_mask(reference)
    level = reference[body].mean()
    measured = []
    for row in (1, 64):
        image = reference.copy()
        image[row] += level
        measured.append(line_change(reference, image, body))
    assert measured[0] == pytest.approx(measured[1], rel=0.01)


def test_detail_loss_is_the_share_of_edges_that_is_gone(reference):
    body = body_mask(reference)
    flat = np.full_like(reference, reference[body].mean())
    assert detail_loss(reference, flat, body) == pytest.approx(1)
    assert detail_loss(reference, np.float32(0.5) * (reference + flat), body) == pytest.approx(0.5, abs=0.01)
    assert detail_loss(reference, np.float32(2) * reference, body) == 0


def test_an_unknown_kind_has_no_rule(reference):
    with pytest.raises(KeyError, match="fog"):
        harm("fog", reference, reference)


def test_an_image_without_body_has_no_harm_to_measure():
    empty = np.zeros((32, 32), np.float32)
    with pytest.raises(ValueError, match="no body"):
        harm("noise", empty, empty)

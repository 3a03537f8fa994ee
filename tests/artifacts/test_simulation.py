"""Labelled images: what makes them low, and that a seed makes them."""

from __future__ import annotations

import numpy as np
import pytest

from miqanet.artifacts import KINDS
from miqanet.artifacts.phantom import phantom
from miqanet.artifacts.simulation import simulate


@pytest.fixture(scope="module")
def clean():
    return phantom((96, 80))


@pytest.fixture(scope="module")
def many(clean):
    rng = np.random.default_rng(1)
    return [simulate(clean, rng, scale=0.5) for _ in range(60)]


def test_the_same_seed_gives_the_same_image(clean):
    for seed in range(4):
        once, again = (simulate(clean, np.random.default_rng(seed)) for _ in range(2))
        assert np.array_equal(once.image, again.image)
        assert np.array_equal(once.reference, again.reference)
        assert (once.artifacts, once.harms, once.acquisition) == (
            again.artifacts,
            again.harms,
            again.acquisition,
        )


def test_an_image_is_low_exactly_if_an_artifact_reaches_its_level(many):
    assert all(made.low == (max(made.harms, default=0) >= 1) for made in many)
    assert 0.15 < np.mean([made.low for made in many]) < 0.6


def test_mild_artifacts_stay_in_high_images(many):
    mild = [h for made in many if not made.low for h in made.harms]
    assert mild
    assert max(mild) > 0.5
    assert min(mild) < 0.3


def test_the_reference_is_the_same_acquisition_without_artifacts(clean, many):
    for made in many:
        scanned = made.acquisition.scan(clean)
        assert np.array_equal(made.reference, made.acquisition.show(scanned))
        assert made.reference.shape == made.image.shape
        if not made.artifacts:
            assert np.array_equal(made.reference, made.image)


def test_harms_belong_to_artifacts_and_kinds_do_not_repeat(many):
    assert {len(made.artifacts) for made in many} == {0, 1, 2, 3}
    for made in many:
        assert len(made.harms) == len(made.artifacts)
        assert len({artifact.kind for artifact in made.artifacts}) == len(made.artifacts)
        assert np.isfinite(made.harms).all()
        assert np.isfinite(made.image).all()
        assert made.image.min() >= 0


@pytest.mark.parametrize("kinds", [("noise",), ("noise", "motion"), ()])
def test_only_the_asked_kinds_are_simulated(clean, kinds):
    rng = np.random.default_rng(0)
    seen = {a.kind for _ in range(25) for a in simulate(clean, rng, kinds=kinds, scale=0.375).artifacts}
    assert seen == set(kinds)


def test_every_kind_comes_up(clean):
    rng = np.random.default_rng(0)
    seen = {a.kind for _ in range(120) for a in simulate(clean, rng, scale=0.375).artifacts}
    assert seen == set(KINDS)

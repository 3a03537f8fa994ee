from __future__ import annotations

import numpy as np
import pytest

from miqanet.database.raters import RATERS, cast_votes, expected_vote


def test_raters_agree_on_what_is_plain_and_split_at_the_threshold() -> None:
    assert expected_vote(0) == 0
    assert expected_vote(0.4) < 0.001
    assert expected_vote(1) == pytest.approx(0.5, abs=0.01)
    assert expected_vote(2.5) > 0.999
    assert expected_vote(1e9) == 1


def test_more_harm_never_gets_fewer_votes_for_low() -> None:
    shares = [expected_vote(harm) for harm in np.linspace(0, 3, 60)]
    assert shares == sorted(shares)


def test_each_rater_has_a_threshold_and_noise_of_their_own() -> None:
    assert len({rater.name for rater in RATERS}) == len(RATERS) == 8
    assert len({rater.threshold for rater in RATERS}) == len({rater.noise for rater in RATERS}) == 8
    for rater in RATERS:
        assert rater.says_low(rater.threshold) == pytest.approx(0.5)
        # One standard deviation of the normal distribution.
        assert rater.says_low(rater.threshold * np.exp(rater.noise)) == pytest.approx(0.8413, abs=1e-4)


@pytest.mark.parametrize("harm", [0.7, 1.0, 1.3])
def test_votes_come_as_often_as_expected(harm: float) -> None:
    rng = np.random.default_rng(0)
    votes = np.array([cast_votes(harm, rng) for _ in range(4000)])
    for rater, share in zip(RATERS, votes.mean(axis=0), strict=True):
        assert share == pytest.approx(rater.says_low(harm), abs=0.03)
    assert votes.mean() == pytest.approx(expected_vote(harm), abs=0.01)


def test_an_image_without_artifacts_is_unanimously_high() -> None:
    assert cast_votes(0.0, np.random.default_rng(0)) == (False,) * 8

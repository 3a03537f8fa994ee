from __future__ import annotations

import numpy as np

from miqanet.consensus import Ratings, fleiss_kappa, leave_one_out


def test_agreement_rises_without_the_rater_who_reads_otherwise() -> None:
    rng = np.random.default_rng(0)
    truth = rng.integers(2, size=(80, 1))
    values = np.where(rng.random((80, 4)) < [0.05, 0.05, 0.05, 0.5], 1 - truth, truth)
    ratings = Ratings.of(values)
    without = leave_one_out(fleiss_kappa, ratings)
    assert without.argmax() == 3
    assert without[3] > fleiss_kappa(ratings) > without[:3].max()
    assert without[1] == fleiss_kappa(Ratings.of(values[:, [0, 2, 3]]))


def test_of_two_raters_none_can_be_spared() -> None:
    assert np.isnan(leave_one_out(fleiss_kappa, Ratings.of([[0, 0], [1, 1]]))).all()

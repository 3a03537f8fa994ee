"""How much a rater's vote should count."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from miqanet.consensus.human_frame import majority_of_others
from miqanet.consensus.ratings import Ratings


def rater_weights(ratings: Ratings) -> NDArray[np.float64]:
    """Return a weight for each rater's vote, (raters,), with mean 1.

    Where raters err independently and rater r is right with probability p_r, the vote that is right most often
    weighs them by log(p_r / (1 - p_r)) (Nitzan and Paroush, "Optimal decision rules in uncertain dichotomous
    choice situations", International Economic Review 23, 1982, 289-297); of q categories, with errors spread
    evenly, by log((q - 1) p_r / (1 - p_r)). Here p_r is the agreement with the majority of the others, with half
    an item added to either side, so that no rater is certain. Who is no better than chance weighs nothing, as
    does who cannot be compared; all weigh 1 where that would be everybody.
    """
    others = majority_of_others(ratings)
    known = ratings.given & ~np.isnan(others)
    right = (known & (ratings.values == others)).sum(axis=0) + 0.5
    wrong = known.sum(axis=0) + 1 - right
    odds = max(len(ratings.categories) - 1, 1) * right / wrong
    weights: NDArray[np.float64] = np.where(known.any(axis=0), np.maximum(np.log(odds), 0), 0)
    return weights / weights.mean() if weights.any() else np.ones(len(ratings.raters))

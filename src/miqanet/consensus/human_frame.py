"""The human frame: how well people agree, beside which the figures of a model stand.

A model is judged against the majority of the raters. So is, here, each rater: against the majority of the
*others*, since no rater may be part of his own yardstick. Who does best sets the ceiling: no model can be shown
to be better than that by these labels.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from miqanet.consensus.majority import plurality
from miqanet.consensus.ratings import Ratings


def majority_of_others(ratings: Ratings) -> NDArray[np.float64]:
    """Return for every rater what the majority of the others said of each item, (items, raters).

    NaN where the others are tied, and where nobody else rated the item.
    """
    one_hot = ratings.one_hot
    return plurality(one_hot.sum(axis=1, keepdims=True) - one_hot, ratings.categories)


def against_others(ratings: Ratings) -> NDArray[np.float64]:
    """Return each rater's share of items put as the majority of the others did, (raters,).

    Items that the rater did not rate, or on which the others have no majority, are left out; NaN without any.
    """
    return _agreement(ratings.values, majority_of_others(ratings))


def ceiling(ratings: Ratings) -> float:
    """Agreement of the best rater with the majority of the others; NaN where no rater has one.

    The best of several is found on the same items that measure it, so this flatters people a little.
    """
    shares = against_others(ratings)
    return float(np.nanmax(shares)) if np.isfinite(shares).any() else float("nan")


def model_against_others(ratings: Ratings, predicted: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how a model does in each rater's place, (raters,): the same items, the same yardstick.

    `predicted`, (items,), are categories; NaN where the model abstains, which leaves the item out.
    """
    yardstick = np.where(ratings.given, majority_of_others(ratings), np.nan)
    return _agreement(np.broadcast_to(predicted[:, None], yardstick.shape), yardstick)


def _agreement(answers: NDArray[np.float64], yardstick: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the share of equal entries of each column, of those where both are known."""
    known = ~(np.isnan(answers) | np.isnan(yardstick))
    agreed = (known & (answers == yardstick)).sum(axis=0)
    number = known.sum(axis=0)
    share: NDArray[np.float64] = np.divide(agreed, number, out=np.full(len(number), np.nan), where=number > 0)
    return share

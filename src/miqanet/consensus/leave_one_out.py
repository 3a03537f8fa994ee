"""What each rater does to the agreement of all."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from miqanet.consensus.ratings import Ratings


def leave_one_out(statistic: Callable[[Ratings], float], ratings: Ratings) -> NDArray[np.float64]:
    """Return a statistic without each rater in turn, (raters,).

    Agreement that rises without a rater names the one who reads otherwise (not: who is wrong).
    """
    return np.array([statistic(ratings.without(rater)) for rater in range(len(ratings.raters))])

"""Krippendorff's alpha: one coefficient for any number of raters, levels of measurement and missing values."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from miqanet.consensus.ratings import Ratings

Level = Literal["nominal", "ordinal", "interval"]


def krippendorff_alpha(ratings: Ratings, level: Level = "nominal") -> float:
    """Return 1 - D_o / D_e, observed by expected disagreement.

    K. Krippendorff, "Computing Krippendorff's Alpha-Reliability", 2011. Every pair of ratings of an item enters
    a coincidence matrix with the weight 1 / (ratings of the item - 1); its margins n_c are how often each
    category could be compared. What is expected is pairing all these ratings at random. A disagreement weighs 1
    (nominal), the squared number of ratings that lie between the two categories, each end counting half
    (ordinal), or the squared difference (interval).

    NaN where nothing can be compared, and where all ratings that can are the same category.

    Raises:
        ValueError: `level` is none of the three.
    """
    counts = ratings.counts
    number = counts.sum(axis=1)
    counts, number = counts[number >= 2], number[number >= 2]
    weighted = counts / (number - 1)[:, None]
    coincidences = weighted.T @ counts - np.diag(weighted.sum(axis=0))
    margins = coincidences.sum(axis=1)
    disagreement = _squared_difference(level, margins, np.asarray(ratings.categories))
    expected = margins @ disagreement @ margins
    if expected == 0:
        return float("nan")
    return float(1 - (margins.sum() - 1) * (coincidences * disagreement).sum() / expected)


def _squared_difference(
    level: Level, margins: NDArray[np.float64], categories: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return how much the disagreement of two categories weighs, (categories, categories)."""
    match level:
        case "nominal":
            return 1 - np.eye(len(categories))
        case "ordinal":
            # The middle of each category among all ratings in order: their distance counts both ends half.
            middle = np.cumsum(margins) - margins / 2
            return np.subtract.outer(middle, middle) ** 2
        case "interval":
            return np.subtract.outer(categories, categories) ** 2
        case _:
            raise ValueError(f"{level!r} is no level of measurement: nominal, ordinal or interval")

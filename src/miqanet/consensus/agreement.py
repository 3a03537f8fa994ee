"""Agreement of any number of raters beyond chance: percent agreement, Fleiss' kappa, Gwet's AC1.

All three are (p_a - p_e) / (1 - p_e) with the same agreement p_a; they differ in what they call chance p_e.
Items may have any number of ratings: the forms are those for incomplete tables of K. L. Gwet, "Handbook of
Inter-Rater Reliability", 4th edition, 2014, which for complete tables are the originals.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from miqanet.consensus.ratings import Ratings


def percent_agreement(ratings: Ratings) -> float:
    """Share of pairs of ratings of an item that are equal, averaged over items; NaN without any pair.

    Items with fewer than two ratings say nothing and are left out.
    """
    shares = agreement_by_item(ratings)
    paired = np.isfinite(shares)
    return float(shares[paired].mean()) if paired.any() else float("nan")


def agreement_by_item(ratings: Ratings) -> NDArray[np.float64]:
    """Share of pairs of ratings of each item that are equal, (items,); NaN with fewer than two ratings."""
    counts = ratings.counts
    number = counts.sum(axis=1)
    pairs = number * (number - 1)
    equal = (counts * (counts - 1)).sum(axis=1)
    shares: NDArray[np.float64] = np.divide(equal, pairs, out=np.full(len(pairs), np.nan), where=pairs > 0)
    return shares


def fleiss_kappa(ratings: Ratings) -> float:
    """Fleiss' kappa: chance is that two ratings drawn from all are equal.

    J. L. Fleiss, "Measuring nominal scale agreement among many raters", Psychological Bulletin 76, 1971,
    378-382: p_e is the sum of the squared shares of the categories. NaN where all ratings are the same
    category (agreement is then certain by chance) and without any pair.
    """
    return _beyond_chance(percent_agreement(ratings), float((_shares(ratings) ** 2).sum()))


def gwet_ac1(ratings: Ratings) -> float:
    """Gwet's AC1: chance is the agreement of ratings that are guessed, which few are where a category prevails.

    K. L. Gwet, "Computing inter-rater reliability and its variance in the presence of high agreement", British
    Journal of Mathematical and Statistical Psychology 61, 2008, 29-48: p_e is the sum of
    p_k (1 - p_k) / (q - 1) over the q categories of the scale. Unlike kappa it stays high where raters agree on
    a rare class. NaN without any pair, and on a scale of one category.
    """
    categories = len(ratings.categories)
    if categories < 2:
        return float("nan")
    shares = _shares(ratings)
    return _beyond_chance(percent_agreement(ratings), float((shares * (1 - shares)).sum() / (categories - 1)))


def _shares(ratings: Ratings) -> NDArray[np.float64]:
    """Return the share of each category, every rated item counting the same; (categories,)."""
    counts = ratings.counts
    number = counts.sum(axis=1, keepdims=True)
    rated = number[:, 0] > 0
    if not rated.any():
        return np.full(len(ratings.categories), np.nan)
    shares: NDArray[np.float64] = (counts[rated] / number[rated]).mean(axis=0)
    return shares


def _beyond_chance(agreement: float, chance: float) -> float:
    # Shares that add up to 1 may square to 1 less a rounding error.
    return (agreement - chance) / (1 - chance) if 1 - chance > 1e-12 else float("nan")

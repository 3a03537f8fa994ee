"""Agreement of two raters at a time: contingency tables, agreement and Cohen's kappa of every pair."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from miqanet.consensus.ratings import Ratings


def contingency(ratings: Ratings) -> NDArray[np.float64]:
    """Return how often one rater chose a category where another chose this or that one.

    (raters, raters, categories, categories): first the row's rater, second the column's. Only items count that
    both have rated.
    """
    raters, categories = len(ratings.raters), len(ratings.categories)
    chosen = ratings.one_hot.reshape(len(ratings), raters * categories)
    return (chosen.T @ chosen).reshape(raters, categories, raters, categories).transpose(0, 2, 1, 3)


def pairwise_agreement(ratings: Ratings) -> NDArray[np.float64]:
    """Return the share of common items that both raters put into the same category, (raters, raters).

    NaN for raters without common items, and on the diagonal.
    """
    tables = contingency(ratings)
    return _of_pairs(np.trace(tables, axis1=2, axis2=3), tables.sum(axis=(2, 3)))


def cohen_kappas(ratings: Ratings) -> NDArray[np.float64]:
    """Return Cohen's kappa of every pair of raters, (raters, raters).

    J. Cohen, "A coefficient of agreement for nominal scales", Educational and Psychological Measurement 20,
    1960, 37-46: chance is that two raters keep their own shares of the categories but choose independently.
    NaN for raters without common items, where both always chose the same category, and on the diagonal.
    """
    tables = contingency(ratings)
    total = tables.sum(axis=(2, 3))
    agreed = np.trace(tables, axis1=2, axis2=3) * total
    by_chance = (tables.sum(axis=3) * tables.sum(axis=2)).sum(axis=2)
    return _of_pairs(agreed - by_chance, total**2 - by_chance)


def mean_cohen_kappa(ratings: Ratings) -> float:
    """Mean of Cohen's kappa over the pairs of raters (Light, Psychological Bulletin 76, 1971, 365-377).

    Pairs for which kappa is not defined are left out; NaN where it is for none.
    """
    kappas = upper(cohen_kappas(ratings))
    defined = kappas[np.isfinite(kappas)]
    return float(defined.mean()) if defined.size else float("nan")


def upper(of_pairs: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return each pair once, in the order of `itertools.combinations`; (pairs,)."""
    first, second = np.triu_indices(len(of_pairs), k=1)
    return of_pairs[first, second]


def _of_pairs(numerator: NDArray[np.float64], denominator: NDArray[np.float64]) -> NDArray[np.float64]:
    """Divide where defined; a rater is no pair with himself."""
    defined = (denominator > 0) & ~np.eye(len(denominator), dtype=bool)
    return np.divide(numerator, denominator, out=np.full_like(numerator, np.nan), where=defined)

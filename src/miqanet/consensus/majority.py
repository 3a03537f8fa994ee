"""Labels by vote: the category that most raters chose, ties left open for a senior reader."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from miqanet.consensus.ratings import Ratings


@dataclass(frozen=True, eq=False, slots=True)
class Labels:
    """The label of each item, and how the votes for it were split."""

    items: tuple[str, ...]
    categories: tuple[float, ...]
    values: NDArray[np.float64]
    """(items,) the category with the most votes; NaN where the first place is shared, and without votes."""

    fractions: NDArray[np.float64]
    """(items, categories) share of the votes; NaN without votes."""

    tied: NDArray[np.bool_]
    """(items,) whether categories share the first place and nobody has decided yet."""

    @property
    def to_adjudicate(self) -> tuple[str, ...]:
        """The items that a senior reader has to decide."""
        return tuple(item for item, tied in zip(self.items, self.tied, strict=True) if tied)

    def decided(self, decisions: Mapping[str, float]) -> Self:
        """Return the labels with a senior reader's decisions; the votes stay as they were.

        Raises:
            ValueError: an item that was decided is not tied, or the decision is no category.
        """
        values, tied = self.values.copy(), self.tied.copy()
        places = {item: place for place, item in enumerate(self.items)}
        for item, value in decisions.items():
            if item not in places or not self.tied[places[item]]:
                raise ValueError(f"{item} is not up for adjudication")
            if value not in self.categories:
                raise ValueError(f"{value:g} is none of the categories {self.categories}")
            values[places[item]], tied[places[item]] = value, False
        return replace(self, values=values, tied=tied)


def majority(ratings: Ratings, weights: NDArray[np.float64] | None = None) -> Labels:
    """Return the category with the most votes for each item (the plurality, where there are several).

    With `weights`, (raters,), a rater's vote counts that much. A shared first place is no label: a simulation
    draws anew, a study asks a senior reader (`Labels.decided`).
    """
    votes = vote_counts(ratings, weights)
    total = votes.sum(axis=1, keepdims=True)
    fractions = np.divide(votes, total, out=np.full_like(votes, np.nan), where=total > 0)
    values = plurality(votes, ratings.categories)
    tied = np.isnan(values) & (total[:, 0] > 0)
    return Labels(ratings.items, ratings.categories, values, fractions, tied)


def vote_counts(ratings: Ratings, weights: NDArray[np.float64] | None = None) -> NDArray[np.float64]:
    """Return the (weighted) number of votes for each category, (items, categories)."""
    return ratings.counts if weights is None else np.einsum("irk,r->ik", ratings.one_hot, weights)


def plurality(votes: NDArray[np.float64], categories: tuple[float, ...]) -> NDArray[np.float64]:
    """Return the category with the most votes along the last axis; NaN for ties and without votes."""
    if not categories:
        return np.full(votes.shape[:-1], np.nan)
    most = votes.max(axis=-1, keepdims=True)
    # Sums of weights in another order differ by rounding: a tie must not hang on it.
    first = np.isclose(votes, most, rtol=1e-9, atol=0) & (most > 0)
    winner = np.asarray(categories)[first.argmax(axis=-1)]
    return np.where(first.sum(axis=-1) == 1, winner, np.nan)

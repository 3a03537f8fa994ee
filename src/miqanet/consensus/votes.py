"""Votes one by one, in the order they were given; hidden repeats among them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from miqanet.consensus.pairs import mean_cohen_kappa
from miqanet.consensus.ratings import Ratings


@dataclass(frozen=True, slots=True)
class Vote:
    """One reading of an item by a rater: the vote that stands for it, where a mind was changed."""

    item: str
    rater: str
    value: float
    order: int
    """Which of the rater's readings this was; only the order matters, not the numbers."""

    seconds: float = float("nan")
    """How long the item was looked at (dwell time); NaN where unknown."""


def first_votes(votes: Iterable[Vote]) -> list[Vote]:
    """Return each rater's first reading of each item, in the order of reading; repeats are left out."""
    first: dict[tuple[str, str], Vote] = {}
    for vote in sorted(votes, key=lambda vote: vote.order):
        first.setdefault((vote.item, vote.rater), vote)
    return list(first.values())


def tabulate(votes: Iterable[Vote], categories: Sequence[float]) -> Ratings:
    """Return the ratings that first readings make; items and raters are sorted by name."""
    first = first_votes(votes)
    items = sorted({vote.item for vote in first})
    raters = sorted({vote.rater for vote in first})
    rows = {item: row for row, item in enumerate(items)}
    columns = {rater: column for column, rater in enumerate(raters)}
    values = np.full((len(items), len(raters)), np.nan)
    for vote in first:
        values[rows[vote.item], columns[vote.rater]] = vote.value
    return Ratings.of(values, items=items, raters=raters, categories=categories)


def repeated_readings(votes: Iterable[Vote], rater: str, categories: Sequence[float]) -> Ratings:
    """Return a rater's readings of the items read more than once: the first, the second, ... as columns."""
    readings: defaultdict[str, list[float]] = defaultdict(list)
    for vote in sorted(votes, key=lambda vote: vote.order):
        if vote.rater == rater:
            readings[vote.item].append(vote.value)
    repeated = {item: values for item, values in readings.items() if len(values) > 1}
    most = max(map(len, repeated.values()), default=2)
    table = [values + [np.nan] * (most - len(values)) for values in repeated.values()]
    return Ratings.of(
        np.array(table).reshape(len(repeated), most),
        items=tuple(repeated),
        raters=[f"reading {number}" for number in range(1, most + 1)],
        categories=categories,
    )


def intra_rater_kappa(repeated: Ratings) -> float:
    """Return a rater's agreement with himself: Cohen's kappa between readings of the same items.

    With more than two readings, the mean over their pairs. NaN without repeats, and where all were the same
    category.
    """
    return mean_cohen_kappa(repeated)

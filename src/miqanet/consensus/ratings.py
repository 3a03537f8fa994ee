"""The table that agreement is computed from: who gave which value to which item."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True, eq=False, slots=True)
class Ratings:
    """What each rater gave each item, on a scale of ordered categories."""

    values: NDArray[np.float64]
    """(items, raters); NaN where a rater gave none."""

    items: tuple[str, ...]
    raters: tuple[str, ...]
    categories: tuple[float, ...]
    """The whole scale, ascending, whether or not every category was used: chance agreement depends on it."""

    def __post_init__(self) -> None:
        if self.values.shape != (len(self.items), len(self.raters)):
            raise ValueError(
                f"{len(self.items)} items and {len(self.raters)} raters do not fit values of shape "
                f"{self.values.shape}"
            )
        if list(self.categories) != sorted(set(self.categories)):
            raise ValueError(f"categories must ascend: {self.categories}")
        unknown = self.values[~(np.isnan(self.values) | np.isin(self.values, self.categories))]
        if unknown.size:
            raise ValueError(f"{unknown[0]:g} is none of the categories {self.categories}")

    @classmethod
    def of(
        cls,
        values: ArrayLike,
        *,
        items: Sequence[str] | None = None,
        raters: Sequence[str] | None = None,
        categories: Sequence[float] | None = None,
    ) -> Self:
        """Return the ratings of an array; names are numbers and categories the values that occur, by default."""
        table = np.asarray(values, np.float64)
        if table.ndim != 2:
            raise ValueError(f"ratings have two axes, items and raters, not shape {table.shape}")
        if categories is None:
            categories = np.unique(table[~np.isnan(table)]).tolist()
        return cls(
            table,
            tuple(items) if items is not None else _numbers(table.shape[0]),
            tuple(raters) if raters is not None else _numbers(table.shape[1]),
            tuple(categories),
        )

    def __len__(self) -> int:
        return len(self.items)

    @property
    def given(self) -> NDArray[np.bool_]:
        """(items, raters): whether the rater gave the item a value."""
        given: NDArray[np.bool_] = ~np.isnan(self.values)
        return given

    @property
    def one_hot(self) -> NDArray[np.float64]:
        """(items, raters, categories): 1 where the rater chose the category, else 0."""
        chosen: NDArray[np.bool_] = self.values[..., None] == np.asarray(self.categories)
        return chosen.astype(np.float64)

    @property
    def counts(self) -> NDArray[np.float64]:
        """(items, categories): how many raters chose the category."""
        counts: NDArray[np.float64] = self.one_hot.sum(axis=1)
        return counts

    def take(self, chosen: NDArray[np.intp]) -> Self:
        """Return some of the items, which may repeat; the scale stays."""
        return replace(
            self, values=self.values[chosen], items=tuple(self.items[item] for item in chosen.tolist())
        )

    def without(self, rater: int) -> Self:
        """Return the ratings of all others; the scale stays."""
        return replace(
            self,
            values=np.delete(self.values, rater, axis=1),
            raters=self.raters[:rater] + self.raters[rater + 1 :],
        )

    def binarized(self, threshold: float) -> Self:
        """Return 1 for values of at least `threshold` and 0 for those below."""
        reached = (self.values >= threshold).astype(np.float64)
        return replace(self, values=np.where(self.given, reached, np.nan), categories=(0.0, 1.0))


def _numbers(count: int) -> tuple[str, ...]:
    return tuple(str(number) for number in range(1, count + 1))

"""Intervals of agreement statistics: the percentile bootstrap over items."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, Self, TypeVar

import numpy as np
from numpy.typing import NDArray


class Sample(Protocol):
    """Whatever can be drawn from with replacement: `Ratings`, or a column of figures an item."""

    def __len__(self) -> int: ...

    def take(self, chosen: NDArray[np.intp]) -> Self:
        """Return some of the members, which may repeat."""
        ...


S = TypeVar("S", bound=Sample)


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure with its 95 % interval; NaN where it is not defined."""

    value: float
    least: float
    greatest: float

    def __str__(self) -> str:
        return f"{self.value:.4f} [{self.least:.4f}, {self.greatest:.4f}]"


def estimate(statistic: Callable[[S], float], sample: S, *, resamples: int = 1000, seed: int = 0) -> Estimate:
    """Return a statistic with its percentile bootstrap interval."""
    return estimates(lambda drawn: np.array([statistic(drawn)]), sample, resamples=resamples, seed=seed)[0]


def estimates(
    statistics: Callable[[S], NDArray[np.float64]],
    sample: S,
    *,
    resamples: int = 1000,
    seed: int = 0,
    tick: Callable[[], None] = lambda: None,
) -> list[Estimate]:
    """Return several statistics, each with its percentile bootstrap interval, from the same resamples.

    Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, chapter 13. What is drawn are items, as many
    as there are, while the raters stay: the interval tells of other items read by these raters, and is too
    narrow where items are alike (slices of one person). Resamples in which a statistic is not defined are left
    out for it; a statistic that is not defined has no interval. `tick` is called after each resample.
    """
    values = statistics(sample)
    rng = np.random.default_rng(seed)
    drawn = np.full((resamples, len(values)), np.nan)
    for row in drawn:
        if len(sample):
            row[:] = statistics(sample.take(rng.integers(len(sample), size=len(sample))))
        tick()
    return [with_interval(float(value), column) for value, column in zip(values, drawn.T, strict=True)]


def with_interval(value: float, drawn: NDArray[np.floating]) -> Estimate:
    """Return a figure with the interval that its resamples, (resamples,), span; those that are NaN do not count."""
    defined = drawn[np.isfinite(drawn)]
    if not np.isfinite(value) or not defined.size:
        return Estimate(value, float("nan"), float("nan"))
    least, greatest = np.percentile(defined, (2.5, 97.5))
    return Estimate(value, float(least), float(greatest))

"""A rater's report: speed, bias, drift, and agreement with the others and with himself."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from miqanet.consensus.bootstrap import Estimate, estimate
from miqanet.consensus.human_frame import against_others
from miqanet.consensus.ratings import Ratings
from miqanet.consensus.votes import Vote, first_votes, intra_rater_kappa, repeated_readings, tabulate


@dataclass(frozen=True, slots=True)
class RaterReport:
    """How one rater reads; repeats count only for the agreement with himself."""

    rater: str
    items: int
    """Items read."""

    seconds: Estimate
    """Median time spent on an item."""

    pace: Estimate
    """Time spent on the last item divided by that on the first, on the trend: below 1 the rater speeds up."""

    bias: Estimate
    """Mean difference from the mean of the others' values: above 0 the rater gives higher values."""

    drift: Estimate
    """By how much the bias changes from the first item read to the last, on the trend."""

    agreement: Estimate
    """Share of items put as the majority of the others did."""

    repeats: int
    """Items read more than once."""

    intra_rater_kappa: Estimate


@dataclass(frozen=True, eq=False, slots=True)
class _Readings:
    """A rater's items, (N,) each: progress through the work from 0 to 1, and a figure of each item."""

    progress: NDArray[np.float64]
    figure: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.figure)

    def take(self, chosen: NDArray[np.intp]) -> Self:
        return type(self)(self.progress[chosen], self.figure[chosen])


def deviations(ratings: Ratings) -> NDArray[np.float64]:
    """Return each value less the mean of what the others gave the item, (items, raters); NaN without others."""
    values = np.where(ratings.given, ratings.values, 0)
    others = ratings.given.sum(axis=1, keepdims=True) - ratings.given
    total = values.sum(axis=1, keepdims=True) - values
    mean = np.divide(total, others, out=np.full_like(values, np.nan), where=others > 0)
    difference: NDArray[np.float64] = ratings.values - mean
    return difference


def biases(ratings: Ratings) -> NDArray[np.float64]:
    """Return each rater's mean deviation from the others, (raters,); NaN without common items."""
    difference = deviations(ratings)
    number = np.isfinite(difference).sum(axis=0)
    total = np.nansum(difference, axis=0)
    mean: NDArray[np.float64] = np.divide(total, number, out=np.full_like(total, np.nan), where=number > 0)
    return mean


def rater_reports(votes: Iterable[Vote], categories: Sequence[float]) -> list[RaterReport]:
    """Return the report of every rater, sorted by name, from all votes of a study.

    Trends are straight lines fitted by least squares over the rater's own order of reading (to the logarithm of
    the time, for the pace). Intervals are bootstrapped over the rater's items.
    """
    everything = list(votes)
    ratings = tabulate(everything, categories)
    difference = deviations(ratings)
    rows = {item: row for row, item in enumerate(ratings.items)}
    first = first_votes(everything)
    reports = []
    for column, rater in enumerate(ratings.raters):
        read = [vote for vote in first if vote.rater == rater]
        read_rows = np.array([rows[vote.item] for vote in read])
        seconds = np.array([vote.seconds for vote in read])
        timed = seconds > 0
        progress = np.linspace(0, 1, len(read))
        deviation = difference[read_rows, column]
        compared = np.isfinite(deviation)
        times = _Readings(progress[timed], seconds[timed])
        differences = _Readings(progress[compared], deviation[compared])
        repeated = repeated_readings(everything, rater, categories)
        reports.append(
            RaterReport(
                rater=rater,
                items=len(read),
                seconds=estimate(_median, times),
                pace=estimate(_pace, times),
                bias=estimate(_mean, differences),
                drift=estimate(_slope, differences),
                agreement=estimate(_against_others_of(column), ratings.take(read_rows)),
                repeats=len(repeated),
                intra_rater_kappa=estimate(intra_rater_kappa, repeated),
            )
        )
    return reports


def _median(readings: _Readings) -> float:
    return float(np.median(readings.figure)) if len(readings) else float("nan")


def _mean(readings: _Readings) -> float:
    return float(readings.figure.mean()) if len(readings) else float("nan")


def _slope(readings: _Readings) -> float:
    """Return the change of the figure from the beginning of the work to its end, on a straight line."""
    if len(readings) < 2:
        return float("nan")
    centered = readings.progress - readings.progress.mean()
    spread = float(centered @ centered)
    return float(centered @ readings.figure) / spread if spread > 0 else float("nan")


def _pace(readings: _Readings) -> float:
    return float(np.exp(_slope(_Readings(readings.progress, np.log(readings.figure)))))


def _against_others_of(rater: int) -> Callable[[Ratings], float]:
    return lambda ratings: float(against_others(ratings)[rater])

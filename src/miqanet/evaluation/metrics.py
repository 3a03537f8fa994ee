"""Figures of merit with intervals that know that images of one subject are alike."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

_RESAMPLINGS = 1000


@dataclass(frozen=True, eq=False, slots=True)
class Judged:
    """Labelled images and what a model said of them, (N,) each."""

    probability_low: NDArray[np.floating]
    low: NDArray[np.bool_]
    subject: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.low)

    def take(self, chosen: NDArray[np.intp] | NDArray[np.bool_]) -> Judged:
        """Return some of the images."""
        return Judged(self.probability_low[chosen], self.low[chosen], self.subject[chosen])


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure with its 95 % interval."""

    value: float
    least: float
    greatest: float

    def __str__(self) -> str:
        return f"{self.value:.3f} [{self.least:.3f}, {self.greatest:.3f}]"


def auc(judged: Judged) -> float:
    """Area under the ROC curve of low against high; NaN where a class is missing.

    It is the Mann-Whitney statistic: the share of pairs of a low and a high image in which the low one has the
    greater probability, ties counting one half (Hanley and McNeil, Radiology 1982).
    """
    low = int(judged.low.sum())
    high = len(judged) - low
    if not low or not high:
        return float("nan")
    ranks = rankdata(judged.probability_low)
    return (float(ranks[judged.low].sum()) - low * (low + 1) / 2) / (low * high)


def false_alarm_rate(judged: Judged, threshold: float) -> float:
    """High images called low / all high images; NaN without high images."""
    high = ~judged.low
    return float(np.mean(judged.probability_low[high] >= threshold)) if high.any() else float("nan")


def miss_rate(judged: Judged, threshold: float) -> float:
    """Low images called high / all low images; NaN without low images."""
    return (
        float(np.mean(judged.probability_low[judged.low] < threshold)) if judged.low.any() else float("nan")
    )


def accuracy(judged: Judged, threshold: float) -> float:
    """Share of images whose verdict is their label; NaN without images."""
    return (
        float(np.mean((judged.probability_low >= threshold) == judged.low)) if len(judged) else float("nan")
    )


def estimate(figure: Callable[[Judged], float], judged: Judged, seed: int = 0) -> Estimate:
    """Return a figure with its percentile bootstrap interval; whole subjects are drawn, not images.

    Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, chapter 13, with subjects as clusters.
    Resamplings in which the figure is undefined (a class is missing) are left out.
    """
    value = figure(judged)
    if not np.isfinite(value):
        return Estimate(value, value, value)
    rng = np.random.default_rng(seed)
    members = [np.flatnonzero(judged.subject == subject) for subject in np.unique(judged.subject)]
    drawn = [
        figure(
            judged.take(np.concatenate([members[i] for i in rng.integers(len(members), size=len(members))]))
        )
        for _ in range(_RESAMPLINGS)
    ]
    least, greatest = np.nanpercentile(drawn, (2.5, 97.5))
    return Estimate(value, float(least), float(greatest))

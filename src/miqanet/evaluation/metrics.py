"""Figures of merit of a verdict, weighted by image, so that one formula serves the figure and its bootstrap.

A figure takes judged images and weights (B, N) and returns (B,) values: weights of one give the figure itself,
the numbers of times that images were drawn give its resamplings, all of them at once. They are scikit-learn's
figures with `sample_weight`, which the tests hold them to. A figure is NaN where the images that it is about are
missing. *Low* is the positive class.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating]

CALIBRATION_BINS = 15


@dataclass(frozen=True, eq=False, slots=True)
class Judged:
    """Labelled images and what a model said of them, (N,) each."""

    probability_low: Array
    low: NDArray[np.bool_]
    subject: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.low)

    def take(self, chosen: NDArray[np.intp] | NDArray[np.bool_]) -> Judged:
        """Return some of the images."""
        return Judged(self.probability_low[chosen], self.low[chosen], self.subject[chosen])

    def beside(self, other: Judged) -> Judged:
        """Return these images and then the other ones."""
        return Judged(
            np.concatenate([self.probability_low, other.probability_low]),
            np.concatenate([self.low, other.low]),
            np.concatenate([self.subject, other.subject]),
        )


Figure = Callable[[Judged, Array], Array]
"""From judged images and weights (B, N) to values (B,)."""


def auc(judged: Judged, weights: Array) -> Array:
    """Area under the ROC curve of low against high.

    It is the Mann-Whitney statistic: the share of pairs of a low and a high image in which the low one has the
    greater probability, ties counting one half (Hanley and McNeil, Radiology 1982).
    """
    low, high = _by_level(judged.probability_low, judged, weights)
    below = np.cumsum(high, axis=1) - high / 2
    return _ratio((low * below).sum(1), low.sum(1) * high.sum(1))


def average_precision(judged: Judged, weights: Array) -> Array:
    """Area under the precision-recall curve of low, by steps (sum of precision times gain in recall)."""
    low, high = _by_level(-judged.probability_low, judged, weights)
    found = np.cumsum(low, axis=1)
    called = found + np.cumsum(high, axis=1)
    precision = np.divide(found, called, out=np.zeros_like(found), where=called > 0)
    return _ratio((low * precision).sum(1), found[:, -1])


def sensitivity_at_specificity(judged: Judged, weights: Array, specificity: float = 0.95) -> Array:
    """Return the greatest share of low images that is found while this share of the high ones is left alone."""
    low, high = _by_level(-judged.probability_low, judged, weights)
    found, false = np.cumsum(low, axis=1), np.cumsum(high, axis=1)
    # A sum of weights may come out a rounding above the limit that it equals.
    allowed = false <= (1 - specificity) * false[:, -1:] * (1 + 1e-9)
    best = np.where(allowed, found, 0.0).max(1)
    return np.where(false[:, -1] > 0, _ratio(best, found[:, -1]), np.nan)


class Confusion(NamedTuple):
    """Weights of the images in the four cases, (B,) each."""

    hits: Array
    misses: Array
    false_alarms: Array
    passes: Array

    @property
    def images(self) -> Array:
        """Weight of all images."""
        return self.hits + self.misses + self.false_alarms + self.passes


def confusion(judged: Judged, weights: Array, threshold: float = 0.5) -> Confusion:
    """Count low images called low and high, and high images called low and high."""
    called = judged.probability_low >= threshold
    low = judged.low
    cases = np.stack([low & called, low & ~called, ~low & called, ~low & ~called], 1)
    return Confusion(*(weights @ cases.astype(np.float64)).T)


def accuracy(judged: Judged, weights: Array, threshold: float = 0.5) -> Array:
    """Share of images whose verdict is their label."""
    c = confusion(judged, weights, threshold)
    return _ratio(c.hits + c.passes, c.images)


def miss_rate(judged: Judged, weights: Array, threshold: float = 0.5) -> Array:
    """Low images called high / all low images."""
    c = confusion(judged, weights, threshold)
    return _ratio(c.misses, c.hits + c.misses)


def false_alarm_rate(judged: Judged, weights: Array, threshold: float = 0.5) -> Array:
    """High images called low / all high images."""
    c = confusion(judged, weights, threshold)
    return _ratio(c.false_alarms, c.false_alarms + c.passes)


def balanced_accuracy(judged: Judged, weights: Array, threshold: float = 0.5) -> Array:
    """Mean of the shares of low and of high images whose verdict is right."""
    c = confusion(judged, weights, threshold)
    return (_ratio(c.hits, c.hits + c.misses) + _ratio(c.passes, c.passes + c.false_alarms)) / 2


def precision(judged: Judged, weights: Array, *, of_low: bool, threshold: float = 0.5) -> Array:
    """Share of images called so that are so; NaN where none is called so."""
    right, _, wrongly = _of_class(confusion(judged, weights, threshold), of_low=of_low)
    return _ratio(right, right + wrongly)


def recall(judged: Judged, weights: Array, *, of_low: bool, threshold: float = 0.5) -> Array:
    """Share of images that are so and are called so."""
    right, overlooked, _ = _of_class(confusion(judged, weights, threshold), of_low=of_low)
    return _ratio(right, right + overlooked)


def f1(judged: Judged, weights: Array, *, of_low: bool, threshold: float = 0.5) -> Array:
    """Harmonic mean of precision and recall of a class."""
    right, overlooked, wrongly = _of_class(confusion(judged, weights, threshold), of_low=of_low)
    return _ratio(2 * right, 2 * right + overlooked + wrongly)


def cohen_kappa(judged: Judged, weights: Array, threshold: float = 0.5) -> Array:
    """Agreement with the labels beyond what the two margins give by chance (Cohen 1960)."""
    c = confusion(judged, weights, threshold)
    n = c.images
    called, low = c.hits + c.false_alarms, c.hits + c.misses
    by_chance = _ratio(called * low + (n - called) * (n - low), n * n)
    return _ratio(_ratio(c.hits + c.passes, n) - by_chance, 1 - by_chance)


def matthews_correlation(judged: Judged, weights: Array, threshold: float = 0.5) -> Array:
    """Correlation of verdict and label (Matthews 1975); NaN where either is always the same."""
    c = confusion(judged, weights, threshold)
    margins = (c.hits + c.misses) * (c.hits + c.false_alarms)
    margins = margins * (c.passes + c.misses) * (c.passes + c.false_alarms)
    return _ratio(c.hits * c.passes - c.misses * c.false_alarms, np.sqrt(margins))


def brier(judged: Judged, weights: Array) -> Array:
    """Mean square of probability less label (Brier 1950)."""
    return _ratio(weights @ np.square(judged.probability_low - judged.low), weights.sum(1))


def calibration_error(judged: Judged, weights: Array, target: Array | None = None) -> Array:
    """Mean distance of mean probability and mean target over 15 bins of equal mass, in order of probability.

    Nixon et al., "Measuring Calibration in Deep Learning", CVPR Workshops 2019 (adaptive calibration error of
    one class). `target` is the share of raters who said low, (N,), the label where it is not given. Images of the
    same probability that reach across the edge of a bin are shared out between the two, whatever their order.
    """
    aimed = judged.low if target is None else target
    levels = _Levels.of(judged.probability_low)
    mass = levels.sums(weights).cumsum(1)
    excess = levels.sums(weights * (judged.probability_low - aimed)).cumsum(1)
    edges = np.linspace(0, 1, CALIBRATION_BINS + 1)
    at_edges = [
        np.interp(edges * m[-1], np.append(0.0, m), np.append(0.0, e))
        for m, e in zip(mass, excess, strict=True)
    ]
    return _ratio(np.abs(np.diff(at_edges, axis=1)).sum(1), mass[:, -1])


def calibration_error_by_chance(judged: Judged, draws: int = 200, seed: int = 0) -> float:
    """Calibration error that these probabilities have on average where labels follow them to the letter.

    Bins of few images differ from their probabilities by chance, and no model can be told to have less
    (consistency resampling; Bröcker and Smith, "Increasing the Reliability of Reliability Diagrams", Weather and
    Forecasting 2007).
    """
    rng = np.random.default_rng(seed)
    weights = np.ones((1, len(judged)))
    drawn = (rng.random(len(judged)) < judged.probability_low for _ in range(draws))
    return float(np.mean([calibration_error(replace(judged, low=low), weights)[0] for low in drawn]))


def risk_coverage_area(judged: Judged, weights: Array, *, of_low: bool, threshold: float = 0.5) -> Array:
    """Mean error of a class over all shares of its images that are decided, the surest first.

    El-Yaniv and Wiener, "On the Foundations of Noise-free Selective Classification", JMLR 2010, a class at a time.
    """
    of_class = judged.low == of_low
    wrong = Judged(
        judged.probability_low, (judged.probability_low >= threshold) != judged.low, judged.subject
    )
    # What is as sure is decided together.
    unsure = -np.abs(judged.probability_low - threshold)
    false, right = _by_level(unsure, wrong, weights * of_class)
    decided = np.cumsum(false + right, axis=1)
    errors = np.cumsum(false, axis=1)
    risk = np.divide(errors, decided, out=np.zeros_like(errors), where=decided > 0)
    return _ratio(((false + right) * risk).sum(1), decided[:, -1])


def share(_judged: Judged, weights: Array, *, event: NDArray[Any], among: NDArray[Any]) -> Array:
    """Share of what happens among what could: both counted by image, (N,) or (N, cases)."""
    happened, could = (counted.sum(tuple(range(1, counted.ndim)), dtype=float) for counted in (event, among))
    return _ratio(weights @ happened, weights @ could)


TABLE: dict[str, Figure] = {
    "accuracy": accuracy,
    "balanced_accuracy": balanced_accuracy,
    "auc": auc,
    "average_precision_low": average_precision,
    "sensitivity_at_95_specificity": sensitivity_at_specificity,
    "cohen_kappa": cohen_kappa,
    "matthews_correlation": matthews_correlation,
    "brier": brier,
    "calibration_error": calibration_error,
    **{
        f"{figure.__name__}_{name}": partial(figure, of_low=of_low)
        for of_low, name in ((True, "low"), (False, "high"))
        for figure in (precision, recall, f1, risk_coverage_area)
    },
}
"""The figures of the benchmark by the names that they have in `results.json`."""


class _Levels(NamedTuple):
    """Images by distinct score, ascending: what scores alike cannot be told apart."""

    order: NDArray[np.intp]
    starts: NDArray[np.intp]
    """Where in that order each level begins."""

    @classmethod
    def of(cls, score: Array) -> _Levels:
        order = np.argsort(score, kind="stable")
        return cls(order, np.flatnonzero(np.diff(score[order], prepend=np.nan) != 0))

    def sums(self, values: Array) -> Array:
        """Return the sums of values (B, N) at each level, (B, levels); one empty level without images."""
        if not self.starts.size:
            return np.zeros((len(values), 1))
        return np.add.reduceat(values[:, self.order], self.starts, axis=1)


def _by_level(score: Array, judged: Judged, weights: Array) -> tuple[Array, Array]:
    """Return the weights of the low and of the high images at each distinct score, ascending: (B, levels) each."""
    levels = _Levels.of(score)
    return levels.sums(weights * judged.low), levels.sums(weights * ~judged.low)


def _of_class(c: Confusion, *, of_low: bool) -> tuple[Array, Array, Array]:
    """Return what is rightly called so, what is overlooked and what is wrongly called so."""
    return (c.hits, c.misses, c.false_alarms) if of_low else (c.passes, c.false_alarms, c.misses)


def _ratio(numerator: Array, denominator: Array) -> Array:
    nothing = np.full(np.broadcast_shapes(numerator.shape, denominator.shape), np.nan)
    np.divide(numerator, denominator, out=nothing, where=denominator != 0)
    return nothing

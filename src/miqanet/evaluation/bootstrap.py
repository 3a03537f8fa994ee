"""Intervals that know that images of one subject are alike: whole subjects are drawn, not images.

Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, chapter 13, percentile intervals, with subjects as
clusters. All resamplings are weights on the images, so that figures are computed for many of them at once.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from miqanet.consensus import Estimate, with_interval
from miqanet.evaluation.metrics import Array, Figure, Judged, calibration_error

_RESAMPLINGS = 1000

_RESTS_ON_ONE = 0.2
"""Share of resamplings that a figure is undefined in: a certain subject is missing in at least 1/4 of them, and two
subjects in at most 0.14."""

_WEIGHTS_AT_ONCE = 4_000_000
"""32 MB in double precision."""


def estimate(figure: Figure, judged: Judged, seed: int = 0) -> Estimate:
    """Return a figure with its interval."""
    return estimates({"": figure}, judged, seed)[""]


def estimates(figures: Mapping[str, Figure], judged: Judged, seed: int = 0) -> dict[str, Estimate]:
    """Return figures with their intervals, all from the same resamplings.

    Resamplings in which a figure is undefined (a class is missing) are left out for it. Of one subject alone nothing
    is known about others: a figure of one, or with one alone to give it a class, has no interval (NaN).
    """
    once = np.ones((1, len(judged)))
    values = {name: float(figure(judged, once)[0]) for name, figure in figures.items()}
    if len(np.unique(judged.subject)) < 2:
        return {name: Estimate(value, math.nan, math.nan) for name, value in values.items()}
    drawn: dict[str, list[Array]] = {name: [] for name in figures}
    for weights in _resamplings(judged, seed):
        for name, figure in figures.items():
            drawn[name].append(figure(judged, weights))
    resampled = {name: np.concatenate(parts) for name, parts in drawn.items()}
    for name, figure in figures.items():
        if getattr(figure, "func", figure) is calibration_error:
            resampled[name] = _moved_back(resampled[name], values[name])
    for undefined in (name for name, drawn in resampled.items() if np.isnan(drawn).mean() > _RESTS_ON_ONE):
        resampled[undefined] = np.array([math.nan])
    return {name: with_interval(value, resampled[name]) for name, value in values.items()}


def difference(figure: Figure, one: Judged, other: Judged, seed: int = 0) -> Estimate:
    """Return how much better `one` is than `other` on the same images, subject by subject (paired).

    Raises:
        ValueError: the two are not about the same images.
    """
    if not (np.array_equal(one.low, other.low) and np.array_equal(one.subject, other.subject)):
        raise ValueError("only what judged the same images can be compared image by image")

    def gap(_judged: Judged, weights: Array) -> Array:
        return figure(one, weights) - figure(other, weights)

    return estimate(gap, one, seed)


def stated(figures: Any) -> Any:
    """Return figures with their intervals for JSON, which has no NaN: what is not defined is null."""
    if isinstance(figures, Estimate):
        if math.isnan(figures.value):
            return None
        limits = {name: getattr(figures, name) for name in ("least", "greatest")}
        return {"value": figures.value} | {n: None if math.isnan(x) else x for n, x in limits.items()}
    if isinstance(figures, Mapping):
        return {name: stated(figure) for name, figure in figures.items()}
    return figures


def _moved_back(drawn: Array, value: float) -> Array:
    """Return resamplings of a distance with their bias taken off, no less than 0.

    An image drawn twice leaves as much less to average over: chance adds to a mean distance once more, and the
    percentiles would lie above the figure itself (Efron and Tibshirani, chapter 10.2: estimate of bias).
    """
    defined = drawn[np.isfinite(drawn)]
    return np.maximum(defined - (defined.mean() - value), 0.0) if defined.size else drawn


def _resamplings(judged: Judged, seed: int) -> Iterator[Array]:
    """Yield how often each image is drawn, (resamplings, N), some resamplings at a time."""
    subjects, places = np.unique(judged.subject, return_inverse=True)
    rng = np.random.default_rng(seed)
    draws = rng.multinomial(len(subjects), np.full(len(subjects), 1 / len(subjects)), _RESAMPLINGS)
    for some in np.array_split(draws, -(-_RESAMPLINGS * len(judged) // _WEIGHTS_AT_ONCE)):
        yield some[:, places].astype(np.float64)

"""Intervals that know that images of one subject are alike: whole subjects are drawn, not images.

Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, chapter 13, percentile intervals, with subjects as
clusters. All resamplings are weights on the images, so that figures are computed for many of them at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from miqanet.consensus import Estimate, with_interval
from miqanet.evaluation.metrics import Array, Figure, Judged

_RESAMPLINGS = 1000

_WEIGHTS_AT_ONCE = 4_000_000
"""32 MB in double precision."""


def estimate(figure: Figure, judged: Judged, seed: int = 0) -> Estimate:
    """Return a figure with its interval."""
    return estimates({"": figure}, judged, seed)[""]


def estimates(figures: Mapping[str, Figure], judged: Judged, seed: int = 0) -> dict[str, Estimate]:
    """Return figures with their intervals, all from the same resamplings.

    Resamplings in which a figure is undefined (a class is missing) are left out for it.
    """
    once = np.ones((1, len(judged)))
    values = {name: float(figure(judged, once)[0]) for name, figure in figures.items()}
    drawn: dict[str, list[Array]] = {name: [] for name in figures}
    for weights in _resamplings(judged, seed):
        for name, figure in figures.items():
            drawn[name].append(figure(judged, weights))
    return {name: with_interval(value, np.concatenate(drawn[name])) for name, value in values.items()}


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


def _resamplings(judged: Judged, seed: int) -> Iterator[Array]:
    """Yield how often each image is drawn, (resamplings, N), some resamplings at a time."""
    subjects, places = np.unique(judged.subject, return_inverse=True)
    if not subjects.size:
        yield np.ones((1, 0))
        return
    rng = np.random.default_rng(seed)
    draws = rng.multinomial(len(subjects), np.full(len(subjects), 1 / len(subjects)), _RESAMPLINGS)
    for some in np.array_split(draws, -(-_RESAMPLINGS * len(judged) // _WEIGHTS_AT_ONCE)):
        yield some[:, places].astype(np.float64)

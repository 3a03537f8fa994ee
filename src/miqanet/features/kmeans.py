"""K-means: points parted into clusters around means, such that squared distances are small (Lloyd, 1982)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

_ROUNDS = 20
_BLOCK = 512
"""Points whose distances to all means are in memory at once."""


def kmeans(points: NDArray[np.float64], k: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Return the (k, D) means of clusters of `points` (N, D), N at least k, after at most 20 of Lloyd's rounds.

    They start at k of the points. A cluster that loses all its points starts anew at the point that is farthest from
    its mean.
    """
    means = points[rng.choice(len(points), k, replace=False)]
    labels = np.full(len(points), -1)
    for _ in range(_ROUNDS):
        nearest, distance = _nearest(points, means)
        members = np.bincount(nearest, minlength=k)
        empty = np.flatnonzero(members == 0)
        nearest[np.argsort(-distance, kind="stable")[: empty.size]] = empty
        if np.array_equal(nearest, labels):
            break
        labels = nearest
        means = _means(points, labels, means)
    return means


def _nearest(
    points: NDArray[np.float64], means: NDArray[np.float64]
) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
    """Return the nearest mean of every point, and its squared distance."""
    # Half the digits are enough to find neighbors, in half the time.
    halved_squares = (np.square(means).sum(axis=1) / 2).astype(np.float32)
    directions = means.astype(np.float32).T
    nearest = np.empty(len(points), np.intp)
    distance = np.empty(len(points), np.float32)
    for start in range(0, len(points), _BLOCK):
        block = points[start : start + _BLOCK].astype(np.float32)
        closeness = block @ directions - halved_squares
        best = closeness.argmax(axis=1)
        nearest[start : start + _BLOCK] = best
        closest = closeness[np.arange(len(block)), best]
        distance[start : start + _BLOCK] = np.square(block).sum(axis=1) - 2 * closest
    return nearest, distance


def _means(
    points: NDArray[np.float64], labels: NDArray[np.intp], previous: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the mean of each label's points; a label without points keeps its previous mean."""
    count = len(previous)
    members = np.bincount(labels, minlength=count)
    one_hot = sparse.csr_array(
        (np.ones(len(labels)), (labels, np.arange(len(labels)))), shape=(count, len(labels))
    )
    sums = one_hot @ points
    return np.where(members[:, None] > 0, sums / np.maximum(members, 1)[:, None], previous)

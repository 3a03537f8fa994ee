"""Dawid and Skene's model: every rater errs in a way of his own, and the true class is never seen.

A. P. Dawid and A. M. Skene, "Maximum likelihood estimation of observer error-rates using the EM algorithm",
Applied Statistics 28, 1979, 20-28. Classes occur with probabilities p_j; given the true class, raters answer
independently, rater k with category l where the truth is j with probability pi_jl^(k).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_NEVER = 1e-300
"""Stands for a probability of 0 in a logarithm."""


@dataclass(frozen=True, eq=False, slots=True)
class DawidSkene:
    """The model as fitted."""

    prevalence: NDArray[np.float64]
    """(classes,) p_j."""

    confusion: NDArray[np.float64]
    """(raters, classes, categories) pi_jl: row the true class, column the answer; NaN for a class that never
    occurs, and for a rater who answered nothing."""

    posterior: NDArray[np.float64]
    """(items, classes) probability of each true class, given all answers; the prevalence without answers."""

    log_likelihood: float
    iterations: int
    converged: bool

    @property
    def accuracy(self) -> NDArray[np.float64]:
        """(raters,) the probability that a rater names the true class; NaN for who never met one of them."""
        named = np.diagonal(self.confusion, axis1=1, axis2=2)
        occurs = self.prevalence > 0
        accuracy: NDArray[np.float64] = named[:, occurs] @ self.prevalence[occurs]
        return accuracy


def dawid_skene(
    answers: NDArray[np.float64], *, tolerance: float = 1e-7, max_iterations: int = 5000
) -> DawidSkene:
    """Fit the model by expectation maximization, started from the vote fractions (the paper's equation 3.1).

    `answers`, (items, raters, categories), counts how often a rater gave an item each category: `one_hot` of
    `Ratings`, or more than one answer where a rater read an item several times. The fit has converged when an
    iteration changes no posterior probability by more than `tolerance`.

    Raises:
        ValueError: there is not one answer.
    """
    items, raters, classes = answers.shape
    votes = answers.sum(axis=1)
    number = votes.sum(axis=1, keepdims=True)
    if not number.any():
        raise ValueError("Dawid-Skene needs at least one answer")
    given = answers.reshape(items, raters * classes)
    posterior = np.divide(votes, number, out=np.full_like(votes, 1 / classes), where=number > 0)
    iterations, converged, log_likelihood = 0, False, float("nan")
    while not converged and iterations < max_iterations:
        prevalence, confusion = _maximization(given, posterior)
        previous = posterior
        posterior, log_likelihood = _expectation(given, prevalence, confusion)
        iterations += 1
        converged = float(np.abs(posterior - previous).max()) <= tolerance
    return DawidSkene(
        prevalence, confusion.transpose(1, 0, 2), posterior, log_likelihood, iterations, converged
    )


def _maximization(
    given: NDArray[np.float64], posterior: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return prevalence and confusion, (classes, raters, categories), that fit best (equations 2.3, 2.4)."""
    classes = posterior.shape[1]
    expected = (posterior.T @ given).reshape(classes, -1, classes)
    total = expected.sum(axis=2, keepdims=True)
    confusion = np.divide(expected, total, out=np.full_like(expected, np.nan), where=total > 0)
    return posterior.mean(axis=0), confusion


def _expectation(
    given: NDArray[np.float64], prevalence: NDArray[np.float64], confusion: NDArray[np.float64]
) -> tuple[NDArray[np.float64], float]:
    """Return the posterior of the classes (equation 2.5) and the log-likelihood of all answers (2.7)."""
    # NaN, where no answer of a rater belongs to a class, is never multiplied with one that may.
    log_confusion = np.log(np.fmax(confusion, _NEVER)).reshape(len(prevalence), -1)
    joint = np.log(np.fmax(prevalence, _NEVER)) + given @ log_confusion.T
    greatest = joint.max(axis=1, keepdims=True)
    scaled = np.exp(joint - greatest)
    evidence = scaled.sum(axis=1, keepdims=True)
    return scaled / evidence, float((greatest + np.log(evidence)).sum())

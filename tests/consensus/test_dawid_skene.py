from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from miqanet.consensus import Ratings, dawid_skene

PUBLISHED_PREVALENCE = [0.40, 0.42, 0.11, 0.07]
PUBLISHED_CONFUSION = [
    [[0.89, 0.11, 0, 0], [0.07, 0.88, 0.05, 0], [0, 0.34, 0.66, 0], [0, 0, 0.56, 0.44]],
    [[0.83, 0.17, 0, 0], [0.05, 0.63, 0.31, 0], [0, 0, 1, 0], [0, 0, 0, 1]],
    [[1, 0, 0, 0], [0.11, 0.79, 0.11, 0], [0, 0.40, 0.20, 0.40], [0, 0, 0.67, 0.33]],
    [[0.94, 0.06, 0, 0], [0.05, 0.84, 0.10, 0], [0, 0, 0.80, 0.20], [0, 0, 0.33, 0.67]],
    [[1, 0, 0, 0], [0.16, 0.73, 0.11, 0], [0, 0.21, 0.79, 0], [0, 0, 0.33, 0.67]],
]
UNSURE = {7: [0.98, 0.02, 0, 0], 35: [0, 0.95, 0.05, 0], 38: [0, 0.02, 0.98, 0]}
SURE = {2: 4, 3: 2, 4: 2, 6: 2, 8: 3, 11: 4, 12: 3, 20: 2, 30: 1, 32: 3, 36: 4, 39: 3, 42: 1, 44: 1}


def test_anaesthetists_come_out_as_published(anaesthetists: NDArray[np.float64]) -> None:
    # The maximum likelihood estimates of Dawid and Skene (1979), which have two decimals.
    fit = dawid_skene(anaesthetists)
    assert fit.converged
    np.testing.assert_allclose(fit.prevalence, PUBLISHED_PREVALENCE, atol=0.0051)
    np.testing.assert_allclose(fit.confusion, PUBLISHED_CONFUSION, atol=0.0051)
    for patient, posterior in UNSURE.items():
        np.testing.assert_allclose(fit.posterior[patient - 1], posterior, atol=0.0051)
    for patient, truth in SURE.items():
        assert fit.posterior[patient - 1, truth - 1] > 0.995


def test_each_iteration_explains_the_answers_better(anaesthetists: NDArray[np.float64]) -> None:
    likelihoods = [dawid_skene(anaesthetists, max_iterations=n).log_likelihood for n in range(1, 15)]
    assert np.all(np.diff(likelihoods) > 0)
    assert not dawid_skene(anaesthetists, max_iterations=3).converged


def simulated(items: int, accuracies: list[float]) -> tuple[NDArray[np.int64], Ratings]:
    rng = np.random.default_rng(5)
    truth = (rng.random(items) < 0.3).astype(np.int64)
    right = rng.random((items, len(accuracies))) < accuracies
    return truth, Ratings.of(np.where(right, truth[:, None], 1 - truth[:, None]), categories=(0, 1))


def test_good_raters_are_found_among_guessers() -> None:
    accuracies = [0.95, 0.9, 0.6, 0.55, 0.55]
    truth, ratings = simulated(2000, accuracies)
    fit = dawid_skene(ratings.one_hot)
    np.testing.assert_allclose(fit.accuracy, accuracies, atol=0.05)
    np.testing.assert_allclose(fit.prevalence, [0.7, 0.3], atol=0.05)
    by_model = np.mean(fit.posterior.argmax(axis=1) == truth)
    by_count = np.mean(ratings.counts.argmax(axis=1) == truth)
    assert by_model > by_count + 0.05


def test_missing_answers_are_no_answers() -> None:
    _, ratings = simulated(300, [0.9, 0.9, 0.8])
    values = ratings.values.copy()
    values[0] = np.nan
    values[1, 1:] = np.nan
    fit = dawid_skene(Ratings.of(values, categories=(0, 1)).one_hot)
    assert fit.converged
    np.testing.assert_allclose(fit.posterior.sum(axis=1), 1)
    # Without answers nothing is known but how often the classes occur.
    np.testing.assert_allclose(fit.posterior[0], fit.prevalence, atol=1e-6)
    assert fit.posterior[1].max() < fit.posterior.max(axis=1)[2:].max()


def test_who_answers_nothing_has_no_confusion_and_changes_nothing() -> None:
    _, ratings = simulated(100, [0.9, 0.9, 0.8])
    silent = np.column_stack([ratings.values, np.full(100, np.nan)])
    fit = dawid_skene(Ratings.of(silent, categories=(0, 1)).one_hot)
    assert np.isnan(fit.confusion[3]).all()
    np.testing.assert_allclose(fit.posterior, dawid_skene(ratings.one_hot).posterior)


def test_a_class_that_nobody_names_never_occurs() -> None:
    fit = dawid_skene(Ratings.of([[0, 0], [1, 1], [0, 1]], categories=(0, 1, 2)).one_hot)
    assert fit.prevalence[2] == 0
    assert np.isnan(fit.confusion[:, 2]).all()
    assert np.isfinite(fit.accuracy).all()


def test_hundreds_of_answers_do_not_underflow() -> None:
    rng = np.random.default_rng(0)
    answers = np.zeros((3, 800, 2))
    chosen = (rng.random((3, 800)) < [[0.4], [0.6], [0.5]]).astype(int)
    np.put_along_axis(answers, chosen[..., None], 1, axis=2)
    fit = dawid_skene(answers)
    assert np.isfinite(fit.posterior).all()
    assert np.isfinite(fit.log_likelihood)


def test_no_answers_are_refused() -> None:
    with pytest.raises(ValueError, match="at least one answer"):
        dawid_skene(np.zeros((4, 2, 2)))

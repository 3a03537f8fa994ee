"""Calibration: scaling and thresholds, fitted to rated images, and tried on subjects left out of the fit.

What is measured on the images that it was fitted to looks too good. For a site that has no others, subjects are
dealt into parts, and each part is decided by what the others would have chosen (cross-validation; Stone, J. R.
Stat. Soc. B 36, 1974).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from miqanet.consensus import Estimate
from miqanet.evaluation.bootstrap import estimates
from miqanet.evaluation.metrics import Array, Figure, Judged, calibration_error, share
from miqanet.evaluation.scaling import fit_scaling
from miqanet.evaluation.thresholds import DEFAULT_RATES, ErrorRates, Thresholds, choose_thresholds
from miqanet.screening.scaling import Scaling

_PARTS = 5


@dataclass(frozen=True, slots=True)
class Calibration:
    """What turns the probabilities of a network into verdicts."""

    scaling: Scaling
    """On top of what the probabilities have been through already."""

    thresholds: Thresholds
    """Of the probability of low after that."""


@dataclass(frozen=True, eq=False, slots=True)
class Decided:
    """Rated images, and what is said of them without a person."""

    judged: Judged
    passed: NDArray[np.bool_]
    """(N,) called high."""

    condemned: NDArray[np.bool_]
    """(N,) called low."""

    def figures(self, votes: Array | None = None) -> dict[str, Estimate]:
        """Return the calibration error and what the three-way verdict achieves, with intervals by subject.

        Args:
            votes: share of raters who said low, (N,), for the calibration error against it.
        """
        low, decided = self.judged.low, self.passed | self.condemned
        figures: dict[str, Figure] = {
            "calibration_error": calibration_error,
            "low_passed": partial(share, event=low & self.passed, among=low),
            "high_condemned": partial(share, event=~low & self.condemned, among=~low),
            "decided": partial(share, event=decided, among=np.ones_like(decided)),
        }
        if votes is not None:
            figures["calibration_error_of_votes"] = partial(calibration_error, target=votes)
        return estimates(figures, self.judged)


def decide(judged: Judged, thresholds: Thresholds) -> Decided:
    """Return the three-way verdict on images whose probabilities are scaled as for the thresholds."""
    least, greatest = thresholds.review_band
    return Decided(judged, judged.probability_low < least, judged.probability_low >= greatest)


def calibrate(
    probability_low: Array,
    low: NDArray[np.bool_],
    rates: ErrorRates = DEFAULT_RATES,
    clean: Array | None = None,
) -> Calibration:
    """Fit scaling and thresholds to rated images.

    Args:
        probability_low: as the network gave it, (N,).
        low: what the raters said, (N,).
        rates: the errors that the thresholds may make.
        clean: probabilities of images that nobody has rated, (M,). They are high, and count among the high images
            of the thresholds; the scaling would take low for rarer than it is among what was rated.

    Raises:
        ValueError: they are all of one class.
    """
    scaling = fit_scaling(probability_low, low)
    probability = scaling.apply(probability_low)
    if clean is not None:
        probability = np.concatenate([probability, scaling.apply(clean)])
        low = np.concatenate([low, np.zeros(len(clean), bool)])
    return Calibration(scaling, choose_thresholds(probability, low, rates))


def decide_left_out(judged: Judged, rates: ErrorRates = DEFAULT_RATES, seed: int = 0) -> Decided:
    """Return the verdicts on every subject's images by what was fitted to other subjects.

    Raises:
        ValueError: there are too few subjects, or too few with images of either class.
    """
    subjects = np.unique(judged.subject)
    if len(subjects) < _PARTS:
        raise ValueError(f"{len(subjects)} subjects are too few: calibration takes at least {_PARTS}")
    probability = np.empty(len(judged))
    passed, condemned = np.zeros((2, len(judged)), bool)
    for part in np.array_split(np.random.default_rng(seed).permutation(subjects), _PARTS):
        left_out = np.isin(judged.subject, part)
        fitted = calibrate(judged.probability_low[~left_out], judged.low[~left_out], rates)
        probability[left_out] = fitted.scaling.apply(judged.probability_low[left_out])
        decided = decide(replace(judged, probability_low=probability), fitted.thresholds)
        passed[left_out], condemned[left_out] = decided.passed[left_out], decided.condemned[left_out]
    return Decided(replace(judged, probability_low=probability), passed, condemned)

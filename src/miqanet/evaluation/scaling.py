"""Bias-corrected temperature scaling, fitted: the two numbers that make the labels of a validation set likeliest.

See `miqanet.screening.scaling` for its sources. It is logistic regression on the logit of low (Platt, 1999), held to
slopes that keep the order of images.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit

from miqanet.screening.scaling import Scaling, logits

_STEEPEST = 100.0


def fit_scaling(probability_low: NDArray[np.floating], low: NDArray[np.bool_]) -> Scaling:
    """Return the scaling that makes these labels likeliest, (N,) each; temperatures are 0.01 to 100.

    Raises:
        ValueError: one of the two classes is missing.
    """
    if low.all() or not low.any():
        raise ValueError("calibration needs images of both classes")
    x, sign = logits(probability_low), np.where(low, 1.0, -1.0)

    def loss(slope_and_bias: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        slope, bias = slope_and_bias
        rightly = sign * (slope * x + bias)
        pull = -sign * expit(-rightly) / x.size
        return float(np.logaddexp(0, -rightly).mean()), np.array([pull @ x, pull.sum()])

    # Limits also where the two classes are apart, and no likelihood is the greatest.
    bounds = [(1 / _STEEPEST, _STEEPEST), (-_STEEPEST, _STEEPEST)]
    slope, bias = minimize(loss, (1.0, 0.0), jac=True, bounds=bounds, method="L-BFGS-B").x
    return Scaling(float(1 / slope), float(bias))

"""Temperature scaling, fitted: one number that makes probabilities mean what they say, without changing a verdict.

Guo, Pleiss, Sun and Weinberger, "On Calibration of Modern Neural Networks", ICML 2017, section 4.2: logits are
divided by a temperature that makes the labels of a validation set most likely. One half stays one half.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

from miqanet.screening.temperature import apply_temperature, logits

__all__ = ["apply_temperature", "fit_temperature"]

_HOTTEST = 100.0


def fit_temperature(probability_low: NDArray[np.floating], low: NDArray[np.bool_]) -> float:
    """Return the temperature that makes these labels likeliest, (N,) each; between a hundredth and a hundred.

    Raises:
        ValueError: one of the two classes is missing.
    """
    if low.all() or not low.any():
        raise ValueError("a temperature needs images of both classes")
    # The logit of what the label says: the loss is log(1 + exp(-it)) for either class.
    rightly = np.where(low, 1, -1) * logits(probability_low)

    def loss(log_temperature: float) -> float:
        return float(np.logaddexp(0, -rightly / np.exp(log_temperature)).mean())

    bounds = (-np.log(_HOTTEST), np.log(_HOTTEST))
    return float(np.exp(minimize_scalar(loss, bounds=bounds, method="bounded").x))

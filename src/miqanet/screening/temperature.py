"""Temperature scaling, applied: probabilities that mean what they say, in the same order.

Guo, Pleiss, Sun and Weinberger, "On Calibration of Modern Neural Networks", ICML 2017, section 4.2: logits are
divided by a temperature. One half stays one half; two temperatures one after the other are their product.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

_LEAST = 1e-7
"""Of the probabilities that have a logit: a network in half precision says 0 and 1."""


def logits(probability: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the logits of probabilities, of any shape."""
    return np.asarray(logit(np.clip(probability.astype(np.float64), _LEAST, 1 - _LEAST)), np.float64)


def apply_temperature(probability: NDArray[np.floating], temperature: float) -> NDArray[np.float64]:
    """Return probabilities, of any shape, as they are at a temperature."""
    return np.asarray(expit(logits(probability) / temperature), np.float64)

"""Bias-corrected temperature scaling, applied: probabilities that mean what they say, in the same order.

Guo, Pleiss, Sun and Weinberger, "On Calibration of Modern Neural Networks", ICML 2017, section 4.2, divide logits by
a temperature. Alexandari, Kundaje and Shrikumar, "Maximum Likelihood with Bias-Corrected Calibration is
Hard-To-Beat at Label Shift Adaptation", ICML 2020, section 3, add a bias: a network that learned from as many low
images as high ones calls too many low where few are.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

_LEAST = 1e-7
"""Of the probabilities that have a logit: a network in half precision says 0 and 1."""


def logits(probability: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the logits of probabilities, of any shape."""
    return np.asarray(logit(np.clip(probability.astype(np.float64), _LEAST, 1 - _LEAST)), np.float64)


@dataclass(frozen=True, slots=True)
class Scaling:
    """What is done to the logit of low; by default, nothing."""

    temperature: float = 1.0
    """What the logit is divided by."""

    bias: float = 0.0
    """What is added then."""

    def __post_init__(self) -> None:
        if not self.temperature > 0:
            raise ValueError(f"a temperature is above 0, not {self.temperature}")

    def apply(self, probability: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return probabilities of low, of any shape, as they are after it."""
        return np.asarray(expit(logits(probability) / self.temperature + self.bias), np.float64)

    def then(self, other: Scaling) -> Scaling:
        """Return the one scaling that does what this and the other do one after the other."""
        return Scaling(self.temperature * other.temperature, self.bias / other.temperature + other.bias)

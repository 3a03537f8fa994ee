"""Where a probability becomes a verdict: thresholds for stated error rates, chosen on validation images."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Probabilities = NDArray[np.floating]
Labels = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class ErrorRates:
    """The errors that may happen without a person."""

    miss: float = 0.02
    """Low images called high / all low images."""

    false_alarm: float = 0.05
    """High images called low / all high images."""


DEFAULT_RATES = ErrorRates()

_BEYOND = 2e-6
"""Half of it outlasts the rounding of thresholds to six decimals."""


@dataclass(frozen=True, slots=True)
class Thresholds:
    """The three-way verdict: high below the review band, low from its end on, and a person in between."""

    decision: float
    """From here on an image is called low where no person looks; never outside the band."""

    review_band: tuple[float, float]
    """Without extent where the model is good enough to do without a person."""


def choose_thresholds(
    probability_low: Probabilities, low: Labels, rates: ErrorRates = DEFAULT_RATES
) -> Thresholds:
    """Choose thresholds on labelled validation images, (N,) each, with calibrated probabilities.

    The band begins where as many of the low images lie below as may be missed, and ends where as many of the high
    ones lie above as may be false alarms: a model with fewer errors leaves nothing between the two. The decision is
    one half, what calibrated probabilities mean by more likely low than not, or the limit next to it.

    Raises:
        ValueError: one of the two classes is missing.
    """
    if not low.any() or low.all():
        raise ValueError("thresholds need validation images of both classes")
    # Mirrored: missed is below, as falsely called is above. Minus rounds nothing, unlike one minus.
    # The ends lie just beyond all probabilities: what is 0 or 1 need not be told from what is allowed.
    least = -_reached_by(-probability_low, low, rates.miss, end=_BEYOND)
    greatest = _reached_by(probability_low, ~low, rates.false_alarm, end=1.0 + _BEYOND)
    decision = float(np.clip(0.5, min(least, greatest), max(least, greatest)))
    return Thresholds(decision, (least, greatest) if least < greatest else (decision, decision))


def _reached_by(score: Probabilities, chosen: Labels, rate: float, end: float) -> float:
    """Return the least threshold that at most this share of the chosen images reaches; no score is above `end`."""
    ordered = np.sort(score[chosen])[::-1]
    refused = float(ordered[int(rate * len(ordered))])
    # Half-way to the next image of either class: no image's rounding decides.
    return (refused + float(score[score > refused].min(initial=end))) / 2


def artifact_threshold(probability: Probabilities, present: Labels) -> float:
    """Return the probability from which naming an artifact has the best F1 score on validation images.

    0.5 where no validation image shows the artifact.
    """
    if not present.any():
        return 0.5
    order = np.argsort(-probability, kind="stable")
    hits = np.cumsum(present[order])
    f1 = 2 * hits / (np.arange(1, len(order) + 1) + present.sum())
    following = np.append(probability[order[1:]], 0.0)
    # No threshold parts equal probabilities.
    best = int(np.argmax(np.where(probability[order] > following, f1, 0.0)))
    return float((probability[order[best]] + following[best]) / 2)

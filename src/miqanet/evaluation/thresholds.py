"""Where a probability becomes a verdict: thresholds for stated error rates, chosen on validation images."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Probabilities = NDArray[np.floating]
Labels = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Thresholds:
    """From `decision` on an image is called low; within `review_band` a person should look."""

    decision: float
    review_band: tuple[float, float]


def choose_thresholds(
    probability_low: Probabilities,
    low: Labels,
    *,
    false_alarm_rate: float = 0.03,
    sure_false_alarm_rate: float = 0.01,
    miss_rate: float = 0.02,
) -> Thresholds:
    """Choose thresholds on labelled validation images, (N,) each.

    `decision` calls at most `false_alarm_rate` of the high images low. The review band reaches down to where
    no more than `miss_rate` of the low images lie below it, and up to where `sure_false_alarm_rate` of the high
    images lie above it; it always holds `decision`.

    Raises:
        ValueError: one of the two classes is missing.
    """
    if not low.any() or low.all():
        raise ValueError("thresholds need validation images of both classes")
    decision = _exceeded_by(probability_low[~low], false_alarm_rate)
    greatest = max(decision, _exceeded_by(probability_low[~low], sure_false_alarm_rate))
    least = min(decision, float(np.quantile(probability_low[low], miss_rate, method="lower")))
    return Thresholds(decision, (least, greatest))


def _exceeded_by(probabilities: Probabilities, rate: float) -> float:
    """Return a threshold that at most this share of the probabilities reaches."""
    ordered = np.sort(probabilities)[::-1]
    first_refused = float(ordered[int(rate * len(ordered))])
    allowed = ordered[ordered > first_refused]
    # Between the last one allowed and the first one not: neither side's rounding decides.
    return (float(allowed[-1] if allowed.size else 1.0) + first_refused) / 2


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

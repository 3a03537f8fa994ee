"""Simulated raters: eight people who see the same harm and do not draw the line at the same place.

The psychometric function of signal detection (D. M. Green and J. A. Swets, "Signal Detection Theory and
Psychophysics", 1966): a rater perceives the logarithm of the harm (Weber and Fechner) plus normal noise, and says
low where that is above a threshold of his or her own. So raters are unanimous on what is plain and differ near
harm 1, where their thresholds have their median. The spread of thresholds and the noise are as small as they may
be for a quarter of a database's images to get a split vote; what the raters do not agree on, no model can learn.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class SimulatedRater:
    """One rater's way to judge harm (`miqanet.artifacts.harm`)."""

    name: str
    threshold: float
    """The harm from which the rater rather says low than high."""

    noise: float
    """Standard deviation of what the rater perceives, in natural logarithms of harm."""

    def says_low(self, harm: float) -> float:
        """Return the probability that the rater calls an image of this harm low."""
        if harm <= 0:
            return 0.0
        return (1 + math.erf(math.log(harm / self.threshold) / (self.noise * math.sqrt(2)))) / 2


RATERS: tuple[SimulatedRater, ...] = (
    SimulatedRater("simulated-1", 0.58, 0.12),
    SimulatedRater("simulated-2", 0.73, 0.18),
    SimulatedRater("simulated-3", 0.85, 0.10),
    SimulatedRater("simulated-4", 0.96, 0.15),
    SimulatedRater("simulated-5", 1.04, 0.09),
    SimulatedRater("simulated-6", 1.18, 0.14),
    SimulatedRater("simulated-7", 1.37, 0.16),
    SimulatedRater("simulated-8", 1.72, 0.11),
)


def expected_vote(harm: float) -> float:
    """Return the share of raters who are expected to call an image low to which its artifacts do this harm."""
    return sum(rater.says_low(harm) for rater in RATERS) / len(RATERS)


def cast_votes(harm: float, rng: np.random.Generator) -> tuple[bool, ...]:
    """Return what each of `RATERS` says of an image of this harm: True for low."""
    return tuple(bool(rng.random() < rater.says_low(harm)) for rater in RATERS)

"""The answer to the one question, can a radiologist use this image: what every part of miqanet passes on."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray


class Quality(StrEnum):
    """The paper's two classes: low and high diagnostic quality."""

    LOW = "low"
    HIGH = "high"


@dataclass(frozen=True, slots=True)
class Finding:
    """An artifact that the image is suspected to show."""

    kind: str
    """A name from `miqanet.artifacts.KINDS`."""

    probability: float

    def __str__(self) -> str:
        return f"{self.kind}:{self.probability:.2f}"


@dataclass(frozen=True, eq=False, slots=True)
class Verdict:
    """The verdict on one image."""

    quality: Quality
    probability_low: float
    review: bool
    """True between the two review thresholds, where a person should look."""

    findings: tuple[Finding, ...]
    """Suspected artifacts, most probable first."""

    model_version: str
    threshold: float
    """The probability of low from which an image is called low."""

    heat_map: NDArray[np.float32] | None = field(default=None, repr=False)
    """(16, 16) class activation map of *low* over the letterboxed image; above 0 speaks for low."""

"""From a clean image to a labelled one: a healthy acquisition, artifacts of drawn severity, and their harm."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from miqanet.artifacts import ARTIFACTS, KINDS
from miqanet.artifacts.acquisition import Acquisition
from miqanet.artifacts.base import Artifact, Image
from miqanet.artifacts.harm import harm

_NUMBER_OF_ARTIFACTS = (0.12, 0.66, 0.17, 0.05)
"""Probability that an image carries none, one, two or three artifacts."""

_MILDEST, _WORST = 0.08, 1.3
"""Range of severity; drawn log-uniformly, it crosses the threshold of harm without a gap."""


@dataclass(frozen=True, eq=False, slots=True)
class Simulated:
    """A simulated image beside the same acquisition without artifacts."""

    reference: Image
    image: Image
    acquisition: Acquisition
    artifacts: tuple[Artifact, ...]
    harms: tuple[float, ...]
    """Harm of each artifact (`miqanet.artifacts.harm`); by the rule, 1 and above make the image low."""

    @property
    def low(self) -> bool:
        """Whether the image is of low diagnostic quality, by the rule of at least one artifact."""
        return any(h >= 1 for h in self.harms)


def simulate(
    clean: Image,
    rng: np.random.Generator,
    *,
    kinds: Sequence[str] = KINDS,
    scale: float = 1.0,
) -> Simulated:
    """Acquire `clean` (rows, columns) anew and spoil it with up to three artifacts of different `kinds`.

    `scale` multiplies the acquired matrix: a network that learns at half its final size has to be shown half
    the matrix, for artifacts to look as wide to its filters as they will in the end.
    """
    acquisition = Acquisition.draw(rng, clean.shape, scale)
    scanned = acquisition.scan(clean)
    count = min(int(rng.choice(4, p=_NUMBER_OF_ARTIFACTS)), len(kinds))
    artifacts: list[Artifact] = []
    harms: list[float] = []
    image = scanned
    for kind in rng.choice(kinds, size=count, replace=False):
        severity = float(np.exp(rng.uniform(np.log(_MILDEST), np.log(_WORST))))
        artifact = ARTIFACTS[str(kind)].draw(rng, image.shape).at(severity)
        before, image = image, artifact.apply(image)
        artifacts.append(artifact)
        harms.append(harm(artifact.kind, before, image))
    return Simulated(
        acquisition.show(scanned), acquisition.show(image), acquisition, tuple(artifacts), tuple(harms)
    )

"""The worst mistakes of a method: wrong verdicts, the surest first, and what they have in common."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np

from miqanet.database.records import ImageRecord
from miqanet.evaluation import strata
from miqanet.evaluation.rows import Row

SHOWN = 8
"""Of each kind: low called high, and high called low."""


@dataclass(frozen=True, slots=True)
class Mistake:
    """An image whose verdict is not its label."""

    image: ImageRecord
    probability_low: float

    @property
    def facts(self) -> str:
        """What explains it: how the raters voted, and what is wrong with the image."""
        harms = sorted(self.image.harms.items(), key=lambda each: -each[1])
        known = [f"{kind.replace('_', ' ')} {harm:.2f}" for kind, harm in harms]
        if self.image.low_votes is not None:
            known.insert(0, f"{100 * self.image.low_votes:.0f} % of votes low")
        return ", ".join(known)


def mistakes(row: Row, *, low: bool) -> list[Mistake]:
    """Return the images of a class that are called the other, the surest first."""
    probability = row.judged.probability_low
    wrong = np.flatnonzero((row.judged.low == low) & ((probability >= 0.5) != low))
    order = wrong[np.argsort(-np.abs(probability[wrong] - 0.5), kind="stable")]
    return [Mistake(row.images[place], float(probability[place])) for place in order]


def why(wrong: list[Mistake]) -> str:
    """Return in words what mistakes have in common; empty without any."""
    if not wrong:
        return ""
    said = [f"{len(wrong)} images"]
    votes = Counter(strata.votes(each.image) for each in wrong)
    if known := votes["split"] + votes["unanimous"]:
        said.append(f"{votes['split']} of {known} with a split vote")
    worst = [max(each.image.harms.values()) for each in wrong if each.image.harms]
    if worst:
        said.append(f"median harm of the worst artifact {np.median(worst):.2f} (raters differ most at 1)")
    kinds = Counter(strata.artifact(each.image) for each in wrong)
    named = [f"{str(kind).replace('_', ' ')} {count}" for kind, count in kinds.most_common(4) if kind]
    if named:
        said.append(f"worst artifact most often {', '.join(named)}")
    return "; ".join(said)

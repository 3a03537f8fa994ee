"""Labels out of votes: the majority of the raters, each by the latest vote not taken back; a tie is no label."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from miqanet.consensus import Ratings, majority
from miqanet.database.schema import Label, Rater, Vote
from miqanet.database.study_schema import TAKEN_BACK
from miqanet.verdict import Quality

MAJORITY = "majority of votes"
"""Provenance of a label that is derived from people's votes."""

SIMULATED_MAJORITY = "majority of simulated raters v1"
"""Provenance of a simulated label: `miqanet.database.raters` on the harm of `miqanet.artifacts.harm`."""

SIMULATED = frozenset({SIMULATED_MAJORITY, "simulated rule v1"})
"""Provenances of the labels that no person has given; the second is of the first revision's databases."""


@dataclass(frozen=True, slots=True)
class MajoritySummary:
    """What was not labelled by majority."""

    ties: Mapping[int, tuple[int, int]]
    """Of each image whose votes are tied, and which has no label: its votes for low, and in all."""

    left: frozenset[int]
    """Images that keep a label of another provenance, such as a study's: an image has one class."""


def majority_low(votes: Sequence[bool]) -> bool | None:
    """Return whether most votes say low; None for a tie, and without votes."""
    label = majority(Ratings.of([votes], categories=(0, 1))).values[0]
    return None if np.isnan(label) else bool(label)


def label_by_majority(session: Session, images: Iterable[int]) -> MajoritySummary:
    """Derive the labels of images from people's votes anew, but of those labelled by another procedure."""
    ties, left = {}, set()
    for image in images:
        if session.scalar(select(Label.id).where(Label.image_id == image, Label.provenance != MAJORITY)):
            left.add(image)
            continue
        query = (
            select(Vote.rater_id, Vote.quality)
            .join(Vote.rater)
            .where(Vote.image_id == image, Rater.simulated.is_(False), ~TAKEN_BACK)
            .order_by(Vote.id)
        )
        latest = {rater: quality is Quality.LOW for rater, quality in session.execute(query)}
        label = session.scalar(select(Label).filter_by(image_id=image, provenance=MAJORITY))
        low = majority_low(list(latest.values()))
        if low is None:
            if latest:
                ties[image] = sum(latest.values()), len(latest)
            if label is not None:
                session.delete(label)
            continue
        if label is None:
            label = Label(image_id=image, provenance=MAJORITY)
            session.add(label)
        label.quality = Quality.LOW if low else Quality.HIGH
        label.votes_for_low, label.votes_in_all = sum(latest.values()), len(latest)
    return MajoritySummary(ties, frozenset(left))

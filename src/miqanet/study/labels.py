"""From readings to the labels that training uses: the majority of the raters, and a senior reader for ties."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from sqlalchemy import Connection, delete, insert, select

from miqanet.consensus import majority, tabulate
from miqanet.database.schema import Image, Label
from miqanet.database.study_schema import Presentation, Purpose
from miqanet.study.protocol import Protocol
from miqanet.study.votes import consensus_votes, standing_readings
from miqanet.verdict import Quality

MAJORITY = "majority of the study's raters"
SENIOR_READER = "senior reader of the study"
"""Provenances of labels."""

_LOW, _HIGH = 0, 1

_RATED = select(Presentation.image_id).where(Presentation.purpose == Purpose.RATING)


@dataclass(frozen=True, slots=True)
class Tie:
    """An image that a senior reader has to decide."""

    image: str
    """Its file below the database's folder."""

    votes_for_low: int
    votes_in_all: int


@dataclass(frozen=True, slots=True)
class LabelSummary:
    """What was labelled."""

    low: int
    high: int
    decided: int
    """Of these, by a senior reader."""

    ties: tuple[Tie, ...]
    """Left without a label."""

    incomplete: int
    """Images with too few votes for a label."""


def write_labels(
    connection: Connection,
    protocol: Protocol,
    *,
    at_least: int | None = None,
    decisions: Mapping[str, Quality] | None = None,
    replace: bool = False,
) -> LabelSummary:
    """Derive the labels of a study's images anew from the first readings that stand.

    An image needs as many votes as the protocol asks for, or `at_least` so many. A senior reader's decision, by
    the image's path, holds until the image has enough votes and is not tied. Labels of another provenance are
    deleted with `replace`; votes never are.

    Raises:
        ValueError: an image has a label of another provenance, or a decision is on an image that is not tied.
    """
    numbers = {path: number for number, path in _images(connection)}
    earlier = _earlier_labels(connection)
    others = {label.provenance for label in earlier}.difference((MAJORITY, SENIOR_READER))
    if others and not replace:
        raise ValueError(
            f"images of the study have labels by {', '.join(sorted(others))} already; replace them, or make "
            "another database: an image has one class"
        )
    ratings = tabulate(consensus_votes(standing_readings(connection), protocol.high), (_LOW, _HIGH))
    ratings = ratings.take(np.flatnonzero(ratings.given.sum(axis=1) >= (at_least or protocol.per_image)))
    labels = majority(ratings)
    tied = set(labels.to_adjudicate)
    decided = {each.path: each.quality for each in earlier if each.provenance == SENIOR_READER}
    decided = {path: quality for path, quality in decided.items() if path in tied} | dict(decisions or {})
    labels = labels.decided(
        {path: _HIGH if quality is Quality.HIGH else _LOW for path, quality in decided.items()}
    )
    rows, ties = [], []
    for path, value, counts in zip(labels.items, labels.values, ratings.counts, strict=True):
        votes_for_low, votes_in_all = int(counts[_LOW]), int(counts.sum())
        if np.isnan(value):
            ties.append(Tie(path, votes_for_low, votes_in_all))
            continue
        by_vote = path not in decided
        rows.append(
            {
                "image_id": numbers[path],
                "quality": Quality.HIGH if value == _HIGH else Quality.LOW,
                "provenance": MAJORITY if by_vote else SENIOR_READER,
                "votes_for_low": votes_for_low if by_vote else None,
                "votes_in_all": votes_in_all if by_vote else None,
            }
        )
    # What a senior reader has decided of images that lack votes now may hold again when they have them.
    kept = {
        numbers[each.path]: each.quality
        for each in earlier
        if each.provenance == SENIOR_READER and each.path not in labels.items
    }
    connection.execute(delete(Label).where(Label.image_id.in_(_RATED), Label.image_id.not_in(kept)))
    if rows:
        connection.execute(insert(Label), rows)
    qualities = [*(row["quality"] for row in rows), *kept.values()]
    low = sum(quality is Quality.LOW for quality in qualities)
    incomplete = len(numbers) - len(labels.items) - len(kept)
    return LabelSummary(low, len(qualities) - low, len(decided) + len(kept), tuple(ties), incomplete)


def _images(connection: Connection) -> list[tuple[int, str]]:
    rows = connection.execute(select(Image.id, Image.path).where(Image.id.in_(_RATED)))
    return [(row.id, row.path) for row in rows]


@dataclass(frozen=True, slots=True)
class _EarlierLabel:
    path: str
    quality: Quality
    provenance: str


def _earlier_labels(connection: Connection) -> list[_EarlierLabel]:
    query = (
        select(Image.path, Label.quality, Label.provenance)
        .join(Label, Label.image_id == Image.id)
        .where(Image.id.in_(_RATED))
    )
    return [_EarlierLabel(*row) for row in connection.execute(query)]

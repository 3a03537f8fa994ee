"""How far a study is, and how well its raters agree so far: for the administrator, never for raters."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from sqlalchemy import Connection, func, select

from miqanet.consensus import (
    fleiss_kappa,
    gwet_ac1,
    krippendorff_alpha,
    majority,
    percent_agreement,
    repeated_readings,
    tabulate,
)
from miqanet.database.study_schema import Participant, Presentation, Purpose
from miqanet.study.protocol import Protocol
from miqanet.study.votes import Standing, consensus_votes, standing_readings, utc


@dataclass(frozen=True, slots=True)
class RaterProgress:
    """How far one rater is."""

    rater: str
    done: int
    total: int
    """Images to be judged, training and repeats included."""

    votes_per_minute: float | None
    """By the median of the time that images were looked at."""

    low_share: float | None
    last_vote: str | None
    """ISO 8601, UTC."""

    intra_rater_agreement: float | None
    """Share of repeats that were judged as the first time."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far all are."""

    study: str
    raters: tuple[RaterProgress, ...]
    agreement: dict[str, float | None]
    images_complete: int
    """Judged by all who are asked for them."""

    images: int
    ties: int
    """Of complete images, those for a senior reader."""

    def as_json(self) -> dict[str, Any]:
        """Return plain lists, dictionaries, texts and numbers."""
        return asdict(self)


def progress(connection: Connection, protocol: Protocol) -> Progress:
    """Return how far a study is."""
    readings = standing_readings(connection)
    by_rater: defaultdict[str, list[Standing]] = defaultdict(list)
    for each in readings:
        by_rater[each.rater].append(each)
    participants = connection.execute(
        select(Participant.name, Participant.done, Participant.total)
        .where(Participant.rater_id.is_not(None))
        .order_by(Participant.name)
    ).all()
    images = connection.scalar(
        select(func.count(Presentation.image_id.distinct())).where(Presentation.purpose == Purpose.RATING)
    )
    graded = tabulate(consensus_votes(readings, protocol.grades), tuple(protocol.grades.values()))
    judged = tabulate(consensus_votes(readings, protocol.high), (0, 1))
    complete = judged.take(np.flatnonzero(judged.given.sum(axis=1) == protocol.per_image))
    return Progress(
        protocol.name,
        tuple(_rater(*row, by_rater[row.name], protocol) for row in participants),
        {
            "percent": _defined(percent_agreement(graded)),
            "fleiss_kappa": _defined(fleiss_kappa(graded)),
            "alpha": _defined(krippendorff_alpha(graded, "ordinal")),
            "ac1": _defined(gwet_ac1(graded)),
        },
        len(complete),
        images or 0,
        len(majority(complete).to_adjudicate),
    )


def _rater(name: str, done: int, total: int, readings: list[Standing], protocol: Protocol) -> RaterProgress:
    first = [each for each in readings if each.purpose is Purpose.RATING]
    seconds = [each.dwell_ms / 1000 for each in readings]
    votes = consensus_votes(readings, protocol.grades)
    repeated = repeated_readings(votes, name, tuple(protocol.grades.values()))
    return RaterProgress(
        name,
        done,
        total,
        60 / median if seconds and (median := float(np.median(seconds))) > 0 else None,
        sum(not protocol.high[each.category] for each in first) / len(first) if first else None,
        utc(max(each.cast_at for each in readings)).isoformat() if readings else None,
        _defined(percent_agreement(repeated)),
    )


def _defined(figure: float) -> float | None:
    return None if math.isnan(figure) else figure

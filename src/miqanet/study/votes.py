"""The readings of a study as `miqanet.consensus` takes them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection, func, select

from miqanet.consensus import Vote
from miqanet.database.schema import Image
from miqanet.database.study_schema import Participant, Presentation, Purpose, Reading


@dataclass(frozen=True, slots=True)
class Standing:
    """The reading that stands for a presentation: the latest, unless it was undone."""

    image: int
    path: str
    rater: str
    purpose: Purpose
    position: int
    category: str
    dwell_ms: int
    cast_at: datetime


def standing_readings(connection: Connection) -> list[Standing]:
    """Return what every rater says of every image that he or she was asked for, training left out."""
    latest = select(func.max(Reading.id)).group_by(Reading.presentation_id)
    query = (
        select(
            Image.id,
            Image.path,
            Participant.name,
            Presentation.purpose,
            Presentation.position,
            Reading.category,
            Reading.dwell_ms,
            Reading.cast_at,
        )
        .join(Presentation, Presentation.id == Reading.presentation_id)
        .join(Participant, Participant.id == Presentation.participant_id)
        .join(Image, Image.id == Presentation.image_id)
        .where(
            Reading.id.in_(latest),
            Presentation.purpose != Purpose.TRAINING,
            Presentation.position < Participant.done,
        )
        .order_by(Reading.id)
    )
    return [Standing(*row) for row in connection.execute(query)]


def consensus_votes(readings: Iterable[Standing], values: Mapping[str, int]) -> list[Vote]:
    """Return readings as votes, categories as numbers; items are the paths of images."""
    return [
        Vote(each.path, each.rater, values[each.category], each.position, each.dwell_ms / 1000)
        for each in readings
    ]


def utc(moment: datetime) -> datetime:
    """Return a time of the database's with its zone: SQLite keeps UTC without saying so."""
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)

"""What a rater sees next, and what becomes of a judgement.

What is shown to a rater never changes and is read once; where the rater stands is kept with every judgement, in the
same transaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select, update

from miqanet.database.schema import Image, Vote
from miqanet.database.study_schema import Participant, Presentation, Purpose, Reading
from miqanet.study.group_commit import Refused
from miqanet.study.protocol import Protocol


@dataclass(frozen=True, slots=True)
class Shown:
    """An image in a rater's order."""

    presentation: int
    image: int
    path: str
    """Below the database's folder."""

    rows: int
    columns: int
    purpose: Purpose

    def as_json(self) -> dict[str, Any]:
        """Return what the page may know: a repeat is like any other, and there is no name."""
        return {
            "presentation": self.presentation,
            "pixels": f"/api/pixels/{self.presentation}",
            "rows": self.rows,
            "columns": self.columns,
        }


@dataclass(frozen=True, slots=True)
class Place:
    """Where a rater stands."""

    done: int
    """Images judged: the position of the current one."""

    reached: int
    """The most that `done` has been."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a rater says of the current image."""

    presentation: int
    submission: str
    category: str
    tags: tuple[str, ...]
    confidence: int | None
    dwell_ms: int
    view: dict[str, Any]


def order_of(connection: Connection, participant: int) -> tuple[Shown, ...]:
    """Return what is shown to a rater, in order."""
    query = (
        select(Presentation.id, Image.id, Image.path, Image.rows, Image.columns, Presentation.purpose)
        .join(Image, Image.id == Presentation.image_id)
        .where(Presentation.participant_id == participant)
        .order_by(Presentation.position)
    )
    return tuple(Shown(*row) for row in connection.execute(query))


def place_of(connection: Connection, participant: int) -> Place:
    """Return where a rater stands."""
    query = select(Participant.done, Participant.reached).where(Participant.id == participant)
    return Place(*connection.execute(query).one())


def work_at(place: Place, order: Sequence[Shown], protocol: Protocol) -> dict[str, Any]:
    """Return the work ahead as the page gets it; the count is of training while that lasts, else of rating."""
    done, trained = place.done, len(protocol.training)
    training = done < trained
    current, following = (order[at].as_json() if at < len(order) else None for at in (done, done + 1))
    return {
        "current": current,
        "next": following,
        "done": done if training else done - trained,
        "total": trained if training else len(order) - trained,
        "training": training,
        "can_undo": _can_undo(place, protocol),
    }


def visible(place: Place, order: Sequence[Shown]) -> Sequence[Shown]:
    """Return what a rater may look at: the current image, the next, and the last, which an undo shows again."""
    return order[max(0, place.done - 1) : place.done + 2]


def judge(
    connection: Connection,
    participant: int,
    order: Sequence[Shown],
    protocol_id: int,
    protocol: Protocol,
    judgement: Judgement,
    now: datetime,
) -> tuple[Place, dict[str, Any] | None]:
    """Keep a judgement of the current image; return where the rater stands then, and the feedback in training.

    A submission that was kept before is not kept again, and gets the same answer.

    Raises:
        Refused: another image is current.
    """
    state = _locked(connection, participant, judgement.submission)
    place = state.place
    if state.kept_presentation is not None and state.kept_category is not None:
        kept = next((each for each in order if each.presentation == state.kept_presentation), None)
        if kept is None:
            raise Refused("This submission is not yours.")
        return place, _feedback(protocol, kept, state.kept_category)
    if place.done >= len(order) or order[place.done].presentation != judgement.presentation:
        raise Refused("Another image is current by now. Load the page again.")
    shown = order[place.done]
    vote_id = None
    if shown.purpose is Purpose.RATING:
        quality = protocol.category(judgement.category).quality
        vote_id = connection.scalar(
            insert(Vote).returning(Vote.id),
            {"image_id": shown.image, "rater_id": state.rater, "quality": quality, "cast_at": now},
        )
    connection.execute(
        insert(Reading),
        {
            "presentation_id": judgement.presentation,
            "protocol_id": protocol_id,
            "vote_id": vote_id,
            "submission": judgement.submission,
            "category": judgement.category,
            "tags": list(judgement.tags),
            "confidence": judgement.confidence,
            "dwell_ms": judgement.dwell_ms,
            "view": judgement.view,
            "cast_at": now,
        },
    )
    place = Place(place.done + 1, max(place.done + 1, place.reached))
    _move(connection, participant, place)
    return place, _feedback(protocol, shown, judgement.category)


def undo(connection: Connection, participant: int, protocol: Protocol) -> Place:
    """Go back to the image that was judged last; the judgement stays on record.

    Raises:
        Refused: nothing was judged since the last undo, or since the training.
    """
    reached = _locked(connection, participant).place
    if not _can_undo(reached, protocol):
        raise Refused("There is nothing to undo.")
    place = Place(reached.done - 1, reached.reached)
    _move(connection, participant, place)
    return place


def _can_undo(place: Place, protocol: Protocol) -> bool:
    return len(protocol.training) < place.done == place.reached


@dataclass(frozen=True, slots=True)
class _State:
    """What a judgement is measured by."""

    rater: int | None
    place: Place
    kept_presentation: int | None
    kept_category: str | None


def _locked(connection: Connection, participant: int, submission: str | None = None) -> _State:
    """Return where a participant stands, and what was kept of a submission; nobody else moves him meanwhile."""
    query = (
        select(
            Participant.rater_id,
            Participant.done,
            Participant.reached,
            Reading.presentation_id,
            Reading.category,
        )
        .outerjoin(Reading, Reading.submission == submission)
        .where(Participant.id == participant)
        .with_for_update(of=Participant)
    )
    rater, done, reached, presentation, category = connection.execute(query).one()
    return _State(rater, Place(done, reached), presentation, category)


def _move(connection: Connection, participant: int, place: Place) -> None:
    values = {"done": place.done, "reached": place.reached}
    connection.execute(update(Participant).where(Participant.id == participant).values(values))


def _feedback(protocol: Protocol, shown: Shown, category: str) -> dict[str, Any] | None:
    """Return what is told of a judgement: nothing, but in training."""
    if shown.purpose is not Purpose.TRAINING:
        return None
    known = next(each for each in protocol.training if each.image == shown.image)
    return {"expected": known.expected, "correct": category == known.expected, "text": known.text}

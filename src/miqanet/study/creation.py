"""Beginning a study: its protocol, who takes part, and what each of them will see in which order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from sqlalchemy import Connection, Engine, insert, select

from miqanet.database.schema import Image, Rater
from miqanet.database.study_schema import Participant, Presentation, ProtocolRow, Purpose
from miqanet.study.design import assign, showing_order
from miqanet.study.protocol import Protocol
from miqanet.study.raters_file import Invitee
from miqanet.web.tokens import new_token, token_hash


class StudyExistsError(Exception):
    """The database has a study already."""


@dataclass(frozen=True, slots=True)
class Invitation:
    """What a participant signs in with; known only now."""

    name: str
    administrator: bool
    token: str
    images: int
    """To be judged, training and repeats included."""


def create_study(
    engine: Engine, protocol: Protocol, invitees: Sequence[Invitee], now: datetime
) -> list[Invitation]:
    """Begin a study of all images of a database, in one transaction.

    Raises:
        StudyExistsError: there is one.
        ValueError: there are too few raters or images, or a rater is a simulated one.
    """
    with engine.begin() as connection:
        if connection.scalar(select(ProtocolRow.id).limit(1)) is not None:
            raise StudyExistsError("the database has a study already, and its votes; make another database")
        images = _images_to_rate(connection, protocol)
        raters = [each for each in invitees if not each.administrator]
        rng = np.random.default_rng(protocol.seed)
        judged = assign(len(images), len(raters), protocol.per_image, rng)
        connection.execute(
            insert(ProtocolRow),
            {"version": protocol.version, "created_at": now, "content": protocol.as_json()},
        )
        invitations = []
        for each in invitees:
            shown: list[dict[str, Any]] = []
            rater_id = None
            if not each.administrator:
                own = [images[place] for place in np.flatnonzero(judged[:, raters.index(each)])]
                shown = _presentations(protocol, own, rng)
                rater_id = _rater(connection, each.name)
            token = new_token()
            participant = connection.scalar(
                insert(Participant).returning(Participant.id),
                {
                    "name": each.name,
                    "rater_id": rater_id,
                    "invitation_hash": token_hash(token),
                    "total": len(shown),
                    "done": 0,
                    "reached": 0,
                },
            )
            if shown:
                # Returned to nobody: what is returned is inserted many rows at a time on a server, too.
                rows = [{**row, "participant_id": participant} for row in shown]
                connection.execute(insert(Presentation).returning(Presentation.id), rows)
            invitations.append(Invitation(each.name, each.administrator, token, len(shown)))
    return invitations


def _images_to_rate(connection: Connection, protocol: Protocol) -> list[int]:
    known = list(connection.scalars(select(Image.id).order_by(Image.id)))
    training = {each.image for each in protocol.training}
    if not training <= set(known):
        raise ValueError("a training image is not in the database")
    images = [image for image in known if image not in training]
    if not images:
        raise ValueError("the database has no images to rate; add some with `miqanet database import`")
    return images


def _presentations(
    protocol: Protocol, images: Sequence[int], rng: np.random.Generator
) -> list[dict[str, Any]]:
    shown = [(each.image, Purpose.TRAINING) for each in protocol.training]
    shown += [
        (image, Purpose.REPEAT if repeat else Purpose.RATING)
        for image, repeat in showing_order(images, protocol.repeats, rng)
    ]
    return [
        {"position": position, "image_id": image, "purpose": purpose}
        for position, (image, purpose) in enumerate(shown)
    ]


def _rater(connection: Connection, name: str) -> int:
    """Return the rater of a name, a new one unless votes of his or hers were imported."""
    known = connection.execute(select(Rater.id, Rater.simulated).where(Rater.name == name)).first()
    if known is None:
        return connection.execute(
            insert(Rater).returning(Rater.id), {"name": name, "simulated": False}
        ).scalar_one()
    if known.simulated:
        raise ValueError(f"{name} is the name of a simulated rater; choose another")
    return int(known.id)


def protocol_in_force(connection: Connection) -> tuple[int, Protocol]:
    """Return the newest version of the protocol, with its number.

    Raises:
        ValueError: the database has no study.
    """
    row = connection.execute(
        select(ProtocolRow.id, ProtocolRow.content).order_by(ProtocolRow.id.desc()).limit(1)
    ).first()
    if row is None:
        raise ValueError("the database has no study; begin one with `miqanet study create`")
    return row.id, Protocol.from_json(row.content)

"""The tables of the subjective study: its protocol, who takes part, what is shown to whom, and every reading.

A reading is never changed or deleted: triggers refuse that. One that counts as its rater's judgement is also a row of
`votes`; training images and hidden repeats are not, lest a second look replace the first.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, DateTime, Enum, ForeignKey, UniqueConstraint, exists
from sqlalchemy.orm import Mapped, mapped_column

from miqanet.database.schema import Base, Vote


class Purpose(StrEnum):
    """What an image is shown for."""

    TRAINING = "training"
    RATING = "rating"
    REPEAT = "repeat"
    """The same image once more, unannounced."""


PURPOSE = Enum(
    Purpose,
    name="purpose",
    native_enum=False,
    create_constraint=True,
    length=8,
    values_callable=lambda kinds: [str(kind) for kind in kinds],
)


class ProtocolRow(Base):
    """A version of the protocol; the newest is in force."""

    __tablename__ = "protocols"

    id: Mapped[int] = mapped_column(primary_key=True)
    version: Mapped[str] = mapped_column(unique=True)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    content: Mapped[dict[str, Any]] = mapped_column(JSON)
    """The fields of `miqanet.study.protocol.Protocol`."""


class Participant(Base):
    """Someone who was invited: a rater, or the administrator, who does not rate."""

    __tablename__ = "participants"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    """A pseudonym, the same as the rater's."""
    rater_id: Mapped[int | None] = mapped_column(ForeignKey("raters.id"), unique=True)
    """None for the administrator."""
    invitation_hash: Mapped[str] = mapped_column(unique=True)
    """SHA-256 of the token in the invitation link, hexadecimal."""
    total: Mapped[int]
    """Images to be shown, training and repeats included."""
    done: Mapped[int]
    """Images judged: the position of the current one."""
    reached: Mapped[int]
    """The most that `done` has been; one more than it after an undo."""


class Presentation(Base):
    """An image to be shown to a participant, in the order that was drawn for him or her."""

    __tablename__ = "presentations"
    __table_args__ = (UniqueConstraint("participant_id", "position"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    participant_id: Mapped[int] = mapped_column(ForeignKey("participants.id"))
    position: Mapped[int]
    """From 0."""
    image_id: Mapped[int] = mapped_column(ForeignKey("images.id"))
    purpose: Mapped[Purpose] = mapped_column(PURPOSE)


class Reading(Base):
    """One judgement of one presentation. The latest is the one that counts."""

    __tablename__ = "readings"

    id: Mapped[int] = mapped_column(primary_key=True)
    """Rises in the order in which readings were committed."""
    presentation_id: Mapped[int] = mapped_column(ForeignKey("presentations.id"), index=True)
    protocol_id: Mapped[int] = mapped_column(ForeignKey("protocols.id"))
    vote_id: Mapped[int | None] = mapped_column(ForeignKey("votes.id"), unique=True)
    """The vote that it is; training and repeats are none."""
    submission: Mapped[str] = mapped_column(unique=True)
    """UUID that the page gave it: what is sent twice is kept once."""
    category: Mapped[str]
    """The value of the protocol's category."""
    tags: Mapped[list[str]] = mapped_column(JSON)
    confidence: Mapped[int | None]
    dwell_ms: Mapped[int]
    """How long the image was in sight, as the page measured it."""
    view: Mapped[dict[str, Any]] = mapped_column(JSON)
    """Window and zoom when the verdict was given: level, width, zoom, inverted, background_boost."""
    cast_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class StudySession(Base):
    """A browser in which a participant has signed in."""

    __tablename__ = "study_sessions"

    id: Mapped[int] = mapped_column(primary_key=True)
    participant_id: Mapped[int] = mapped_column(ForeignKey("participants.id"), index=True)
    token_hash: Mapped[str] = mapped_column(unique=True)
    """SHA-256 of the token in the cookie, hexadecimal."""
    expires_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


TAKEN_BACK = exists().where(
    Reading.vote_id == Vote.id,
    Presentation.id == Reading.presentation_id,
    Participant.id == Presentation.participant_id,
    Presentation.position >= Participant.done,
)
"""Whether a vote, in a query of votes, was undone in the rating room and its image not judged again since."""

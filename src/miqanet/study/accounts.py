"""Who may come in: invitations, sessions, and to whom they belong. Only hashes of their tokens are kept."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select, update

from miqanet.database.study_schema import Participant, StudySession
from miqanet.web.sessions import LIFETIME
from miqanet.web.tokens import new_token, token_hash


@dataclass(frozen=True, slots=True)
class Account:
    """A participant who has signed in."""

    id: int
    name: str
    administrator: bool


def invite(connection: Connection, name: str) -> str:
    """Return a new invitation of a participant; the earlier one and all sessions end.

    Raises:
        ValueError: there is no such participant.
    """
    participant = connection.scalar(select(Participant.id).where(Participant.name == name))
    if participant is None:
        raise ValueError(f"nobody in the study is called {name}")
    token = new_token()
    connection.execute(
        update(Participant).where(Participant.id == participant).values(invitation_hash=token_hash(token))
    )
    connection.execute(delete(StudySession).where(StudySession.participant_id == participant))
    return token


def invited(connection: Connection, invitation: str) -> int | None:
    """Return the id of the participant an invitation is of; None if it is not, or no longer, valid."""
    return connection.scalar(
        select(Participant.id).where(Participant.invitation_hash == token_hash(invitation))
    )


def begin_session(connection: Connection, invitation: str, now: datetime) -> str | None:
    """Return the token of a new session; None if the invitation is not, or no longer, valid.

    An invitation can be used again, on any machine. Sessions that have expired are forgotten on the way.
    """
    participant = invited(connection, invitation)
    if participant is None:
        return None
    token = new_token()
    connection.execute(delete(StudySession).where(StudySession.expires_at < now))
    connection.execute(
        insert(StudySession),
        {"participant_id": participant, "token_hash": token_hash(token), "expires_at": now + LIFETIME},
    )
    return token


def end_session(connection: Connection, token: str) -> None:
    """Let a session's token be of no use any more."""
    connection.execute(delete(StudySession).where(StudySession.token_hash == token_hash(token)))


def account(connection: Connection, token: str, now: datetime) -> Account | None:
    """Return to whom a session belongs."""
    row = connection.execute(
        select(Participant.id, Participant.name, Participant.rater_id)
        .join(StudySession, StudySession.participant_id == Participant.id)
        .where(StudySession.token_hash == token_hash(token), StudySession.expires_at >= now)
    ).first()
    return None if row is None else Account(row.id, row.name, row.rater_id is None)

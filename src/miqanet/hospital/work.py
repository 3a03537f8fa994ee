"""Taking work from rows that wait, so that a kill at any moment loses nothing and repeats nothing that was
done.

Who takes a row moves the time at which it is due beyond the lease; who dies leaves it to come due again.
Each function is one statement that begins with a write: on SQLite a transaction that reads first cannot
always write afterwards.
"""

from __future__ import annotations

from functools import cache
from typing import Final

from sqlalchemy import ColumnElement, bindparam, select, update
from sqlalchemy.orm import Session
from sqlalchemy.sql.dml import ReturningUpdate

from miqanet.hospital.node_schema import AuditMessage, Image, Send, WorkState
from miqanet.hospital.statements import table

WorkRow = type[Image] | type[Send] | type[AuditMessage]

LONGEST_WAIT_SECONDS: Final = 300.0


def take(
    session: Session,
    row: WorkRow,
    now: float,
    lease_seconds: float,
    limit: int,
    *conditions: ColumnElement[bool],
) -> list[int]:
    """Take rows that are due, the longest waiting first, and return their ids; nobody else gets them meanwhile.

    `conditions` narrow down which rows are taken.
    """
    due = (
        select(row.id)
        .where(row.state == WorkState.WAITING, row.due <= now, *conditions)
        .order_by(row.due, row.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
        # Asked once: a subquery PostgreSQL may ask several times, and be given other rows each time.
        .cte("due")
    )
    taken = session.scalars(
        update(row)
        .where(row.id.in_(select(due.c.id)))
        .values(due=now + lease_seconds, attempts=row.attempts + 1)
        .returning(row.id)
        .execution_options(synchronize_session=False)
    )
    return sorted(taken)


def finish(session: Session, row: WorkRow, row_id: int) -> bool:
    """Mark a row as done; return whether it was not done before."""
    done = session.scalar(_finishing(row), {"row_id": row_id})
    return done is not None


@cache
def _finishing(row: WorkRow) -> ReturningUpdate[tuple[int]]:
    rows = table(row)
    waiting = rows.c.id == bindparam("row_id"), rows.c.state == WorkState.WAITING
    return update(rows).where(*waiting).values(state=WorkState.DONE).returning(rows.c.id)


def postpone(session: Session, row: WorkRow, row_id: int, until: float) -> None:
    """Let a row wait until a time."""
    session.execute(update(row).where(row.id == row_id).values(due=until))


def release(session: Session, row: WorkRow, now: float) -> None:
    """Let all rows that wait be due now: when those who work on them start, and nobody can be at it."""
    session.execute(update(row).where(row.state == WorkState.WAITING, row.due > now).values(due=now))


def backoff_seconds(attempts: int) -> float:
    """Return how long to wait after so many failed attempts: 2, 4, 8 ... seconds, at most five minutes."""
    return min(LONGEST_WAIT_SECONDS, 2.0 ** min(attempts, 30))

"""Handing audit messages to their target: those that it has are forgotten, others are tried again.

A message is handed over at least once: a kill after the target has it and before the row is gone repeats it.
"""

from __future__ import annotations

import logging
from typing import Final

from sqlalchemy import Engine, delete, select
from sqlalchemy.orm import Session

from miqanet.hospital import work
from miqanet.hospital.audit_syslog import Target, host_name, syslog_line
from miqanet.hospital.node_schema import AuditMessage

_AT_ONCE: Final = 100
_LEASE_SECONDS: Final = 60.0

log = logging.getLogger(__name__)


class AuditDelivery:
    """Takes messages from the node's database to their target, oldest first.

    Args:
        engine: of a node database at the newest revision.
        target: where they go.
    """

    def __init__(self, engine: Engine, target: Target) -> None:
        self._engine, self._target = engine, target
        self._host = host_name()

    def deliver(self, now: float) -> int:
        """Hand over some of the messages that are due, and return how many: 0 where nothing can be done now."""
        with Session(self._engine) as session, session.begin():
            taken = work.take(session, AuditMessage, now, _LEASE_SECONDS, _AT_ONCE)
            messages = session.scalars(
                select(AuditMessage).where(AuditMessage.id.in_(taken)).order_by(AuditMessage.id)
            ).all()
            lines = [syslog_line(message.content, message.created, self._host) for message in messages]
            attempts = max((message.attempts for message in messages), default=0)
        if not lines:
            return 0
        try:
            self._target.write(lines)
        except OSError as error:
            reason = error.strerror or type(error).__name__
            log.warning("the audit trail's target does not answer: %s", reason)
            with Session(self._engine) as session, session.begin():
                for message_id in taken:
                    work.postpone(session, AuditMessage, message_id, now + work.backoff_seconds(attempts))
            return 0
        with Session(self._engine) as session, session.begin():
            session.execute(delete(AuditMessage).where(AuditMessage.id.in_(taken)))
        return len(taken)

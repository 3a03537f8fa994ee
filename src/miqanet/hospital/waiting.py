"""Associations that wait instead of looking around a thousand times a second.

pynetdicom's two threads of an association sleep one millisecond, look for work, and sleep again. Fifty silent
associations cost a processor that way, and the one that sends gets its turn so rarely that it takes ten times
as long. Here the one thread waits for its socket, the other for its queue. And pynetdicom receives 4096 bytes at
a time: a hundred system calls an image, after each of which all threads contend for the interpreter.
"""

from __future__ import annotations

import queue
import select
import socket
from contextlib import suppress
from functools import partial
from typing import Any, Final

from pynetdicom.dimse import DIMSEServiceProvider
from pynetdicom.dul import DULServiceProvider

_RECEIVED_AT_ONCE: Final = 2**18
_LONGEST_SECONDS: Final = 0.1
"""After which timers are looked at, and the end of an association is seen."""


def let_wait(association: Any) -> None:
    """Make an association that has not begun yet wait for its work."""
    before = association.dul
    association.dul, association.dimse = _Dul(association), _Dimse(association)
    # The connection, and the event that it has been made.
    association.dul.socket, association.dul.event_queue = before.socket, before.event_queue
    before.socket.recv = partial(_receive, before.socket)
    # The timers are the provider's, and set through the association.
    association.acse_timeout = association.acse_timeout
    association.network_timeout = association.network_timeout


def _receive(connection: Any, length: int) -> bytearray:
    """Return so many bytes of a connection, or fewer where it ends before.

    Room is made as they come: a peer may announce more than there is memory.
    """
    content = bytearray()
    while len(content) < length:
        received = connection.socket.recv(min(length - len(content), _RECEIVED_AT_ONCE))
        if not received:
            break
        content += received
    return content


class _Dul(DULServiceProvider):  # type: ignore[misc]  # pynetdicom has no types
    """Reads what the peer sends and sends what the association says."""

    def __init__(self, association: Any) -> None:
        super().__init__(association)
        self._woken, self._waker = socket.socketpair()

    def run_reactor(self) -> None:
        """Work until the association ends."""
        connection = self.socket.socket
        try:
            super().run_reactor()
        finally:
            # pynetdicom leaves it open where the peer has closed it first.
            for each in (connection, self._woken, self._waker):
                if each is not None:
                    each.close()

    def send_pdu(self, primitive: Any) -> None:
        """Send something to the peer: at once, not when that next says something."""
        super().send_pdu(primitive)
        # Closed where the connection has ended; nobody is left to be woken.
        with suppress(OSError):
            self._waker.send(b"\0")

    def _is_transport_event(self) -> bool:
        connection = self.socket.socket if self.socket else None
        if connection is not None and self.event_queue.empty() and not self.socket.ready:
            woken, _, _ = select.select([connection, self._woken], [], [], _LONGEST_SECONDS)
            if self._woken in woken:
                self._woken.recv(4096)
        return bool(super()._is_transport_event())


class _Dimse(DIMSEServiceProvider):  # type: ignore[misc]
    """Puts messages together."""

    def get_msg(self, block: bool = False) -> Any:
        """Return the next message, or a pair of None if none comes for a while."""
        if block:
            return super().get_msg(block)
        try:
            return self.msg_queue.get(timeout=_LONGEST_SECONDS / 2)
        except queue.Empty:
            return None, None

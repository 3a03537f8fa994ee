"""Sending documents to an archive, again and again until it has them.

While an archive cannot be reached, all that is for it waits, ever longer. What it refuses is tried again by
itself, and holds up nothing else; nor does a document at which it breaks off each time.
"""

from __future__ import annotations

import logging
from collections import Counter, deque
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from typing import Final

from pydicom import Dataset

from miqanet.hospital.c_store import c_store_session
from miqanet.hospital.config import Archive, CStoreArchive
from miqanet.hospital.delivery_errors import RefusedError, UnreachableError
from miqanet.hospital.drafts import build
from miqanet.hospital.outbox import Outbox, TakenSend
from miqanet.hospital.pictures import Pictures
from miqanet.hospital.settings_table import ConfigError
from miqanet.hospital.store import NodeStore
from miqanet.hospital.stow_client import stow_session
from miqanet.hospital.work import backoff_seconds

LEASE_SECONDS: Final = 3600.0
BATCH: Final = 16
"""Documents sent by one connection."""

IDLE_SECONDS: Final = 0.5

Session = Callable[[Dataset], None]
"""Sends one document; raises `RefusedError` or `UnreachableError`."""

log = logging.getLogger(__name__)


class PictureGoneError(Exception):
    """The picture of a heat map was deleted with the pixels."""


def connect(archive: Archive, ae_title: str) -> AbstractContextManager[Session]:
    """Return a connection to an archive, by the protocol that it takes."""
    if isinstance(archive, CStoreArchive):
        return c_store_session(archive, ae_title)
    return stow_session(archive)


class Writer:
    """Makes documents of rows: of the same rows the same document."""

    def __init__(self, outbox: Outbox, store: NodeStore, pictures: Pictures) -> None:
        self._outbox = outbox
        self._store = store
        self._pictures = pictures

    def __call__(self, document_id: int) -> Dataset:
        """Return a document.

        Raises:
            PictureGoneError: it is a heat map, and too old.
        """
        draft = self._outbox.draft(document_id)
        if draft.shown is None:
            return build(draft)
        picture = self._pictures.get(self._store.image_id(draft.shown.sop_instance_uid))
        if picture is None:
            raise PictureGoneError
        return build(draft, picture)


class Courier:
    """Sends what waits for one archive.

    Args:
        name: the archive's, in the configuration.
        connect: opens a connection.
        outbox: where documents wait.
        write: makes them.
        note: is told what the archive has taken.
    """

    def __init__(
        self,
        name: str,
        connect: Callable[[], AbstractContextManager[Session]],
        outbox: Outbox,
        write: Callable[[int], Dataset],
        note: Callable[[Dataset], None],
    ) -> None:
        self._name = name
        self._connect = connect
        self._outbox = outbox
        self._write = write
        self._note = note
        self._failures = 0
        self._breaks: Counter[int] = Counter()

    def work(self, now: float) -> float:
        """Send some of what waits; return how many seconds to wait with the next."""
        taken = self._outbox.take_sends(self._name, now, LEASE_SECONDS, BATCH)
        # Those at which the archive broke off go last: they may be to blame for it.
        waiting = deque(sorted(taken, key=lambda each: self._breaks[each.id]))
        if not waiting:
            return IDLE_SECONDS
        try:
            with self._connect() as send:
                while waiting:
                    self._send(waiting[0], send, now)
                    waiting.popleft()
                    self._failures = 0
        except ConfigError as error:
            # Not for the outbox, where users read it: it names files.
            log.error("%s: %s", self._name, error)
            return self._pause(waiting, "the archive's settings cannot be used", now)
        except UnreachableError as error:
            return self._pause(waiting, str(error), now)
        return 0.0

    def _pause(self, waiting: Iterable[TakenSend], reason: str, now: float) -> float:
        """Let all wait; return for how many seconds."""
        self._failures += 1
        seconds = backoff_seconds(self._failures)
        log.warning("%s: %s; next try in %.0f s", self._name, reason, seconds)
        for each in waiting:
            self._outbox.failed(each.id, reason, now + seconds)
        return seconds

    def _send(self, waiting: TakenSend, send: Session, now: float) -> None:
        try:
            document = self._write(waiting.document_id)
            send(document)
        except UnreachableError:
            self._breaks[waiting.id] += 1
            raise
        except PictureGoneError:
            reason = "given up, as its picture was deleted with the pixels"
            log.warning("%s: document %d: %s", self._name, waiting.document_id, reason)
            self._outbox.give_up(waiting.id)
        except RefusedError as error:
            log.error("%s: document %d: %s", self._name, waiting.document_id, error)
            self._outbox.failed(waiting.id, str(error), now + backoff_seconds(waiting.attempts))
        except Exception as error:
            # Of one document; the others shall not wait for it. Not in its own words, which may quote a patient.
            reason = f"it cannot be written ({type(error).__name__})"
            log.error("%s: document %d: %s", self._name, waiting.document_id, reason)
            self._outbox.failed(waiting.id, reason, now + backoff_seconds(waiting.attempts))
        else:
            self._note(document)
            self._outbox.sent(waiting.id)
            del self._breaks[waiting.id]

"""One writer for all: jobs that wait together share a transaction, and so one sync of the disk."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from miqanet.database.durability import begin_writing

_MOST_JOBS = 64
"""In one transaction."""

_TRIES = 3
"""Of a job that the database refuses: its server may have been restarted."""

T = TypeVar("T")

Job = Callable[[Connection], Any]


class Refused(Exception):  # noqa: N818  it is no error of the server's
    """Raised by a job that has not written anything, and asks nothing of the others in its transaction."""


class GroupCommit:
    """A thread that runs jobs in the order of their submission.

    A job's result is told after its transaction was committed. A job that fails takes the others of its
    transaction with it; they are then done again one by one, so jobs have no effect but on the database.

    Args:
        engine: of the database that jobs get a connection to.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._waiting: SimpleQueue[tuple[Job, Future[Any]] | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="group commit", daemon=True)
        self._thread.start()

    def submit(self, job: Callable[[Connection], T]) -> Future[T]:
        """Let a job be done; the future has what it returns or raises."""
        future: Future[T] = Future()
        self._waiting.put((job, future))
        return future

    def close(self) -> None:
        """Do what was submitted, and end."""
        self._waiting.put(None)
        self._thread.join()

    def _run(self) -> None:
        while (first := self._waiting.get()) is not None:
            batch = [first]
            last = False
            while len(batch) < _MOST_JOBS:
                try:
                    following = self._waiting.get_nowait()
                except Empty:
                    break
                if following is None:
                    last = True
                    break
                batch.append(following)
            # Who has hung up in the meantime is not waiting for a result any more.
            wanted = [each for each in batch if each[1].set_running_or_notify_cancel()]
            if wanted:
                self._commit(wanted)
            if last:
                return

    def _commit(self, batch: list[tuple[Job, Future[Any]]], tries: int = _TRIES) -> None:
        try:
            with self._engine.begin() as connection:
                begin_writing(connection)
                outcomes = [_outcome(job, connection) for job, _ in batch]
        except Exception as error:
            if len(batch) > 1:
                for each in batch:
                    self._commit([each])
            elif isinstance(error, DBAPIError) and tries > 1:
                self._commit(batch, tries - 1)
            else:
                batch[0][1].set_exception(error)
            return
        for (_, future), outcome in zip(batch, outcomes, strict=True):
            if isinstance(outcome, Refused):
                future.set_exception(outcome)
            else:
                future.set_result(outcome)


def _outcome(job: Job, connection: Connection) -> Any:
    try:
        return job(connection)
    except Refused as refusal:
        return refusal

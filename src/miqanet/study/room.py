"""The rating room: the study of one database, as the routes reach it."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from sqlalchemy import Connection
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from miqanet.database.durability import make_durable
from miqanet.database.png import read_png
from miqanet.database.query import Database
from miqanet.study.accounts import begin_session, end_session, invited
from miqanet.study.creation import protocol_in_force
from miqanet.study.group_commit import GroupCommit, Refused
from miqanet.study.progress import Progress, progress
from miqanet.study.readings import Judgement, Place, Shown, judge, order_of, place_of, undo, visible, work_at

_log = logging.getLogger(__name__)

_NOT_FOUND, _CONFLICT = 404, 409
_UNREADABLE = "This image cannot be shown: its file cannot be read. Tell who runs the study."
_IMAGES = "images"
_WHITE = 65535
_KEPT_PICTURES = 64
"""Raters see the same images, each in another order: half a megabyte each, as a rule."""
_PROGRESS_SECONDS = 3
"""It takes a look at every vote."""

T = TypeVar("T")


class RatingRoom:
    """Reads on many threads, writes on one; what was written is on the disk when it is answered."""

    def __init__(self, database: Database) -> None:
        """Open the room of a database's study.

        Raises:
            ValueError: the database has none.
        """
        self.engine = database.engine
        # What a failed statement was given is nobody's business but the raters'.
        self.engine.hide_parameters = True
        make_durable(self.engine)
        self._folder = database.folder
        with self.engine.connect() as connection:
            self._protocol_id, self.protocol = protocol_in_force(connection)
        self._writer = GroupCommit(self.engine)
        self._orders: dict[int, tuple[Shown, ...]] = {}
        self._places: dict[int, Place] = {}
        """As they were told last; a judgement goes by what the database says."""
        self._progress: tuple[float, Progress | None] = (0.0, None)
        self._pixels = lru_cache(maxsize=_KEPT_PICTURES)(_pixels)

    def close(self) -> None:
        """Finish what was begun."""
        self._writer.close()

    async def work(self, participant: int) -> dict[str, Any]:
        """Return where a rater stands, as the page gets it."""
        self._places[participant] = await self._read(lambda connection: place_of(connection, participant))
        return await self._work(participant)

    async def judge(self, participant: int, judgement: Judgement) -> dict[str, Any]:
        """Keep a rater's judgement; return the answer to the page."""
        order, now = await self._order(participant), datetime.now(UTC)
        self._places[participant], feedback = await self._write(
            lambda connection: judge(
                connection, participant, order, self._protocol_id, self.protocol, judgement, now
            )
        )
        return {"saved": True, "feedback": feedback, "work": await self._work(participant)}

    async def undo(self, participant: int) -> dict[str, Any]:
        """Let a rater judge the last image again; return the answer to the page."""
        self._places[participant] = await self._write(
            lambda connection: undo(connection, participant, self.protocol)
        )
        return {"work": await self._work(participant)}

    async def pixels(self, participant: int, presentation: int) -> bytes:
        """Return an image that a rater may see now: uint16, little-endian, row by row.

        Raises:
            HTTPException: 404; it is not for the rater now, or its file cannot be read.
        """
        for place in (self._places.get(participant), None):
            if place is None:
                place = await self._read(lambda connection: place_of(connection, participant))
            for shown in visible(place, await self._order(participant)):
                if shown.presentation == presentation:
                    return await self._pixels_of(shown)
        raise HTTPException(_NOT_FOUND)

    async def _pixels_of(self, shown: Shown) -> bytes:
        try:
            return await run_in_threadpool(
                self._pixels, self._folder, shown.path, (shown.rows, shown.columns)
            )
        except (OSError, ValueError) as error:
            _log.error("%s cannot be shown: %s", self._folder / shown.path, error)
            raise HTTPException(_NOT_FOUND, _UNREADABLE) from None

    async def progress(self) -> Progress:
        """Return how far the study is; what was found a few seconds ago will do."""
        found_at, found = self._progress
        if found is None or time.monotonic() - found_at > _PROGRESS_SECONDS:
            found = await self._read(lambda connection: progress(connection, self.protocol))
            self._progress = (time.monotonic(), found)
        return found

    async def begin_session(self, invitation: str) -> str | None:
        """Return the token of a new session; None if the invitation is not valid."""
        # Who guesses shall not keep the one writer from votes.
        if await self._read(lambda connection: invited(connection, invitation)) is None:
            return None
        now = datetime.now(UTC)
        return await self._write(lambda connection: begin_session(connection, invitation, now))

    async def end_session(self, token: str) -> None:
        """Let a session's token be of no use any more."""
        await self._write(lambda connection: end_session(connection, token))

    async def _work(self, participant: int) -> dict[str, Any]:
        return work_at(self._places[participant], await self._order(participant), self.protocol)

    async def _order(self, participant: int) -> tuple[Shown, ...]:
        if participant not in self._orders:
            self._orders[participant] = await self._read(lambda connection: order_of(connection, participant))
        return self._orders[participant]

    async def _read(self, job: Callable[[Connection], T]) -> T:
        def run() -> T:
            with self.engine.connect() as connection:
                return job(connection)

        return await run_in_threadpool(run)

    async def _write(self, job: Callable[[Connection], T]) -> T:
        try:
            return await asyncio.wrap_future(self._writer.submit(job))
        except Refused as refusal:
            raise HTTPException(_CONFLICT, str(refusal)) from None


def _pixels(folder: Path, path: str, shape: tuple[int, int]) -> bytes:
    """Return an image of a database's folder as the page draws it.

    Raises:
        OSError: the file cannot be read.
        ValueError: it lies outside the database, or has another shape than it had.
    """
    # The folder of images may be a link to another disk; what is in it may not lead out of it.
    if not (folder / path).resolve().is_relative_to((folder / _IMAGES).resolve()):
        raise ValueError("it lies outside the database")
    gray = read_png(folder / path)
    if gray.shape != shape:
        raise ValueError(f"its shape is {gray.shape}, and was {shape}")
    return np.round(gray * _WHITE).astype("<u2").tobytes()

"""Received objects as files: whole and on the disk, or not there.

A file gets a name of its own, never one that the object says, so that nothing is overwritten and no path holds
what a sender wrote. Which files count is in the node's database; a kill between file and row leaves a file
that nobody knows, and the sweep takes it.
"""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, Final

_IMAGES: Final = "images"
_COPIED_AT_ONCE: Final = 2**20


class Spool:
    """The node's folder of received objects.

    Args:
        folder: made if absent.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._images = folder / _IMAGES
        self._images.mkdir(parents=True, exist_ok=True, mode=0o700)
        _sync_folder(folder)
        self._day_on_disk: Path | None = None

    def new_path(self, now: float) -> str:
        """Return a path below the folder that no object has; those of a day lie together."""
        day = datetime.fromtimestamp(now, UTC).strftime("%Y%m%d")
        return f"{_IMAGES}/{day}/{uuid.uuid4().hex}.dcm"

    def file(self, path: str) -> Path:
        """Return where an object lies."""
        return self._folder / path

    def write(self, path: str, content: BinaryIO) -> None:
        """Write an object; when this returns, a power cut does not take it.

        Raises:
            OSError: there is no room, or the disk fails. Then there is no file.
        """
        file = self.file(path)
        file.parent.mkdir(mode=0o700, exist_ok=True)
        # That the folder is there does not say that it is on the disk: another thread may just have made it.
        if file.parent != self._day_on_disk:
            _sync_folder(self._images)
            self._day_on_disk = file.parent
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as stream:
                shutil.copyfileobj(content, stream, _COPIED_AT_ONCE)
                stream.flush()
                os.fsync(stream.fileno())
            _sync_folder(file.parent)
        except BaseException:
            file.unlink(missing_ok=True)
            raise

    def delete(self, path: str) -> None:
        """Delete an object; nothing happens where it is gone already."""
        self.file(path).unlink(missing_ok=True)

    def written_before(self, time: float) -> Iterator[str]:
        """Yield the paths of all objects that were written before a time."""
        for day in self._images.iterdir():
            for file in day.iterdir():
                # What is known already may be deleted just now.
                with suppress(FileNotFoundError):
                    if file.stat().st_mtime < time:
                        yield file.relative_to(self._folder).as_posix()

    def drop_empty_days(self, today: float) -> None:
        """Remove the folders of earlier days of which all objects were deleted."""
        current = self.file(self.new_path(today)).parent
        for day in self._images.iterdir():
            if day != current:
                with suppress(OSError):
                    day.rmdir()


def _sync_folder(folder: Path) -> None:
    """Put the names within a folder on the disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

"""From what the user names to the files below it, in an order that is the same every time.

Only names are kept, and only of the folders on the way down: memory does not grow with the number of files.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

import pydicom

from miqanet.reading.quiet import quiet
from miqanet.reading.records import ReadError
from miqanet.reading.streams import IRREGULAR

_FolderId = tuple[int, int]
"""Device and inode: what tells a folder from another one, whatever its name."""


def list_files(paths: Iterable[str | os.PathLike[str]]) -> Iterator[str | ReadError]:
    """Yield the path of every file at or below `paths`, and an error in place of what cannot be listed.

    Within a folder the order is that of the names. A DICOMDIR that is named itself is followed by the files
    it refers to. Symbolic links are followed, but a folder that is met again is not read again.
    """
    for path in paths:
        named = Path(path)
        for found in _walk(named):
            yield found
            if found == str(named) and named.name.upper() == "DICOMDIR":
                yield from _referenced(named)


def _walk(top: Path) -> Iterator[str | ReadError]:
    # A stack of its own rather than recursion: folders may be nested more deeply than Python may recurse.
    levels: list[tuple[Path, _FolderId | None, Iterator[str]]] = [(top, None, iter(("",)))]
    met: set[_FolderId] = set()
    while levels:
        folder, _, names = levels[-1]
        name = next(names, None)
        if name is None:
            levels.pop()
            continue
        path = folder / name
        try:
            status = path.stat()
            folder_id = (status.st_dev, status.st_ino)
            if stat.S_ISREG(status.st_mode):
                yield str(path)
            elif not stat.S_ISDIR(status.st_mode):
                yield ReadError(str(path), 0, f"skipped: {IRREGULAR}")
            elif any(folder_id == above for _, above, _ in levels):
                yield ReadError(str(path), 0, "symbolic link loop: leads back to a folder above it")
            elif folder_id in met:
                yield ReadError(str(path), 0, "skipped: link to a folder that is read under another name")
            else:
                met.add(folder_id)
                with os.scandir(path) as entries:
                    below = sorted(entry.name for entry in entries)
                levels.append((path, folder_id, iter(below)))
        except OSError as error:
            yield ReadError(str(path), 0, explain(error))


def explain(error: OSError) -> str:
    """Return why the system would not open something, in the user's words."""
    if isinstance(error, PermissionError):
        return "no permission to read"
    if isinstance(error, FileNotFoundError):
        return "no such file or folder"
    return os.strerror(error.errno).lower() if error.errno else type(error).__name__


def _referenced(dicomdir: Path) -> Iterator[str | ReadError]:
    """Yield the files that a DICOMDIR (DICOM PS3.10, section 8) refers to, in its order, each once."""
    try:
        with quiet:
            records = pydicom.dcmread(dicomdir, specific_tags=["DirectoryRecordSequence"])
            file_ids = [_file_id(record) for record in records.get("DirectoryRecordSequence", [])]
    except Exception as error:
        yield ReadError(str(dicomdir), 0, f"DICOMDIR cannot be parsed ({type(error).__name__})")
        return
    for file_id in dict.fromkeys(file_ids):
        if any(part in ("", ".", "..") or "/" in part or "\\" in part for part in file_id):
            yield ReadError(str(dicomdir), 0, "DICOMDIR refers to a file outside its folder")
        elif file_id:
            path = dicomdir.parent.joinpath(*file_id)
            # Copies of a CD made on other systems often have their upper-case names lowered.
            lowered = dicomdir.parent.joinpath(*(part.lower() for part in file_id))
            yield from _walk(lowered if not path.exists() and lowered.exists() else path)


def _file_id(record: pydicom.Dataset) -> tuple[str, ...]:
    value = record.get("ReferencedFileID") or ()
    return (value,) if isinstance(value, str) else tuple(str(part) for part in value)

"""Putting low images aside: files go into `high/`, `low/` and `review/`, as links or copies.

A file goes as a file. Where it holds many frames, the rule for series decides (see
`miqanet.screening.series`). Files keep their names and the folders below the argument that they were
found under; nothing is ever overwritten.
"""

from __future__ import annotations

import filecmp
import re
import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from enum import StrEnum
from itertools import count, groupby
from pathlib import Path

from miqanet.screening.results import ResultRow
from miqanet.screening.series import Tally
from miqanet.verdict import Quality

REVIEW = "review"
FAILED = "failed"

_UNFINISHED = ".miqanet.part"
"""Name of a copy until it is whole; short, as it has to do for files of the longest names."""


class Placement(StrEnum):
    """How a file gets into its folder."""

    LINK = "link"
    """A symbolic link; a copy where the file system has none."""

    COPY = "copy"


def sort_files(
    folder: Path,
    rows: Iterable[ResultRow],
    arguments: Sequence[str],
    placement: Placement = Placement.LINK,
    *,
    on_failure: Callable[[str, OSError], object] | None = None,
) -> Counter[str]:
    """Link or copy every judged file into `folder`/{high,low,review}; files without verdict stay out.

    Args:
        folder: where to; made if absent.
        rows: results, the rows of a file one after another.
        arguments: the paths that were screened.
        placement: symbolic links or copies.
        on_failure: called with the path of each file that cannot be read or written, and the error.

    Returns:
        Number of files in each of `high`, `low` and `review`, and of those that `failed`.
    """
    sorted_files = Counter(dict.fromkeys((str(Quality.HIGH), str(Quality.LOW), REVIEW, FAILED), 0))
    taken: set[Path] = set()
    for path, tally in _files(rows):
        file = _existing(path)
        bucket = REVIEW if tally.needs_review else str(tally.quality)
        try:
            _place(file, folder / bucket / _below(file, arguments), placement, taken)
        except OSError as error:
            sorted_files[FAILED] += 1
            if on_failure is not None:
                on_failure(path, error)
        else:
            sorted_files[bucket] += 1
    return sorted_files


def _files(rows: Iterable[ResultRow]) -> Iterator[tuple[str, Tally]]:
    for path, group in groupby(rows, key=lambda row: row.path):
        tally = Tally()
        for row in group:
            tally.add(row)
        if tally.images:
            yield path, tally


def _existing(path: str) -> Path:
    """Return the file of a row's path, whose bytes that are no UTF-8 are written as `\\udcXX`."""
    if (file := Path(path)).exists():
        return file
    return Path(re.sub(r"\\udc([89a-f][0-9a-f])", lambda match: chr(int("dc" + match[1], 16)), path))


def _below(file: Path, arguments: Sequence[str]) -> Path:
    """Return the part of a file's path that lies below its argument (its name where it is the argument)."""
    for argument in arguments:
        base = Path(argument)
        if not base.is_dir():
            base = base.parent
        if file.is_relative_to(base) and ".." not in (below := file.relative_to(base)).parts:
            return below
    return Path(file.name)


def _place(source: Path, wanted: Path, placement: Placement, taken: set[Path]) -> None:
    """Link or copy a file to where it is wanted, or beside it under a numbered name."""
    wanted.parent.mkdir(parents=True, exist_ok=True)
    for number in count(1):
        target = wanted if number == 1 else wanted.with_name(f"{number}-{wanted.name}")
        if target in taken:
            continue
        if not (target.exists() or target.is_symlink()):
            break
        if _holds(target, source):  # an earlier run put it there
            taken.add(target)
            return
    taken.add(target)
    if placement is Placement.LINK:
        with suppress(OSError, NotImplementedError):
            target.symlink_to(source.resolve(strict=True))
            return
    unfinished = target.with_name(_UNFINISHED)
    unfinished.unlink(missing_ok=True)  # a killed run's
    try:
        shutil.copy2(source, unfinished)
        unfinished.replace(target)
    finally:
        unfinished.unlink(missing_ok=True)


def _holds(target: Path, source: Path) -> bool:
    return target.exists() and (target.samefile(source) or filecmp.cmp(target, source, shallow=False))

"""Imported votes that are tied: a list for a senior reader, who fills it in; it is a file of votes then."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

_COLUMNS = ("file", "frame", "rater", "quality", "votes_for_low", "votes_in_all")


@dataclass(frozen=True, slots=True)
class Tie:
    """An image whose votes are tied."""

    file: str
    """As the file of votes names it."""

    frame: int
    votes_for_low: int
    votes_in_all: int


def write_ties(path: Path, ties: Iterable[Tie]) -> None:
    """Write ties as CSV into a new file, rater and quality left empty.

    Raises:
        FileExistsError: the file is there already.
        OSError: it cannot be written.
    """
    with path.open("x", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(_COLUMNS)
        writer.writerows((tie.file, tie.frame, "", "", tie.votes_for_low, tie.votes_in_all) for tie in ties)

"""Ties on paper: a list for a senior reader, who fills in the quality and gives it back."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

from miqanet.database.csv_rows import read_rows
from miqanet.study.labels import Tie
from miqanet.verdict import Quality

_COLUMNS = ("image", "quality", "votes_for_low", "votes_in_all")


def write_ties(path: Path, ties: Sequence[Tie]) -> None:
    """Write ties as CSV, the quality left empty."""
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(_COLUMNS)
        writer.writerows((tie.image, "", tie.votes_for_low, tie.votes_in_all) for tie in ties)


def read_decisions(path: Path) -> dict[str, Quality]:
    """Return the decisions of a list by image; rows without a quality are still open.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: a column is missing, a quality is neither low nor high, or it is no CSV file in UTF-8.
    """
    decisions = {}
    for line, row in read_rows(path, _COLUMNS[:2]):
        quality = row["quality"].strip().lower()
        if not quality:
            continue
        if quality not in tuple(Quality):
            raise ValueError(f"{path}, line {line}: quality is low, high or empty")
        decisions[row["image"].strip()] = Quality(quality)
    return decisions

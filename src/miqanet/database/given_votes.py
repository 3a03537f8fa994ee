"""Votes that were given elsewhere: a CSV file with the columns file, rater and quality, and frame where needed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path, PurePath

from miqanet.database.csv_rows import read_rows
from miqanet.verdict import Quality

_COLUMNS = ("file", "rater", "quality")


@dataclass(frozen=True, slots=True)
class GivenVote:
    """One row."""

    file: str
    """Below the folder of images, with forward slashes."""

    frame: int | None
    """Slice or frame of the file, counted from 0; None where the file has one image."""

    rater: str
    quality: Quality


def read_votes(path: Path) -> list[GivenVote]:
    """Return the votes of a CSV file in their order, which is that in which they were cast.

    Raises:
        OSError: there is no such file, or it cannot be read.
        ValueError: a column is missing, or a row is no vote.
    """
    votes = []
    for line, row in read_rows(path, _COLUMNS):
        try:
            votes.append(_vote(row))
        except ValueError as error:
            raise ValueError(f"{path}, line {line}: {error}") from None
    return votes


def _vote(row: dict[str, str]) -> GivenVote:
    file, rater, quality = (row[name].strip() for name in _COLUMNS)
    if not file or not rater:
        raise ValueError("file and rater may not be empty")
    if quality.lower() not in tuple(Quality):
        raise ValueError("quality is neither low nor high")
    frame = row.get("frame", "").strip()
    if frame and not frame.isdecimal():
        raise ValueError("frame is a number from 0")
    return GivenVote(
        PurePath(file).as_posix(), int(frame) if frame else None, rater, Quality(quality.lower())
    )

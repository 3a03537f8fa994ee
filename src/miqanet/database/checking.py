"""Whether a database is whole: every file there and as it was written, and no picture under two people's names."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select

from miqanet.database.png import read_png
from miqanet.database.query import Database
from miqanet.database.schema import Image, Source
from miqanet.database.similarity import DISTANCE, distances, perceptual_hash
from miqanet.database.sources import Progress

_CHUNK = 1024
"""Pictures that are compared with all others at once."""


@dataclass(frozen=True, slots=True)
class NearDuplicate:
    """Two pictures that look alike and belong to different subjects."""

    path: str
    other: str
    distance: int
    """Bits by which their perceptual hashes differ."""


@dataclass(slots=True)
class CheckSummary:
    """What was found; paths are below the database's folder."""

    files: int = 0
    missing: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    """Files whose content is not what was written: their hash differs."""

    near_duplicates: list[NearDuplicate] = field(default_factory=list)

    @property
    def sound(self) -> bool:
        """Whether nothing was found."""
        return not (self.missing or self.changed or self.near_duplicates)


def check(database: Database, progress: Progress = lambda _what, _done, _total: None) -> CheckSummary:
    """Read every file of a database and compare pictures of different subjects.

    Slices of one person look alike, and a simulated image looks like the slice that it was made from: neither
    tells anything, so that clean slices and real images are compared, across subjects.
    """
    with database.engine.connect() as connection:
        sources = connection.execute(
            select(Source.path, Source.sha256, Source.subject_id).order_by(Source.id)
        ).all()
        images = connection.execute(
            select(Image.path, Image.sha256, Image.subject_id, Image.simulated).order_by(Image.id)
        ).all()
    files = [*((*row, True) for row in sources), *((*row[:3], not row.simulated) for row in images)]
    summary = CheckSummary(files=len(files))
    paths, subjects, hashes = [], [], []
    for place, (path, sha256, subject, compared) in enumerate(files, 1):
        progress("checking files", place, len(files))
        try:
            content = (database.folder / path).read_bytes()
        except OSError:
            summary.missing.append(path)
            continue
        if hashlib.sha256(content).hexdigest() != sha256:
            summary.changed.append(path)
        elif compared:
            paths.append(path)
            subjects.append(subject)
            hashes.append(perceptual_hash(read_png(database.folder / path)))
    summary.near_duplicates = _near_duplicates(paths, np.array(subjects), np.array(hashes))
    return summary


def _near_duplicates(
    paths: list[str], subjects: NDArray[np.int64], hashes: NDArray[np.bool_]
) -> list[NearDuplicate]:
    found = []
    for start in range(0, len(paths), _CHUNK):
        chunk = slice(start, start + _CHUNK)
        apart = distances(hashes[chunk], hashes)
        close = (apart <= DISTANCE) & (subjects[chunk, None] != subjects)
        for one, other in np.argwhere(close):
            if start + one < other:
                found.append(NearDuplicate(paths[start + one], paths[other], int(apart[one, other])))
    return found

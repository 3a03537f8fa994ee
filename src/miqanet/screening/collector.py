"""What a report needs of a run of any length: counts of everything, pictures of the worst and of a sample.

The worst come out of a heap. The sample is those of the other rows with the least hash of path and frame
(bottom-k sampling, Cohen and Kaplan, PODC 2007): uniform, and the same whatever the order of the files and
wherever a run was interrupted, so that a resumed run needs its earlier rows and the pictures on disk only.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterator
from hashlib import blake2b
from itertools import count
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from miqanet.screening.results import ResultRow
from miqanet.screening.thumbnails import Picture, PictureStore
from miqanet.verdict import Quality, Verdict

BINS = 50
"""Bins of the distribution of scores over 0..1."""

LISTED = 300
"""Rows of each table of errors that a report lists; the rest is counted."""

_Ranked = tuple[float, str, int, ResultRow]


class ReportCollector:
    """Gathers rows and pictures for a report in bounded memory and disk.

    `folder` holds the pictures (40 kB each at most) and belongs to one run: keep it for `--resume`.
    """

    def __init__(self, folder: Path, *, limit: int = 300) -> None:
        if limit < 0:
            raise ValueError(f"a report embeds at least 0 images, not {limit}")
        self.limit = limit
        self.sample_limit = limit // 3
        self.judged = self.low = self.high = self.review = 0
        self.histogram = np.zeros(BINS, np.int64)
        """Images by probability of low, in `BINS` bins."""
        self.kinds: Counter[str] = Counter()
        """Images in which an artifact is suspected."""
        self.error_count = self.skipped_count = 0
        self.errors: list[ResultRow] = []
        self.skipped: list[ResultRow] = []
        self._worst: list[_Ranked] = []
        self._sample: list[_Ranked] = []
        self._store = PictureStore(folder)
        self._serial = count()

    def add(
        self, row: ResultRow, prepared: NDArray[np.float32] | None = None, verdict: Verdict | None = None
    ) -> None:
        """Count a row, and keep its picture while it is among the worst or in the sample.

        `prepared` is the network's input and `verdict.heat_map` lies over it. A resumed run passes its
        earlier rows alone: their pictures are still in the folder.
        """
        if row.probability_low is None:
            self.add_error(row)
            return
        self.judged += 1
        self.low += row.quality == Quality.LOW
        self.high += row.quality == Quality.HIGH
        self.review += row.review
        self.histogram[min(int(row.probability_low * BINS), BINS - 1)] += 1
        self.kinds.update(row.kinds)

        key = picture_key(row)
        left = _push(self._worst, (row.probability_low, key, next(self._serial), row), self.limit)
        if left is not None:
            _, other, serial, rest = left
            left = _push(self._sample, (-float(int(other, 16)), other, serial, rest), self.sample_limit)
        if left is not None:
            self._store.drop(left[1])
        if prepared is not None and (left is None or left[1] != key):
            self._store.put(key, prepared, None if verdict is None else verdict.heat_map)

    def add_error(self, row: ResultRow) -> None:
        """Count a row without verdict, and list the first of its kind."""
        self.skipped_count += row.skipped
        self.error_count += not row.skipped
        listed = self.skipped if row.skipped else self.errors
        if len(listed) < LISTED:
            listed.append(row)

    def worst(self) -> list[ResultRow]:
        """Return the rows with the greatest probability of low, worst first."""
        return [row for _, _, _, row in sorted(self._worst, reverse=True)]

    def sample(self) -> list[ResultRow]:
        """Return a uniform sample of the other rows, worst first."""
        rows = [row for _, _, _, row in self._sample]
        return sorted(rows, key=lambda row: row.probability_low or 0.0, reverse=True)

    def pictures(self, rows: list[ResultRow]) -> Iterator[tuple[ResultRow, Picture | None]]:
        """Yield each row with its picture, one in memory at a time; None where an earlier run kept none."""
        for row in rows:
            yield row, self._store.get(picture_key(row))


def picture_key(row: ResultRow) -> str:
    """Return the hash of a row's path and frame: its picture's name and its place in the draw."""
    return blake2b(f"{row.path}\0{row.frame}".encode(errors="surrogatepass"), digest_size=16).hexdigest()


def _push(heap: list[_Ranked], item: _Ranked, limit: int) -> _Ranked | None:
    """Keep the `limit` greatest items in a heap; return the one that falls out."""
    if len(heap) < limit:
        heapq.heappush(heap, item)
        return None
    return heapq.heappushpop(heap, item) if limit else item

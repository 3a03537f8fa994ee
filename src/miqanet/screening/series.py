"""A verdict for what belongs together, a series or a file of many frames.

A radiologist reads a series, not a slice: one poor slice among thirty does not make it useless, and a
classifier that calls one clean slice in fifty low would condemn most long series if the worst slice
decided. So a series is low when at least a fifth of its judged images are low; a person should look when
that fifth is reached only by counting images of the review band.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from miqanet.screening.results import ResultRow, RowStream, partial, to_cell
from miqanet.verdict import Quality

LOW_SHARE = 0.2
"""Share of low images from which the whole is low."""

SERIES_COLUMNS = (
    "series_instance_uid",
    "study_instance_uid",
    "series_description",
    "modality",
    "body_part",
    "quality",
    "review",
    "images",
    "low_images",
    "review_images",
    "errors",
    "worst_path",
    "worst_frame",
    "worst_probability_low",
)


@dataclass(slots=True)
class Tally:
    """Counts of images that get one verdict together."""

    images: int = 0
    low: int = 0
    review: int = 0
    undisputed: int = 0
    """Low images outside the review band."""

    doubtful: int = 0
    """Images that are low or in the review band."""

    errors: int = 0
    worst: ResultRow | None = None

    def add(self, row: ResultRow) -> None:
        """Count a row."""
        if row.probability_low is None:
            self.errors += not row.skipped
            return
        low = row.quality == Quality.LOW
        self.images += 1
        self.low += low
        self.review += row.review
        self.undisputed += low and not row.review
        self.doubtful += low or row.review
        if self.worst is None or row.probability_low > (self.worst.probability_low or 0.0):
            self.worst = row

    @property
    def quality(self) -> Quality:
        """The verdict on all images together."""
        return Quality.LOW if self.low >= LOW_SHARE * self.images else Quality.HIGH

    @property
    def needs_review(self) -> bool:
        """Whether the verdict hangs on images of the review band."""
        return self.undisputed < LOW_SHARE * self.images <= self.doubtful


class SeriesTally:
    """Tallies rows by series; a file that states no series is one of its own."""

    def __init__(self) -> None:
        self._tallies: dict[str, Tally] = {}
        self._path = ""
        self._key = ""
        self._errors: list[ResultRow] = []

    def add(self, row: ResultRow) -> None:
        """Count a row; the rows of a file come one after another.

        A frame that could not be read does not know its series, so it goes with the other frames of its
        file. A file without any readable frame belongs to no series.
        """
        if row.path != self._path:
            self._path, self._key, self._errors = row.path, "", []
        if row.error:
            self._errors.append(row)
        else:
            self._key = row.series_instance_uid or row.path
            self._tallies.setdefault(self._key, Tally()).add(row)
        if self._key:
            for error in self._errors:
                self._tallies[self._key].add(error)
            self._errors = []

    def tallies(self) -> list[Tally]:
        """Return one tally a series, in the order of their first images."""
        return list(self._tallies.values())


def write_series(tallies: Iterable[Tally], path: Path) -> None:
    """Write the table of series, `series.csv`, one row a series."""
    with partial(path).open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(RowStream(file))
        table.writerow(SERIES_COLUMNS)
        for tally in tallies:
            if (worst := tally.worst) is not None:
                table.writerow(to_cell(name, value) for name, value in _cells(tally, worst).items())
    partial(path).replace(path)


def _cells(tally: Tally, worst: ResultRow) -> dict[str, object]:
    values = {
        "quality": str(tally.quality),
        "review": tally.needs_review,
        "images": tally.images,
        "low_images": tally.low,
        "review_images": tally.review,
        "errors": tally.errors,
        "worst_path": worst.path,
        "worst_frame": worst.frame,
        "worst_probability_low": worst.probability_low,
    }
    return {name: values[name] if name in values else getattr(worst, name) for name in SERIES_COLUMNS}

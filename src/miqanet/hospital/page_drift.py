"""Drift of scanners: share of low images and distribution of scores, day by day.

The interval of a share is Wilson's (J Am Stat Assoc 22 (1927) 209-212): on a day of few images it is wide,
and a line alone would look like a change.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import accumulate, groupby
from typing import Final

from miqanet.hospital.rest_rows import ScoreDay
from miqanet.hospital.tallies import BINS

WIDTH: Final = 640.0
SHARE_HEIGHT: Final = 120.0
SCORES_HEIGHT: Final = 100.0
SMALL: Final = 50
"""Images of a day below which its share is drawn as a hint."""

_Z: Final = 1.959964
"""Of an interval that holds the share in 95 of 100 cases."""

_SHADES: Final = 8
_FILLED: Final = 0.92
"""Of a day's column; the rest tells it from the next."""


@dataclass(frozen=True, slots=True)
class Day:
    """A scanner's images of a day, and where they are drawn."""

    day: date
    x: float
    """Center of the day's column."""

    judged: int
    low: int
    review: int
    share: float
    least: float
    """Lower end of the 95 % interval of the share."""

    most: float
    median: float
    """Of the probability of low, to half a bin."""

    @property
    def is_small(self) -> bool:
        """Whether there are so few images that their share says little."""
        return self.judged < SMALL


@dataclass(frozen=True, slots=True)
class ScannerDrift:
    """A scanner's charts."""

    scanner: str
    days: tuple[Day, ...]
    shades: tuple[tuple[int, str], ...]
    """From 1 for bins of few of a day's images to 8 for bins of most of them: the path of all bins of that shade."""

    medians: str
    """Path of the days' medians."""

    top: float
    """Share at the upper edge of the chart; the same for all scanners, so that they compare."""

    ticks: tuple[tuple[float, str], ...]
    """Center of a day's column, and the day, for a few days."""

    @property
    def judged(self) -> int:
        """Images of all days."""
        return sum(day.judged for day in self.days)

    @property
    def share(self) -> float:
        """Share of low of all days."""
        return sum(day.low for day in self.days) / self.judged

    def y(self, share: float) -> float:
        """Return how high a share is drawn."""
        return SHARE_HEIGHT * (1 - min(share / self.top, 1.0))

    @property
    def band(self) -> str:
        """Points of the polygon between the intervals' ends."""
        upper = [f"{day.x:.1f},{self.y(day.most):.1f}" for day in self.days]
        lower = [f"{day.x:.1f},{self.y(day.least):.1f}" for day in reversed(self.days)]
        return " ".join(upper + lower)

    @property
    def line(self) -> str:
        """Points of the line of shares."""
        return " ".join(f"{day.x:.1f},{self.y(day.share):.1f}" for day in self.days)


def drift(rows: Iterable[ScoreDay], today: date, days: int) -> list[ScannerDrift]:
    """Return the charts of all scanners that had images, in the order of their names.

    Args:
        rows: in the order of scanner and day.
        today: the last day of the charts.
        days: how many they show.
    """
    first = today - timedelta(days=days - 1)
    width = WIDTH / days
    found: list[tuple[str, list[Day], dict[int, list[str]]]] = []
    for scanner, scanner_rows in groupby(rows, key=lambda row: row.scanner):
        shown: list[Day] = []
        shades: dict[int, list[str]] = {}
        for row in scanner_rows:
            day = _day(row, first, width)
            shown.append(day)
            for shade, path in _shaded(day, row.judged, width):
                shades.setdefault(shade, []).append(path)
        found.append((scanner, shown, shades))
    top = _top([day for _, shown, _ in found for day in shown])
    ticks = tuple(_ticks(first, days, width))
    return [
        ScannerDrift(
            scanner,
            tuple(shown),
            tuple((shade, "".join(paths)) for shade, paths in sorted(shades.items())),
            "".join(_median_path(day, width) for day in shown),
            top,
            ticks,
        )
        for scanner, shown, shades in found
    ]


def wilson(successes: int, trials: int) -> tuple[float, float]:
    """Return the 95 % interval of a share."""
    share = successes / trials
    spread = _Z**2 / trials
    middle = share + spread / 2
    half = _Z * ((share * (1 - share) + spread / 4) / trials) ** 0.5
    return max(0.0, (middle - half) / (1 + spread)), min(1.0, (middle + half) / (1 + spread))


def _day(row: ScoreDay, first: date, width: float) -> Day:
    day = date.fromisoformat(row.day)
    judged = sum(row.judged)
    least, most = wilson(row.low, judged)
    median = next(number for number, below in enumerate(accumulate(row.judged)) if 2 * below >= judged)
    return Day(
        day=day,
        x=((day - first).days + 0.5) * width,
        judged=judged,
        low=row.low,
        review=row.review,
        share=row.low / judged,
        least=least,
        most=most,
        median=(median + 0.5) / BINS,
    )


def _shaded(day: Day, judged: Iterable[int], width: float) -> Iterator[tuple[int, str]]:
    """Yield the shade of each bin that has images, and its rectangle as a path."""
    height = SCORES_HEIGHT / BINS
    left, wide = f"M{day.x - _FILLED * width / 2:.1f}", f"h{_FILLED * width:.1f}"
    end = f"{wide}v{height:.1f}{wide.replace('h', 'h-')}z"
    for number, images in enumerate(judged, 1):
        if images:
            # By the root: a tenth of the images in a bin is much to see beside nine tenths in another.
            shade = min(_SHADES, 1 + int(_SHADES * (images / day.judged) ** 0.5))
            yield shade, f"{left} {SCORES_HEIGHT - number * height:.1f}{end}"


def _median_path(day: Day, width: float) -> str:
    return f"M{day.x - _FILLED * width / 2:.1f} {SCORES_HEIGHT * (1 - day.median):.1f}h{_FILLED * width:.1f}"


def _top(days: list[Day]) -> float:
    """Return the least of 5, 10, 20, 30, 50 and 100 % that leaves room above the shares of days of many images."""
    share = max((day.share for day in days if not day.is_small), default=1.0)
    return next((top for top in (0.05, 0.1, 0.2, 0.3, 0.5) if share <= 0.9 * top), 1.0)


def _ticks(first: date, days: int, width: float) -> Iterator[tuple[float, str]]:
    step = max(1, round(days / 6))
    for offset in range(days - 1, -1, -step):
        day = first + timedelta(days=offset)
        yield (offset + 0.5) * width, f"{day.day} {day:%b}"

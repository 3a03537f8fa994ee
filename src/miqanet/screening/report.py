"""The report of a screening run: one HTML file that needs nothing else, to be looked through, worst first."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path, PurePath

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from numpy.typing import NDArray

from miqanet import __version__
from miqanet.database.body_parts import normalize_body_part
from miqanet.features.reasons import Reason, reasons
from miqanet.features.reference import ALL, Reference, shipped_reference
from miqanet.screening.card import Card
from miqanet.screening.collector import BINS, ReportCollector
from miqanet.screening.guidance import Guide, guide
from miqanet.screening.results import ResultRow
from miqanet.screening.thumbnails import encode_heat_map

__all__ = ["ReportCollector", "write_report"]

_PLOT_WIDTH, _PLOT_HEIGHT = 700.0, 150.0
_GRID_SHARES = (1.0, 0.3, 0.06)
"""Shares of the fullest bin near which the distribution gets a grid line."""


@dataclass(frozen=True, slots=True)
class _Card:
    """One embedded image, ready for the template."""

    row: ResultRow
    name: str
    folder: str
    group: str
    findings: tuple[tuple[str, Guide, float], ...]
    reference: Reference
    """The clean images that its measures are compared with."""
    reasons: tuple[Reason, ...]
    jpeg: str
    heat_map: str


@dataclass(frozen=True, slots=True)
class _Bar:
    """One bar of the distribution, in the units of its drawing."""

    x: float
    y: float
    width: float
    height: float
    group: str
    label: str


def write_report(collector: ReportCollector, path: Path, card: Card) -> None:
    """Write the report of a run with the network that `card` describes.

    An earlier report is replaced once the new one is whole.
    Style and script are inside and admitted by their hash; the page may load nothing from anywhere.
    """
    loader = PackageLoader("miqanet.screening")
    environment = Environment(
        loader=loader,
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    style, script = (loader.get_source(environment, name)[0] for name in ("report.css", "report.js"))
    worst, sample = collector.worst(), collector.sample()
    scale = _full_scale(collector, worst + sample)
    content = environment.get_template("report.html.j2").generate(
        collector=collector,
        worst_count=len(worst),
        sample_count=len(sample),
        left_out=collector.judged - len(worst) - len(sample),
        worst=_cards(collector, worst, scale),
        sample=_cards(collector, sample, scale),
        bars=_bars(collector.histogram, card.threshold, card.review_band),
        grid=_grid(collector.histogram),
        plot_width=_PLOT_WIDTH,
        plot_height=_PLOT_HEIGHT,
        kinds=[(kind, guide(kind), number) for kind, number in collector.kinds.most_common()],
        model_version=card.model_version,
        threshold=card.threshold,
        review_band=card.review_band,
        created=datetime.now(UTC).astimezone().strftime("%Y-%m-%d %H:%M %Z"),
        reference=shipped_reference(ALL),
        version=__version__,
        style=Markup(style),  # noqa: S704  # our own file
        script=Markup(script),  # noqa: S704
        style_hash=_content_hash(style),
        script_hash=_content_hash(script),
    )
    partial = path.with_name(f".{path.name}.part")
    with partial.open("w", encoding="utf-8", errors="xmlcharrefreplace") as file:
        file.writelines(content)
    partial.replace(path)


def _cards(collector: ReportCollector, rows: list[ResultRow], full_scale: float) -> Iterator[_Card]:
    for row, picture in collector.pictures(rows):
        pure = PurePath(row.path)
        reference = shipped_reference(normalize_body_part(row.body_part))
        yield _Card(
            row=row,
            name=pure.name,
            folder="" if pure.parent == PurePath() else f"{pure.parent}/",
            group="review" if row.review else row.quality,
            findings=tuple(_findings(row)),
            reference=reference,
            reasons=reasons(row.measures, reference),
            jpeg="" if picture is None else _base64(picture.jpeg),
            heat_map="" if picture is None else _base64(encode_heat_map(picture.heat_map, full_scale)),
        )


def _findings(row: ResultRow) -> Iterator[tuple[str, Guide, float]]:
    for finding in filter(None, row.findings.split(";")):
        kind, _, probability = finding.rpartition(":")
        yield kind, guide(kind), float(probability)


def _full_scale(collector: ReportCollector, rows: list[ResultRow]) -> float:
    """Return the activation that glows fully: one scale for the whole report, so that images compare."""
    peaks = [float(picture.heat_map.max()) for _, picture in collector.pictures(rows) if picture is not None]
    positive = [peak for peak in peaks if peak > 0]
    return float(np.percentile(positive, 90)) if positive else 1.0


def _bars(histogram: NDArray[np.int64], threshold: float, review_band: tuple[float, float]) -> list[_Bar]:
    """Return the bars of the distribution, on a square-root scale that shows one image beside thousands."""
    width = _PLOT_WIDTH / BINS
    bars = []
    for i, number in enumerate(histogram):
        if not number:
            continue
        center = (i + 0.5) / BINS
        in_band = review_band[0] <= center < review_band[1]
        group = "review" if in_band else "low" if center >= threshold else "high"
        height = max(2.0, _PLOT_HEIGHT * float(np.sqrt(number / histogram.max())))
        label = f"{i / BINS:.2f} to {(i + 1) / BINS:.2f}: {number} {'image' if number == 1 else 'images'}"
        bars.append(_Bar(i * width + 0.5, _PLOT_HEIGHT - height, width - 1, height, group, label))
    return bars


def _grid(histogram: NDArray[np.int64]) -> list[tuple[float, int]]:
    """Return (y, number of images) of the grid lines: round numbers."""
    greatest = int(histogram.max())
    numbers = {_round_down(share * greatest) for share in _GRID_SHARES if share * greatest >= 1}
    return [(_PLOT_HEIGHT * (1 - (number / greatest) ** 0.5), number) for number in sorted(numbers)]


def _round_down(value: float) -> int:
    """Return the greatest of 1, 2, 5, 10, 20, 50, ... that is at most `value`."""
    power = 10 ** int(np.floor(np.log10(value)))
    return int(max(step * power for step in (1, 2, 5) if step * power <= value))


def _base64(content: bytes) -> str:
    return b64encode(content).decode("ascii")


def _content_hash(text: str) -> str:
    return f"sha256-{_base64(sha256(text.encode()).digest())}"

"""The report of a benchmark: one HTML file with curves, tables and the worst mistakes as pictures."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from miqanet.database.png import read_png, write_whole
from miqanet.evaluation.figures import confusion, reliability, risk_coverage, roc
from miqanet.evaluation.mistakes import SHOWN, Mistake, mistakes, why
from miqanet.evaluation.protocols import Protocol
from miqanet.evaluation.rows import Row
from miqanet.evaluation.tables import Table, introduction, overview, probes, tables
from miqanet.preprocessing import prepare
from miqanet.screening.thumbnails import encode_thumbnail


@dataclass(frozen=True, slots=True)
class _Drawing:
    title: str
    svg: Markup


@dataclass(frozen=True, slots=True)
class _Picture:
    mistake: Mistake
    jpeg: str


@dataclass(frozen=True, slots=True)
class _Gallery:
    title: str
    why: str
    pictures: list[_Picture]


@dataclass(frozen=True, slots=True)
class _Chapter:
    """What is shown of a protocol."""

    protocol: str
    description: str
    curves: list[_Drawing]
    confusions: list[_Drawing]
    tables: list[Table]
    method: str
    galleries: list[_Gallery]


def write_report(results: dict[str, Any], rows: Mapping[tuple[Protocol, str], Row], path: Path) -> None:
    """Write the report; it needs no other file, runs no script and loads nothing from anywhere."""
    environment = Environment(
        loader=PackageLoader("miqanet.evaluation"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    page = environment.get_template("benchmark.html.j2").render(
        results=results,
        introduction=introduction(results),
        overview=overview(results),
        chapters=[
            _chapter(results, protocol, {m: row for (p, m), row in rows.items() if p == protocol})
            for protocol in results["protocols"]
        ],
        probes=probes(results),
    )
    write_whole(path, page.encode())


def _chapter(results: dict[str, Any], protocol: str, rows: Mapping[str, Row]) -> _Chapter:
    judged = {method: row.judged for method, row in rows.items()}
    curves = [
        ("ROC", roc),
        ("Risk and coverage, low images", lambda j: risk_coverage(j, of_low=True)),
        ("Risk and coverage, high images", lambda j: risk_coverage(j, of_low=False)),
        ("Reliability", reliability),
    ]
    # Drawn by ourselves out of numbers; names of methods pass through matplotlib, which escapes them.
    drawn = [_Drawing(title, Markup(draw(judged))) for title, draw in curves if judged]  # noqa: S704
    method = next(iter(rows), "")
    return _Chapter(
        protocol=protocol,
        description=results["protocols"][protocol]["description"],
        curves=drawn,
        confusions=[_Drawing(name, Markup(confusion(each))) for name, each in judged.items()],  # noqa: S704
        tables=tables(results, protocol),
        method=method,
        galleries=[_gallery(rows[method], low=low) for low in (True, False)] if method else [],
    )


def _gallery(row: Row, *, low: bool) -> _Gallery:
    wrong = mistakes(row, low=low)
    pictures = [_Picture(each, _picture(each)) for each in wrong[:SHOWN]]
    return _Gallery("Low images called high" if low else "High images called low", why(wrong), pictures)


def _picture(mistake: Mistake) -> str:
    return b64encode(encode_thumbnail(prepare(read_png(mistake.image.path)))).decode("ascii")

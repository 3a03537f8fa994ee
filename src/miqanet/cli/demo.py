"""`miqanet demo`: see screening happen, without data of one's own."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import closing
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Column, Table

from miqanet.cli.errors import NOTHING_JUDGED, errors, fail
from miqanet.verdict import Quality

if TYPE_CHECKING:
    from miqanet.screening.results import ResultRow

_FOLDER = "miqanet-demo"


def demo(
    out: Annotated[
        Path | None,
        typer.Option(
            file_okay=False,
            metavar="DIR",
            help=f"New or empty folder for images and results; by default {_FOLDER}, {_FOLDER}-2, ...",
        ),
    ] = None,
) -> None:
    """Screen test images that installed packages carry, and copies of them that simulated artifacts spoil."""
    from miqanet.screening.card import WeightsError, default_weights
    from miqanet.screening.demo import gather, spoil
    from miqanet.screening.engine import Engine
    from miqanet.screening.results import encodable
    from miqanet.screening.run import ScreeningRun, Selection

    console = Console()
    folder = out or next(path for path in map(Path, _names()) if not path.exists())
    images, results = folder / "images", folder / "results"
    try:
        if folder.exists() and any(folder.iterdir()):
            raise typer.BadParameter(f"{folder} is not empty: name another folder", param_hint="--out")
        images.mkdir(parents=True)
        with errors.status("Gathering images and spoiling copies of them"):
            originals, left_out = gather(images)
            if not originals:
                fail("no package here carries test images: try miqanet screen on your own", NOTHING_JUDGED)
            spoiled = list(spoil(originals, images))
        with errors.status("Judging"):
            engine = Engine(default_weights())
            run = ScreeningRun(results, engine, Selection((str(images),)))
            rows: defaultdict[str, list[ResultRow]] = defaultdict(list)
            with closing(run.rows()) as stream:
                for row in stream:
                    rows[row.path].append(row)
            run.finish()
    except (WeightsError, OSError) as error:
        fail(str(error))

    table = Table(
        Column("image", no_wrap=True),
        Column("spoiled by", no_wrap=True),
        Column("verdict"),
        Column("p(low)", justify="right"),
        Column("suspected"),
        box=SIMPLE_HEAD,
        pad_edge=False,
    )
    for original in originals:
        table.add_row(original.name, "", *_answer(rows[encodable(str(original.path))]))
    table.add_section()
    answers = [_answer(rows[encodable(str(copy.path))]) for copy in spoiled]
    for copy, answer in zip(spoiled, answers, strict=True):
        table.add_row(copy.original.name, copy.kind, *answer)
    console.print(table)
    for reason in left_out:
        console.print(f"Left out: {reason}.", markup=False, highlight=False)
    found = sum(verdict.startswith(Quality.LOW) for verdict, _, _ in answers)
    console.print(
        f"{found} of {len(spoiled)} spoiled copies are called low. p(low) is the probability of low quality; "
        f"from {engine.card.threshold:.3g} an image is called low. These are test files, not a measurement: "
        "they do not tell how often verdicts are right.",
        highlight=False,
    )
    report = (results / "report.html").resolve()
    console.print(f"Report: {report}", markup=False, highlight=False, soft_wrap=True)


def _names() -> Iterator[str]:
    yield _FOLDER
    yield from (f"{_FOLDER}-{number}" for number in count(2))


def _answer(rows: list[ResultRow]) -> tuple[str, str, str]:
    """Return verdict, probability and suspected artifacts of a file, summed up over its images."""
    judged = [row for row in rows if row.probability_low is not None]
    if not judged:
        return rows[0].error if rows else "not judged", "", ""
    probabilities = sorted(row.probability_low or 0.0 for row in judged)
    if len(judged) == 1:
        (row,) = judged
        verdict = f"{row.quality}, review" if row.review else row.quality
        return verdict, f"{probabilities[0]:.2f}", _short(row.kinds)
    qualities = Counter(row.quality for row in judged)
    kinds = Counter(kind for row in judged for kind in row.kinds)
    return (
        ", ".join(f"{number} {quality}" for quality, number in sorted(qualities.items())),
        f"{probabilities[0]:.2f}–{probabilities[-1]:.2f}",
        _short([f"{kind} in {number}" for kind, number in kinds.most_common()]),
    )


def _short(kinds: Sequence[str]) -> str:
    return f"{kinds[0]} +{len(kinds) - 1}" if len(kinds) > 1 else "".join(kinds)

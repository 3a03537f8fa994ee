"""`miqanet study agreement`: how well raters agree, in a table of scores or in a study."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.progress import Progress
from rich.table import Column, Table

from miqanet.cli.errors import errors, fail
from miqanet.cli.study_database import need_study, opened_study

if TYPE_CHECKING:
    from miqanet.consensus import Estimate, Ratings
    from miqanet.study.agreement import AgreementReport

_HEADINGS = {
    "overall": "All raters",
    "pair_agreement": "Agreement of two raters",
    "pair_cohen_kappa": "Cohen's kappa of two raters",
    "against_majority_of_others": "Agreement with the majority of the others",
    "bias": "Bias: mean difference from the others",
    "weight": "Weight of a vote",
    "percent_agreement_without": "Percent agreement without the rater",
    "fleiss_kappa_without": "Fleiss' kappa without the rater",
    "krippendorff_alpha_ordinal_without": "Krippendorff's alpha (ordinal) without the rater",
    "gwet_ac1_without": "Gwet's AC1 without the rater",
    "dawid_skene_prevalence": "Dawid-Skene: how often each class is the true one",
    "dawid_skene_accuracy": "Dawid-Skene: how often the rater is right",
    "dawid_skene_confusion": "Dawid-Skene: what the rater calls each true class",
    "seconds": "Seconds spent on an image (median)",
    "pace": "Pace: time spent on the last image by that on the first",
    "drift": "Drift: change of the bias from first to last image",
    "intra_rater_kappa": "Kappa of a rater with himself",
}
_NAMES = {
    "percent_agreement": "percent agreement (as a share)",
    "fleiss_kappa": "Fleiss' kappa",
    "mean_cohen_kappa": "Cohen's kappa, mean of pairs",
    "krippendorff_alpha_nominal": "Krippendorff's alpha, nominal",
    "krippendorff_alpha_ordinal": "Krippendorff's alpha, ordinal",
    "krippendorff_alpha_interval": "Krippendorff's alpha, interval",
    "gwet_ac1": "Gwet's AC1",
    "ceiling": "best rater against majority of others",
}


def agreement(
    place: Annotated[
        str,
        typer.Argument(
            metavar="FILE|DATABASE",
            help="Table in CSV: a row an item, a column a rater, with a header; or a database with a study.",
        ),
    ],
    item: Annotated[
        list[str] | None,
        typer.Option(
            help="Column that names the item; several apart by commas. By default columns with text, and those "
            "called item, image, id, subject or acquisition."
        ),
    ] = None,
    raters: Annotated[
        list[str] | None,
        typer.Option(
            help="Column of a rater; several apart by commas. By default all other columns of numbers."
        ),
    ] = None,
    binarize: Annotated[
        float | None, typer.Option(help="Tell only values of at least this from values below.")
    ] = None,
    json_file: Annotated[
        Path | None, typer.Option("--json", dir_okay=False, help="New file for all figures and labels.")
    ] = None,
    resamples: Annotated[int, typer.Option(min=1, help="Bootstrap resamples for the intervals.")] = 1000,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the file of --json.")] = False,
) -> None:
    """Print how well raters agree: every statistic with its 95 % interval, bootstrapped over items.

    In a table, `n/a` and empty cells are missing values, and the scale is the values that occur. Of a study, the
    first readings count, and each rater's speed, bias, drift and agreement with himself are told, too.
    """
    from miqanet.study.agreement import assess_agreement, steps

    if json_file is not None and json_file.exists() and not overwrite:
        fail(f"{json_file} exists: name another file or give --overwrite")
    if "://" in place or Path(place).is_dir() or Path(place).suffix == ".sqlite":
        if item or raters:
            fail("--item and --raters choose columns of a table; a study has none")
        source = _read_study(place, binarize)
    else:
        source = _read_table(Path(place), item or [], raters or [], binarize)
    ratings = source.ratings
    try:
        with Progress(console=errors, transient=True) as bar:
            task = bar.add_task("resampling", total=steps(resamples))
            report = assess_agreement(ratings, resamples=resamples, tick=lambda: bar.advance(task))
            figures = report.figures | source.rater_figures()
    except ValueError as error:
        fail(str(error))
    report = replace(report, figures=figures)
    _print(report, source, binarize)
    if json_file is not None:
        try:
            content = source.about | {"binarized_at": binarize} | report.as_json()
            json_file.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
        except OSError as error:
            fail(str(error))


@dataclass(frozen=True, slots=True)
class _Source:
    """Where ratings come from."""

    name: str
    ratings: Ratings
    """Binarized, where that was asked for."""

    lines: list[str]
    """What else is printed of it."""

    about: dict[str, Any]
    """What is told of it in JSON."""

    rater_figures: Callable[[], dict[str, dict[str, Estimate]]] = dict


def _read_table(file: Path, items: Sequence[str], raters: Sequence[str], binarize: float | None) -> _Source:
    from miqanet.study.rating_table import read_rating_table

    try:
        table = read_rating_table(file, items, raters)
    except (OSError, ValueError) as error:
        fail(str(error))
    lines = [f"items are named by: {', '.join(table.item_columns) or 'their row'}"]
    if table.ignored_columns:
        lines.append(f"ignored columns: {', '.join(table.ignored_columns)}")
    about = {
        "file": str(file),
        "item_columns": list(table.item_columns),
        "ignored_columns": list(table.ignored_columns),
    }
    ratings = table.ratings if binarize is None else table.ratings.binarized(binarize)
    return _Source(str(file), ratings, lines, about)


def _read_study(place: str, binarize: float | None) -> _Source:
    need_study()
    from miqanet.consensus import rater_reports, tabulate
    from miqanet.study.votes import consensus_votes, standing_readings

    with opened_study(place) as (connection, protocol):
        readings = standing_readings(connection)
    values, scale = protocol.grades, tuple(protocol.grades.values())
    if binarize is not None:
        values, scale = {name: int(grade >= binarize) for name, grade in values.items()}, (0, 1)
    votes = consensus_votes(readings, values)

    def rater_figures() -> dict[str, dict[str, Estimate]]:
        reports = rater_reports(votes, scale)
        return {
            "seconds": {each.rater: each.seconds for each in reports},
            "pace": {each.rater: each.pace for each in reports},
            "drift": {each.rater: each.drift for each in reports},
            "intra_rater_kappa": {each.rater: each.intra_rater_kappa for each in reports},
        }

    categories = ", ".join(f"{grade} is {value}" for value, grade in protocol.grades.items())
    return _Source(
        protocol.name,
        tabulate(votes, scale),
        [f"protocol version: {protocol.version}", f"scale: {categories}"],
        {"study": protocol.name, "protocol_version": protocol.version, "scale": protocol.grades},
        rater_figures,
    )


def _print(report: AgreementReport, source: _Source, binarize: float | None) -> None:
    console = Console(highlight=False, markup=False, soft_wrap=True)
    ratings = report.ratings
    given = int(ratings.given.sum())
    console.print(
        f"{source.name}: {len(ratings)} items, {given} ratings, {ratings.given.size - given} missing"
    )
    console.print(f"raters: {', '.join(ratings.raters)}")
    for line in source.lines:
        console.print(line)
    if binarize is not None:
        console.print(f"binarized: 1 is at least {binarize:g}, 0 is below")
    for section, figures in report.figures.items():
        console.print()
        console.print(_table(_HEADINGS[section], figures))
    model, labels = report.model, report.labels
    console.print()
    console.print(
        f"Dawid-Skene's fit {'converged' if model.converged else 'DID NOT CONVERGE'} "
        f"after {model.iterations} iterations"
    )
    counts = [f"{category:g}: {(labels.values == category).sum()}" for category in labels.categories]
    console.print(f"labels by majority: {', '.join(counts)}")
    console.print(f"ties for a senior reader to decide: {len(labels.to_adjudicate)}")


def _table(heading: str, figures: dict[str, Estimate]) -> Table:
    table = Table(
        Column(heading, overflow="fold"),
        Column("value", justify="right", no_wrap=True),
        Column("95 % interval", no_wrap=True),
        box=None,
        pad_edge=False,
    )
    for name, figure in figures.items():
        value, _, interval = str(figure).partition(" ") if isfinite(figure.value) else ("not defined", "", "")
        table.add_row(_NAMES.get(name, name), value, interval)
    return table

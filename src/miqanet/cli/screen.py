"""`miqanet screen`: judge every MR image of files and folders, and write verdicts and a report."""

from __future__ import annotations

import json
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from miqanet.cli.errors import INTERRUPTED, LOW_FOUND, NOTHING_JUDGED, WRONG_USE, complain, errors, fail
from miqanet.cli.paths import Paths

if TYPE_CHECKING:
    from miqanet.screening.run import ScreeningRun, Summary

_BUCKETS = ("high", "low", "review")


class FailOn(StrEnum):
    """What makes the command fail."""

    LOW = "low"


def screen(
    paths: Paths,
    out: Annotated[Path, typer.Option(file_okay=False, help="Folder for results.", metavar="DIR")],
    resume: Annotated[
        bool, typer.Option("--resume", help="Continue the interrupted run whose results are in DIR.")
    ] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the results in DIR.")] = False,
    fail_on: Annotated[
        FailOn | None, typer.Option(help="Exit with 1 when an image is of low quality.")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the summary as JSON, and nothing else.")
    ] = False,
    sort_into: Annotated[
        Path | None,
        typer.Option(
            file_okay=False, metavar="DIR", help="Put the images into high/, low/ and review/ here."
        ),
    ] = None,
    copy: Annotated[
        bool, typer.Option("--copy/--link", help="Copy or link the images that are sorted.")
    ] = False,
    modality: Annotated[
        list[str] | None, typer.Option(help="DICOM modality to judge, MR by default; repeat it for several.")
    ] = None,
    slice_axis: Annotated[
        int | None,
        typer.Option(min=0, max=2, help="Axis of NIfTI slices; by default that of largest spacing."),
    ] = None,
    report_images: Annotated[
        int, typer.Option(min=0, help="How many of the worst images the report shows.")
    ] = 300,
    report: Annotated[bool, typer.Option("--report/--no-report", help="Write report.html.")] = True,
    with_patient: Annotated[
        bool, typer.Option("--with-patient", help="Write patients' names and IDs into the results.")
    ] = False,
    weights: Annotated[
        Path | None, typer.Option(exists=True, file_okay=False, help="Folder of weights of your own.")
    ] = None,
    threads: Annotated[int, typer.Option(min=0, help="Processor threads for inference; 0 takes all.")] = 0,
) -> None:
    """Judge the diagnostic quality of MR images.

    Exit codes: 0 done (files that could not be read are rows with an error), 1 low images with --fail-on low,
    2 wrong use or a file that could not be sorted, 3 nothing could be judged, 130 interrupted.
    """
    if resume and overwrite:
        raise typer.BadParameter("--resume and --overwrite exclude each other")
    if copy and sort_into is None:
        raise typer.BadParameter("--copy needs --sort-into")
    if sort_into is not None and not resume and any(map(_has_content, _buckets(sort_into))):
        raise typer.BadParameter(f"{sort_into} holds sorted images already: choose or make an empty folder")

    started = time.monotonic()
    from miqanet.screening.card import WeightsError, default_weights
    from miqanet.screening.engine import Engine

    with ThreadPoolExecutor(1) as pool:
        loading = pool.submit(Engine, weights or default_weights(), threads=threads)
        # What these bring along (pydicom, nibabel) loads while the network is compiled.
        from miqanet.screening.run import RunError, ScreeningRun, Selection
        from miqanet.screening.sorting import FAILED, Placement, sort_files

    chosen = tuple(map(str, paths))
    sorted_files: Counter[str] | None = None
    try:
        run = ScreeningRun(
            out,
            loading.result(),
            Selection(chosen, tuple(name.upper() for name in modality or ["MR"]), slice_axis, with_patient),
            resume=resume,
            overwrite=overwrite,
            report_images=report_images if report else None,
            leave_out=_buckets(sort_into) if sort_into is not None else (),
        )
        judged = _watch(run)
        summary = run.finish()
        if sort_into is not None:
            placement = Placement.COPY if copy else Placement.LINK
            sorted_files = sort_files(sort_into, run.results(), chosen, placement, on_failure=_explain)
        seconds = time.monotonic() - started
    except KeyboardInterrupt:
        errors.print(
            f"Interrupted. What was judged is in {out / 'results.csv'}; --resume continues.", markup=False
        )
        raise typer.Exit(INTERRUPTED) from None
    except (RunError, WeightsError, OSError) as error:
        fail(str(error))

    if as_json:
        content = asdict(summary) | {"images_judged_now": judged, "seconds": round(seconds, 3)}
        if sorted_files is not None:
            content["sorted"] = dict(sorted_files)
        typer.echo(json.dumps(content, indent=2))
    else:
        _print_summary(summary, sorted_files, judged, seconds)
    if not summary.images:
        errors.print(
            f"Nothing could be judged: see the column `error` of {out / 'results.csv'}.", markup=False
        )
        raise typer.Exit(NOTHING_JUDGED)
    if sorted_files is not None and sorted_files[FAILED]:
        raise typer.Exit(WRONG_USE)
    if fail_on is FailOn.LOW and summary.low:
        raise typer.Exit(LOW_FOUND)


def _explain(path: str, error: OSError) -> None:
    complain(f"{path} could not be sorted: {error}")


def _watch(run: ScreeningRun) -> int:
    """Judge everything under a progress bar (if somebody looks); return the number of images."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("files, {task.fields[images]} images"),
        TextColumn("{task.fields[rate]:.1f}/s"),
        TimeRemainingColumn(),
    )
    images = 0
    bar = Progress(*columns, console=errors, disable=not errors.is_terminal)
    task = bar.add_task("Screening", total=None, images=0, rate=0.0)
    if errors.is_terminal:
        # A walk through a large archive takes a while, and only the bar needs its result.
        Thread(target=lambda: bar.update(task, total=run.remaining()), daemon=True).start()
    started, path = time.monotonic(), ""
    with bar, closing(run.rows()) as rows:
        for row in rows:
            images += not row.error
            rate = images / max(time.monotonic() - started, 1e-3)
            bar.update(task, advance=row.path != path, images=images, rate=rate)
            path = row.path
    return images


def _print_summary(summary: Summary, sorted_files: Counter[str] | None, judged: int, seconds: float) -> None:
    console = Console()
    console.print(f"{summary.images} images judged by {summary.model_version}", markup=False, highlight=False)
    table = Table("")
    table.add_column("images", justify="right")
    table.add_row("high quality", str(summary.high), style="green")
    table.add_row("low quality", str(summary.low), style="red")
    table.add_row("of both, for review", str(summary.review), style="yellow")
    table.add_row("skipped: no MR images", str(summary.skipped))
    table.add_row("errors", str(summary.errors))
    console.print(table)
    console.print(f"{summary.low_series} of {summary.series} series are of low quality.", highlight=False)
    if summary.findings:
        frequent = ", ".join(f"{kind} {number}" for kind, number in summary.findings.items())
        console.print(f"Suspected artifacts: {frequent}", highlight=False)
    console.print(f"{judged} images in {seconds:.1f} s: {judged / seconds:.1f} a second", highlight=False)
    for path in summary.outputs:
        console.print(f"  {path}", markup=False, highlight=False, soft_wrap=True)
    if sorted_files is not None:
        files = ", ".join(f"{bucket} {number}" for bucket, number in sorted_files.items() if number)
        console.print(f"Files sorted: {files or 'none'}", highlight=False)


def _buckets(folder: Path) -> tuple[Path, ...]:
    return tuple(folder / name for name in _BUCKETS)


def _has_content(folder: Path) -> bool:
    return folder.is_dir() and any(folder.iterdir())

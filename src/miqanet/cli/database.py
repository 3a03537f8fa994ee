"""`miqanet database`: make a labelled, simulated database out of clean images, and say what is in it."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from miqanet.cli.errors import INTERRUPTED, errors, fail, need

app = typer.Typer(no_args_is_help=True, help="Make a labelled, simulated database, or say what is in one.")

_SHOWN_ERRORS = 10


@app.callback()
def require_extra() -> None:
    """Make a labelled, simulated database, or say what is in one."""
    need("database", "sqlalchemy", "alembic")


@app.command()
def build(
    clean_dir: Annotated[
        Path, typer.Argument(help="Folder of clean MR images; a MANIFEST.csv in it is heeded.")
    ],
    out_dir: Annotated[Path, typer.Argument(help="Folder to make, or one whose build was interrupted.")],
    low: Annotated[int, typer.Option(min=0, help="Images of low quality.")] = 1285,
    high: Annotated[int, typer.Option(min=0, help="Images of high quality.")] = 2524,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same images.")] = 0,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Processes; as many as processors by default.")
    ] = None,
) -> None:
    """Spoil clean images by simulated artifacts until the counts are filled, each image with its label."""
    from miqanet.database.build import DatabaseExistsError
    from miqanet.database.build import build as build_database

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    bar = Progress(*columns, console=errors)
    task = bar.add_task("starting", total=None)

    def show(what: str, done: int, total: int) -> None:
        bar.update(task, description=what, completed=done, total=total)

    try:
        with bar:
            summary = build_database(
                clean_dir,
                out_dir,
                low=low,
                high=high,
                seed=seed,
                workers=workers or _processors(),
                progress=show,
            )
    except (DatabaseExistsError, FileNotFoundError, ValueError) as error:
        fail(str(error))
    except KeyboardInterrupt:
        errors.print("Interrupted. The same command continues where it stopped.")
        raise typer.Exit(INTERRUPTED) from None
    unread = [each for each in summary.unread if not each.reason.startswith("skipped:")]
    for each in unread[:_SHOWN_ERRORS]:
        errors.print(f"not read: {each.path}: {each.reason}", markup=False)
    if len(unread) > _SHOWN_ERRORS:
        errors.print(f"not read: {len(unread) - _SHOWN_ERRORS} more files")
    typer.echo(
        f"{out_dir}: {summary.low + summary.high} simulated images, {summary.low} of low and {summary.high} "
        f"of high quality; {summary.redraws} draws were not taken: their class was full"
    )


@app.command()
def info(
    out_dir: Annotated[Path, typer.Argument(help="Folder of a database.")],
) -> None:
    """Print how many images there are by label, artifact, body part and dataset."""
    from miqanet.database.query import Database

    try:
        with Database.open(out_dir) as database:
            images, sources, properties = database.images(), database.sources(), database.properties()
    except (FileNotFoundError, ValueError) as error:
        fail(str(error))
    simulated = all(image.simulated for image in images)
    console = Console()
    what = "simulated images and simulated labels, no radiologist's" if simulated else "images"
    console.print(f"{out_dir}: {len(images)} {what}", markup=False)
    console.print(
        f"from {len(sources)} clean slices of {len({source.subject for source in sources})} subjects; "
        f"seed {properties.get('seed')}, made by {properties.get('created_by')}",
        markup=False,
    )
    artifacts = [(kind, harm >= 1) for image in images for kind, harm in image.harms.items()]
    _print_counts(console, "body part", [(image.body_part, image.low) for image in images], simulated)
    _print_counts(console, "dataset", [(image.dataset, image.low) for image in images], simulated)
    _print_counts(console, "artifact", artifacts, simulated, ("spoils the image", "too mild to matter"))


def _print_counts(
    console: Console,
    heading: str,
    counted: list[tuple[str, bool]],
    simulated: bool,
    columns: tuple[str, str] = ("low", "high"),
) -> None:
    """Print a table of how often each name was counted, apart for the two cases."""
    table = Table(title=f"By {heading}{' (simulated)' if simulated else ''}", title_justify="left")
    table.add_column(heading)
    for column in (*columns, "all"):
        table.add_column(column, justify="right")
    counts = Counter(counted)
    names = sorted({name for name, _ in counted})
    for name in names:
        first, second = counts[name, True], counts[name, False]
        table.add_row(name, str(first), str(second), str(first + second))
    if columns == ("low", "high"):
        low = sum(positive for _, positive in counted)
        table.add_section()
        table.add_row("all", str(low), str(len(counted) - low), str(len(counted)))
    console.print(table)


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1

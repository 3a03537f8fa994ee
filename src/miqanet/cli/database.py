"""`miqanet database`: make a database of labelled images, simulated or real, and say what is in it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from miqanet import __version__
from miqanet.cli.errors import INTERRUPTED, errors, fail, need
from miqanet.cli.place import Place, opened, told
from miqanet.cli.processors import processors

if TYPE_CHECKING:
    from miqanet.reading import ReadError

_HELP = "Make a database of labelled images, simulated or real, and say what is in one."

app = typer.Typer(no_args_is_help=True, help=_HELP)

_SHOWN_ERRORS = 10

_Url = Annotated[
    str | None,
    typer.Option(help="Keep the rows on a server: postgresql+pg8000://USER:PASSWORD@HOST/DATABASE."),
]


@app.callback(help=_HELP)
def require_extra() -> None:
    """End unless the extra is installed."""
    need("database", "sqlalchemy", "alembic", "dicomanonymizer", "imagehash", "pg8000", "skimage")


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
    url: _Url = None,
) -> None:
    """Spoil clean images by simulated artifacts until the counts are filled, with eight simulated raters' votes."""
    from concurrent.futures.process import BrokenProcessPool

    from miqanet.database.build import build as build_database
    from miqanet.database.creation import DatabaseExistsError

    try:
        with told(str(out_dir)), _bar("Interrupted. The same command continues where it stopped.") as show:
            summary = build_database(
                clean_dir, out_dir, low=low, high=high, seed=seed, workers=workers or processors(),
                url=url, progress=show,
            )  # fmt: skip
    except BrokenProcessPool:
        fail("a process has ended, perhaps for want of memory; the same command continues where it stopped")
    except (DatabaseExistsError, OSError, ValueError) as error:
        fail(str(error))
    _print_unread(summary.unread)
    typer.echo(
        f"{out_dir}: {summary.low + summary.high} simulated images, {summary.low} of low and {summary.high} "
        f"of high quality; {summary.redraws} draws were not taken: on {summary.ties} the simulated raters were "
        "tied, of the others the class was full"
    )


@app.command("import")
def import_folder(
    folder: Annotated[Path, typer.Argument(help="Folder of MR images; a MANIFEST.csv in it is heeded.")],
    out_dir: Annotated[Path, typer.Argument(help="Folder of the database, a new one or one to add to.")],
    key: Annotated[
        Path,
        typer.Option(help="File of the key that pseudonyms are made with. Keep it apart from the images."),
    ],
    create_key: Annotated[bool, typer.Option(help="Make that file.")] = False,
    dataset: Annotated[
        str, typer.Option(help="Study or site that the images are from, where no manifest says it.")
    ] = "imported",
    votes: Annotated[
        Path | None,
        typer.Option(help="CSV of votes: file, rater, quality (low or high), and frame if needed."),
    ] = None,
    ties: Annotated[
        Path | None,
        typer.Option(
            dir_okay=False, help="New CSV of the images with tied votes, for a senior reader to fill in."
        ),
    ] = None,
    url: _Url = None,
) -> None:
    """Take real images into a database, de-identified. What is there is never overwritten."""
    from miqanet.database import pseudonyms
    from miqanet.database.creation import DatabaseExistsError, begin
    from miqanet.database.given_votes import read_votes
    from miqanet.database.importing import check_folders, import_images
    from miqanet.database.ties import write_ties

    if ties is not None and votes is None:
        fail("--ties lists the images whose --votes are tied: give these, too")
    if ties is not None and ties.exists():
        fail(f"{ties} exists: name another file")
    but_the_key = ", without --create-key" if create_key else ""
    try:
        check_folders(folder, out_dir)
        pseudonyms.keep_apart(key, out_dir, folder)
        given = read_votes(votes) if votes else []
        if create_key:
            pseudonyms.create_key(key)
        names = pseudonyms.Pseudonyms(pseudonyms.read_key(key))
        with (
            told(str(out_dir)),
            begin(out_dir, {"created_by": f"miqanet {__version__}"}, url) as database,
            _bar(f"Interrupted. The same command goes on{but_the_key}.") as show,
        ):
            summary = import_images(folder, database, names, dataset=dataset, votes=given, progress=show)
        if ties is not None:
            write_ties(ties, summary.ties)
    except (DatabaseExistsError, OSError, ValueError) as error:
        fail(str(error))
    _print_unread(summary.unread)
    if summary.unmatched:
        errors.print(
            f"{len(summary.unmatched)} votes are on images that were not found below {folder} or not read, or need "
            f"a frame; the first is on {summary.unmatched[0].file}",
            markup=False,
            soft_wrap=True,
        )
    typer.echo(
        f"{out_dir}: {summary.added} images added, {summary.known} were there; {summary.votes} votes added, "
        f"{len(summary.ties)} images await a senior reader: their votes are tied"
    )
    if summary.left:
        typer.echo(
            f"{summary.left} images with votes keep the labels that they have by other means, such as a "
            "study's; the votes are kept beside them"
        )


@app.command()
def info(place: Place) -> None:
    """Print how many images, votes and raters there are, by label, artifact, body part and dataset."""
    from miqanet.database.records import what_is_simulated

    with opened(place) as database:
        try:
            images = database.images()
        except ValueError as error:
            fail(str(error))
        sources, subjects = database.sources(), database.subjects()
        votes, raters, properties = database.votes(), database.raters(), database.properties()
        all_images = database.image_count()
        folder = database.folder
    made_up = sum(image.simulated for image in images)
    mark = f" ({'partly ' if made_up < len(images) else ''}simulated)" if made_up else ""
    console = Console()
    simulated = f" ({said})" if (said := what_is_simulated(images)) else ""
    console.print(
        f"{folder}: {len(images)} labelled images{simulated}; {all_images - len(images)} images without a label (no "
        "votes, or tied ones)",
        markup=False,
    )
    console.print(f"of {len(subjects)} subjects; made by {properties.get('created_by')}", markup=False)
    if sources:
        ties = f", {properties['ties']} ties drawn anew" if "ties" in properties else ""
        console.print(
            f"simulated from {len(sources)} clean slices of {len({source.subject for source in sources})} "
            f"subjects; seed {properties.get('seed')}, {properties.get('draws')} draws{ties}"
        )
    if raters:
        split = [image for image in images if image.low_votes not in (None, 0, 1)]
        console.print(
            f"{len(votes)} votes of {len(raters)} raters, {sum(rater.simulated for rater in raters)} of them "
            "simulated; "
            f"{len(split)} images ({len(split) / max(1, len(images)):.1%}) have a split vote"
        )
    artifacts = [(kind, harm >= 1) for image in images for kind, harm in image.harms.items()]
    _print_counts(console, "body part", [(image.body_part, image.low) for image in images], mark)
    _print_counts(console, "dataset", [(image.dataset, image.low) for image in images], mark)
    _print_counts(console, "artifact", artifacts, mark, ("spoils the image", "too mild to matter"))
    cast = [(vote.rater, vote.low) for vote in votes]
    _print_counts(console, "rater", cast, mark, ("says low", "says high"))


@app.command("export")
def export_tables(
    place: Place,
    out_dir: Annotated[Path, typer.Argument(help="Folder to make.")],
) -> None:
    """Write images and tables, every vote included, as PNG, CSV and Parquet."""
    from miqanet.database.exporting import export

    with opened(place) as database:
        try:
            with _bar("Interrupted. Nothing was written.") as show:
                summary = export(database, out_dir, show)
        except OSError as error:
            fail(str(error))
    typer.echo(f"{out_dir}: {summary.images} images, {summary.votes} votes")


@app.command()
def check(place: Place) -> None:
    """Look for missing and changed files, and for one picture under two subjects. Exit code 1 if there is any."""
    from miqanet.database.checking import check as check_database

    with opened(place) as database, _bar("Interrupted.") as show:
        summary = check_database(database, show)
    found = [
        *(f"missing: {path}" for path in summary.missing),
        *(f"changed: {path}" for path in summary.changed),
        *(
            f"near-duplicates of two subjects: {pair.path} and {pair.other} ({pair.distance} bits apart)"
            for pair in summary.near_duplicates
        ),
    ]
    for line in found:
        typer.echo(line)
    typer.echo(f"{database.folder}: {summary.files} files, {len(found)} findings")
    if found:
        raise typer.Exit(1)


@app.command()
def upgrade(place: Place) -> None:
    """Bring a database of an earlier miqanet up to this one's schema, without loss."""
    from miqanet.database.store import upgrade_database

    try:
        revision = upgrade_database(place)
    except (FileNotFoundError, ValueError) as error:
        fail(str(error))
    typer.echo(f"schema revision {revision}")


@contextmanager
def _bar(when_interrupted: str) -> Iterator[Callable[[str, int, int], None]]:
    """Show a progress bar, and end the command with these words on Ctrl-C."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    bar = Progress(*columns, console=errors)
    task = bar.add_task("starting", total=None)

    def show(what: str, done: int, total: int) -> None:
        bar.update(task, description=what, completed=done, total=total)

    try:
        with bar:
            yield show
    except KeyboardInterrupt:
        errors.print(when_interrupted)
        raise typer.Exit(INTERRUPTED) from None


def _print_unread(unread: Sequence[ReadError]) -> None:
    """Print the first files that gave no image, but those that are none."""
    listed = [each for each in unread if not each.reason.startswith("skipped:")]
    for each in listed[:_SHOWN_ERRORS]:
        errors.print(f"not read: {each.path}: {each.reason}", markup=False)
    if len(listed) > _SHOWN_ERRORS:
        errors.print(f"not read: {len(listed) - _SHOWN_ERRORS} more files")


def _print_counts(
    console: Console,
    heading: str,
    counted: list[tuple[str, bool]],
    mark: str,
    columns: tuple[str, str] = ("low", "high"),
) -> None:
    """Print a table of how often each name was counted, apart for the two cases; nothing for no names."""
    if not counted:
        return
    table = Table(title=f"By {heading}{mark}", title_justify="left")
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

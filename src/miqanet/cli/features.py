"""`miqanet features`: write what the no-reference methods measure in every image of files and folders."""

from __future__ import annotations

from concurrent.futures.process import BrokenProcessPool
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from miqanet.cli.errors import INTERRUPTED, NOTHING_JUDGED, errors, fail
from miqanet.cli.paths import Paths
from miqanet.cli.processors import processors

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from miqanet.features.extraction import FeatureRow
    from miqanet.features.table import FeatureTable
    from miqanet.image import MRImage
    from miqanet.reading import ReadError


def features(
    paths: Paths,
    out: Annotated[Path, typer.Option(dir_okay=False, help="Parquet file to write.", metavar="FILE")],
    method: Annotated[
        str, typer.Option(help="Methods, joined by commas: bliinds2, brisque, diivine, measures.")
    ] = "brisque,bliinds2,diivine",
    brisque_release: Annotated[
        Path | None,
        typer.Option(
            exists=True,
            file_okay=False,
            metavar="DIR",
            help="Folder with allmodel and allrange of BRISQUE's release: adds the column brisque_score.",
        ),
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace FILE.")] = False,
    modality: Annotated[
        list[str] | None, typer.Option(help="DICOM modality to read, MR by default; repeat it for several.")
    ] = None,
    slice_axis: Annotated[
        int | None,
        typer.Option(min=0, max=2, help="Axis of NIfTI slices; by default that of largest spacing."),
    ] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Processes; as many as processors by default.")
    ] = None,
) -> None:
    """Write the features of MR images: a row an image, a column a feature.

    Exit codes: 0 done (files that could not be read are rows with an error), 2 wrong use, 3 nothing could be
    read, 130 interrupted.
    """
    from miqanet.features import METHODS
    from miqanet.features.brisque_release import ReleasedBrisque
    from miqanet.features.extraction import extract
    from miqanet.features.table import FeatureTable
    from miqanet.screening.results import partial

    methods = tuple(dict.fromkeys(name.strip().lower() for name in method.split(",")))
    for name in methods:
        if name not in METHODS:
            raise typer.BadParameter(
                f"{name!r} is none of {', '.join(sorted(METHODS))}", param_hint="--method"
            )
    if brisque_release is not None and "brisque" not in methods:
        raise typer.BadParameter("--brisque-release needs brisque among the methods")
    if out.exists() and not overwrite:
        raise typer.BadParameter(f"{out} exists: --overwrite replaces it", param_hint="--out")

    unfinished = partial(out)
    try:
        released = None
        if brisque_release is not None:
            released = ReleasedBrisque.load(brisque_release / "allmodel", brisque_release / "allrange")
        out.parent.mkdir(parents=True, exist_ok=True)
        own = {file.resolve() for file in (out, unfinished)}
        items = _items(paths, own, modality or ["MR"], slice_axis)
        with (
            closing(extract(items, methods, workers=workers or processors())) as rows,
            FeatureTable(unfinished, methods, released=released) as table,
        ):
            images, failed = _fill(table, rows, paths, own)
        unfinished.replace(out)
    except KeyboardInterrupt:
        errors.print("Interrupted. Nothing was written.")
        raise typer.Exit(INTERRUPTED) from None
    except (BrokenProcessPool, OSError, ValueError) as error:
        fail(str(error))
    finally:
        # Where its folder is none, there is nothing to remove and the error is told.
        with suppress(OSError):
            unfinished.unlink()

    typer.echo(f"{out}: {images} images; {failed} rows with an error")
    if not images:
        errors.print(f"Nothing could be read: see the column `error` of {out}.", markup=False)
        raise typer.Exit(NOTHING_JUDGED)


def _files(paths: list[Path], own: set[Path]) -> Iterator[str | ReadError]:
    """List the files, less what this command writes itself."""
    from miqanet.reading import ReadError, list_files

    for file in list_files(paths):
        if isinstance(file, ReadError) or Path(file).resolve() not in own:
            yield file


def _items(
    paths: list[Path], own: set[Path], modalities: list[str], slice_axis: int | None
) -> Iterator[MRImage | ReadError]:
    from miqanet.reading import ReadError, read_file

    for file in _files(paths, own):
        if isinstance(file, ReadError):
            yield file
        else:
            yield from read_file(file, modalities=modalities, slice_axis=slice_axis)


def _fill(
    table: FeatureTable, rows: Iterable[FeatureRow], paths: list[Path], own: set[Path]
) -> tuple[int, int]:
    """Write rows under a progress bar (if somebody looks); return the numbers of images and of errors."""
    from miqanet.screening.results import encodable

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("files, {task.fields[images]} images"),
        TimeRemainingColumn(),
    )
    images = failed = 0
    last = ""
    bar = Progress(*columns, console=errors, disable=not errors.is_terminal)
    task = bar.add_task("Measuring", total=None, images=0)
    if errors.is_terminal:
        # A walk through a large archive takes a while, and only the bar needs its result.
        Thread(target=lambda: bar.update(task, total=sum(1 for _ in _files(paths, own))), daemon=True).start()
    with bar:
        for row in rows:
            table.write(replace(row, path=encodable(row.path)))
            images += bool(row.vectors)
            failed += bool(row.error)
            bar.update(task, advance=row.path != last, images=images)
            last = row.path
    return images, failed

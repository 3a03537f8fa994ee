"""`miqanet train`: fit MIQANet to a database."""

from __future__ import annotations

import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from miqanet.cli.errors import INTERRUPTED, fail, need

if TYPE_CHECKING:
    from torch import Tensor

    from miqanet.database.records import ImageRecord

_WATCHED = 200
"""About as many images of a set are judged after every epoch: enough to choose by, and no long wait."""


def train(
    database: Annotated[Path, typer.Argument(help="Folder of a database (`miqanet database build`).")],
    out: Annotated[
        Path, typer.Option("--out", "-o", help="Folder of this run; an interrupted run in it goes on.")
    ],
    size: Annotated[int, typer.Option(min=64, help="Side of the input in pixels; 512 in the paper.")] = 512,
    epochs: Annotated[int, typer.Option(min=1, help="Epochs, fixed before the run.")] = 30,
    batch: Annotated[int, typer.Option(min=2, help="Images a step; 10 in the paper.")] = 10,
    images_per_epoch: Annotated[
        int, typer.Option(min=2, help="With fresh artifacts: images an epoch.")
    ] = 3000,
    learning_rate: Annotated[float, typer.Option(min=0.0, help="Peak of AdamW's learning rate.")] = 1e-3,
    hold_out: Annotated[
        list[str] | None,
        typer.Option(
            help="A dataset or body part that training must not see; watched on the curve. Repeatable."
        ),
    ] = None,
    start: Annotated[
        Path | None,
        typer.Option(help="Begin with the weights of this run, or of this folder with miqanet.safetensors."),
    ] = None,
    stored: Annotated[
        bool,
        typer.Option("--stored", help="Learn from the stored images instead of spoiling clean ones afresh."),
    ] = False,
    workers: Annotated[int, typer.Option(min=0, help="Processes that make images.")] = 1,
    seed: Annotated[int, typer.Option(min=0, help="Of weights, order and artifacts.")] = 0,
) -> None:
    """Fit MIQANet to a database, with subjects split into training, validation and test.

    Clean slices of the training subjects are spoiled afresh every epoch; the stored images of the validation
    subjects choose the best epoch. Run the same command again after an interruption, and it goes on. Train at
    256 pixels first and finish at 512 with --start: that takes a quarter of the time. Test subjects are not
    touched; `miqanet export` measures on them.
    """
    need("train", "torch", "lightning", "sqlalchemy")
    from miqanet.database.folds import Role
    from miqanet.database.query import Database
    from miqanet.training.curve import read_curve
    from miqanet.training.fit import FitSettings, fit
    from miqanet.training.hardware import hardware
    from miqanet.training.run import Run

    try:
        settings = FitSettings(
            size=size, batch=batch, epochs=epochs, images_per_epoch=images_per_epoch,
            learning_rate=learning_rate, workers=workers, seed=seed,
        )  # fmt: skip
        with Database.open(database) as opened:
            sources, images, subjects = opened.sources(), opened.images(), opened.subjects()
            names = opened.subject_names()
            fingerprint = opened.fingerprint()
        before = Run.read(start) if start and (start / "run.json").exists() else None
        run = Run(
            asdict(settings), fingerprint, tuple(hold_out or ()), 0, not stored,
            started_from=asdict(before) if before else {"weights": start.name} if start else None,
        )  # fmt: skip
        if (out / "run.json").exists():
            begun = Run.read(out)
            if not begun.same_as(run):
                fail(f"{out} holds a run with other settings or data; choose another --out")
            run = begun
        roles = run.roles(subjects, names)
        run = replace(
            run, trained_on=tuple(sorted(names[s] for s, role in roles.items() if role is Role.TRAIN))
        )
        weights = starting_weights(start) if start else None
    except (FileNotFoundError, ValueError) as error:
        fail(str(error))

    def of(role: Role) -> list[ImageRecord]:
        return [image for image in images if roles[image.subject] is role]

    watched = {"validation": of(Role.VALIDATION), "held_out": of(Role.HELD_OUT)}
    watched = {name: records for name, records in watched.items() if records or name == "validation"}
    watched = {name: records[:: len(records) // _WATCHED + 1] for name, records in watched.items()}
    training = of(Role.TRAIN) if stored else [s for s in sources if roles[s.subject] is Role.TRAIN]
    if len({image.low for image in watched["validation"]}) < 2:
        fail(f"{database} has too few subjects: validation needs images of low and of high quality")
    if stored and len(training) < batch:
        fail(f"{database} has {len(training)} stored images to train on, too few for --batch {batch}")
    out.mkdir(parents=True, exist_ok=True)
    run.write(out)
    typer.echo(
        f"training on {len(training)} {'stored images' if stored else 'clean slices, spoiled afresh'}; "
        + ", ".join(f"{len(records)} {name.replace('_', '-')} images" for name, records in watched.items())
    )
    if done := len(read_curve(out)):
        typer.echo(f"continuing after epoch {done} of {epochs}")
    began = time.monotonic()
    try:
        best = fit(out, training, watched, settings, start=weights, tell=typer.echo)
    except KeyboardInterrupt:
        typer.echo("Interrupted. The same command continues after the last finished epoch.", err=True)
        raise typer.Exit(INTERRUPTED) from None
    finally:
        run.took((time.monotonic() - began) / 60, hardware()).write(out)
    typer.echo(f"best epoch: {best}\nnext: miqanet export {out} {database} --out WEIGHTS --version VERSION")


def starting_weights(start: Path) -> dict[str, Tensor]:
    """Return the weights of a run's best checkpoint, or of a folder of shipped ones."""
    from miqanet.training.export import read_half_precision
    from miqanet.training.fit import BEST_CHECKPOINT, network_weights

    if (start / BEST_CHECKPOINT).exists():
        return network_weights(start / BEST_CHECKPOINT)
    return read_half_precision(start)

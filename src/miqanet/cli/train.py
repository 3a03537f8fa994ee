"""`miqanet train`: fit MIQANet, or a network that it is compared with, to a database."""

from __future__ import annotations

import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from miqanet.cli.errors import INTERRUPTED, fail, need
from miqanet.cli.place import Place, shown

if TYPE_CHECKING:
    from torch import Tensor

    from miqanet.database.records import ImageRecord


def train(
    database: Place,
    out: Annotated[
        Path, typer.Option("--out", "-o", help="Folder of this run; an interrupted run in it goes on.")
    ],
    size: Annotated[int, typer.Option(min=64, help="Side of the input in pixels; 512 in the paper.")] = 512,
    epochs: Annotated[int, typer.Option(min=1, help="Epochs, fixed before the run.")] = 30,
    batch: Annotated[int, typer.Option(min=2, help="Images a step; 10 in the paper.")] = 10,
    images_per_epoch: Annotated[
        int, typer.Option(min=2, help="With fresh artifacts: images an epoch.")
    ] = 3000,
    learning_rate: Annotated[
        float | None,
        typer.Option(min=0.0, help="Peak of AdamW's learning rate; by default the network's own."),
    ] = None,
    network: Annotated[
        str, typer.Option(help="miqanet, or one of its rivals: resnet34, vgg16, squeezenet.")
    ] = "miqanet",
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
    pretrained: Annotated[
        Path | None,
        typer.Option(
            help="Begin with weights of ImageNet: a state dict with torchvision's names (.pth, .safetensors)."
        ),
    ] = None,
    stored: Annotated[
        bool,
        typer.Option("--stored", help="Learn from the stored images instead of spoiling clean ones afresh."),
    ] = False,
    final: Annotated[
        bool,
        typer.Option(
            "--final",
            help="Learn from the test subjects, too: weights to ship, once the run in --start has been measured.",
        ),
    ] = False,
    workers: Annotated[int, typer.Option(min=0, help="Processes that make images, for each device.")] = 1,
    devices: Annotated[
        int,
        typer.Option(
            min=1, help="GPUs (without them, processes) that train side by side, --batch images each."
        ),
    ] = 1,
    seed: Annotated[int, typer.Option(min=0, help="Of weights, order and artifacts.")] = 0,
) -> None:
    """Fit a network to a database, with subjects split into training, validation and test.

    Clean slices of the training subjects are spoiled afresh every epoch; the stored images of the validation
    subjects choose the best epoch. Run the same command again after an interruption, and it goes on. Train at
    256 pixels first and finish at 512 with --start: that takes a quarter of the time. Test subjects are not
    touched unless by --final; `miqanet export` measures on them.
    """
    need("train", "torch", "lightning", "sqlalchemy")
    from miqanet.database.folds import Role
    from miqanet.database.query import Database
    from miqanet.database.records import labels_sha256, what_is_simulated
    from miqanet.networks import architecture
    from miqanet.training.curve import read_curve
    from miqanet.training.fit import FitSettings, fit, to_watch
    from miqanet.training.hardware import hardware
    from miqanet.training.run import Run

    if start and pretrained:
        fail("a run begins with --start or with --pretrained, not with both")
    if final and not start:
        fail("--final goes on from a run that has been measured on its test subjects: give it by --start")
    try:
        rate = architecture(network).learning_rate if learning_rate is None else learning_rate
        settings = FitSettings(
            size=size, batch=batch, epochs=epochs, images_per_epoch=images_per_epoch,
            learning_rate=rate, workers=workers, seed=seed, network=network, devices=devices,
        )  # fmt: skip
        with Database.open(database) as opened:
            sources, images, subjects = opened.sources(), opened.images(), opened.subjects()
            names, fingerprint = opened.subject_names(), opened.fingerprint()
        run = Run(
            asdict(settings), fingerprint, tuple(hold_out or ()), 0, not stored,
            started_from=_beginning(start, pretrained, network), final=final,
            labels_sha256=labels_sha256(images),
        )  # fmt: skip
        if (out / "run.json").exists():
            begun = Run.read(out)
            if not begun.same_as(run):
                fail(f"{out} holds a run with other settings or data; choose another --out")
            run = begun
        roles = run.roles(subjects, names)
        weights = starting_weights(start, pretrained, network)
    except (FileNotFoundError, ValueError) as error:
        fail(str(error))

    def of(role: Role) -> list[ImageRecord]:
        return [image for image in images if roles[image.subject] is role]

    watched = {"validation": of(Role.VALIDATION), "held_out": of(Role.HELD_OUT)}
    watched = {name: records for name, records in watched.items() if records or name == "validation"}
    watched = {name: to_watch(records) for name, records in watched.items()}
    training = of(Role.TRAIN) if stored else [s for s in sources if roles[s.subject] is Role.TRAIN]

    def named(role: Role) -> tuple[str, ...]:
        return tuple(sorted(names[subject] for subject, each in roles.items() if each is role))

    run = replace(
        run,
        trained_on=named(Role.TRAIN),
        validated_on=named(Role.VALIDATION),
        body_parts=tuple(sorted({record.body_part for record in training})),
    )
    if len({image.low for image in watched["validation"]}) < 2:
        fail(f"{shown(database)} has too few subjects: validation needs images of low and of high quality")
    if not training and not stored:
        fail(
            f"{shown(database)} holds no clean slices to spoil; give --stored to learn from its rated images"
        )
    if stored and len(training) < batch * devices:
        fail(f"{shown(database)} has {len(training)} stored images to train on, too few for --batch {batch}")
    out.mkdir(parents=True, exist_ok=True)
    run.write(out)
    if simulated := what_is_simulated(images):
        typer.echo(f"on {simulated}")
    typer.echo(
        f"training on {len(training)} {'stored images' if stored else 'clean slices, spoiled afresh'}; "
        + ", ".join(f"{len(records)} {name.replace('_', '-')} images" for name, records in watched.items())
    )
    if done := len(read_curve(out)):
        typer.echo(f"continuing after epoch {done} of {epochs}")
    began = time.monotonic()
    try:
        best = fit(out, training, watched, settings, start=weights, tell=typer.echo)
    except (OSError, ValueError) as error:
        fail(str(error))
    except KeyboardInterrupt:
        typer.echo("Interrupted. The same command continues after the last finished epoch.", err=True)
        raise typer.Exit(INTERRUPTED) from None
    finally:
        run.took((time.monotonic() - began) / 60, hardware(devices)).write(out)
    following = f"miqanet export {out} {shown(database)} --out WEIGHTS --version VERSION"
    typer.echo(f"best epoch: {best}\nnext: {following}")


def _beginning(start: Path | None, pretrained: Path | None, network: str) -> dict[str, Any] | None:
    """Return for the record what a run begins with: an earlier run, weights of ImageNet, or nothing.

    Raises:
        FileNotFoundError: nothing says whom the weights to start with know.
        ValueError: they are of another network.
    """
    from miqanet.training.run import Run

    if pretrained:
        return {"pretrained": pretrained.name}
    if start is None:
        return None
    before = Run.read(start)
    if before.network != network:
        raise ValueError(f"{start} holds a run of {before.network}; give --network {before.network}")
    return asdict(before)


def starting_weights(start: Path | None, pretrained: Path | None, network: str) -> dict[str, Tensor] | None:
    """Return the weights of a run's best checkpoint, of a folder of shipped ones, or of ImageNet."""
    from miqanet.networks.pretrained import pretrained_weights
    from miqanet.training.checkpoints import network_weights, weights_file

    if pretrained:
        return pretrained_weights(pretrained, network)
    if start is None:
        return None
    checkpoint = weights_file(start)
    if not checkpoint.is_file():
        raise FileNotFoundError(
            f"{start} holds neither exported weights nor a run that has finished an epoch"
        )
    return network_weights(checkpoint)

"""`miqanet export`: from a training run to weights that `miqanet screen` takes, with a measured model card."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import typer
from numpy.typing import NDArray
from rich.progress import track

from miqanet.cli.errors import errors, fail, need
from miqanet.cli.place import Place, shown
from miqanet.preprocessing import DOUBT, SIZE, prepare

if TYPE_CHECKING:
    from miqanet.database.records import ImageRecord, SourceRecord
    from miqanet.training.run import Run

_CALIBRATION_IMAGES = 300


def export(
    run_dir: Annotated[Path, typer.Argument(help="Folder of a training run (`miqanet train`).")],
    database: Place,
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the weights.")],
    version: Annotated[str, typer.Option(help="Version of the weights, stated in every verdict.")],
    miss_rate: Annotated[
        float, typer.Option(min=0, max=0.5, help="Share of low images that may pass without a person.")
    ] = 0.02,
    false_alarm_rate: Annotated[
        float, typer.Option(min=0, max=0.5, help="Share of high images that may be called low without one.")
    ] = 0.05,
    measured: Annotated[
        Path | None,
        typer.Option(
            help="For a --final run: weights exported from the run that it began with, whose figures the card tells."
        ),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the weights in the folder.")
    ] = False,
) -> None:
    """Quantize a trained network to int8, calibrate it, measure it once and write its model card.

    DATABASE is the one that the run was trained on. Scaling and thresholds are chosen on the validation subjects.
    The card's figures are those of the int8 model on the test subjects and on what was held out, which training never
    saw. A --final run has the validation subjects alone left, to whom thresholds are fitted: beside them its card
    tells the test figures of what it began with, and says so.
    """
    need("train", "torch", "nncf", "sqlalchemy")
    from miqanet.artifacts import KINDS
    from miqanet.database.folds import Role
    from miqanet.database.manifest import read_sources
    from miqanet.database.query import Database
    from miqanet.database.records import labels_sha256, what_is_simulated
    from miqanet.evaluation.card import write_card
    from miqanet.evaluation.shipping import ask, choose, measure
    from miqanet.evaluation.thresholds import ErrorRates, Thresholds
    from miqanet.screening.engine import Engine
    from miqanet.screening.scaling import Scaling
    from miqanet.training.checkpoints import BEST_CHECKPOINT, network_weights
    from miqanet.training.export import load_network, save_engine_model, save_half_precision
    from miqanet.training.run import Run

    rates = ErrorRates(miss_rate, false_alarm_rate)
    if (out / "card.json").exists() and not overwrite:
        fail(f"{out} holds weights already; choose another --out or give --overwrite")
    try:
        run = Run.read(run_dir)
        if run.network != "miqanet":
            fail(f"{run_dir} holds a run of {run.network}; only miqanet is exported")
        recipe = _recipe(run, measured)
        weights = network_weights(run_dir / BEST_CHECKPOINT)
        with Database.open(database) as opened:
            sources, images, subjects = opened.sources(), opened.images(), opened.subjects()
            names, fingerprint = opened.subject_names(), opened.fingerprint()
            clean_folder = opened.properties().get("clean_folder")
        if fingerprint != run.data_sha256:
            fail(f"{shown(database)} is not the database that {run_dir} was trained on")
        if labels_sha256(images) != run.labels_sha256:
            fail(f"{shown(database)} has other labels than when {run_dir} was trained on it; train anew")
        run.lineage()
        everything: list[ImageRecord | SourceRecord] = [*sources, *images]
        datasets = sorted({each.dataset for each in everything})
        origins = read_sources(Path(clean_folder), datasets) if clean_folder else []
    except (OSError, ValueError) as error:
        fail(str(error))
    roles = run.roles(subjects, names)
    if not recipe and Role.TEST not in roles.values():
        fail(
            f"{run_dir} began with what had learned from the test subjects; train it with --final, which says so"
        )
    asked = [image for image in images if roles[image.subject] is not Role.TRAIN]
    clean = [source for source in sources if roles[source.subject] is not Role.TRAIN]
    learned = [image for image in images if roles[image.subject] is Role.TRAIN]
    spoiled = [source for source in sources if roles[source.subject] is Role.TRAIN]
    out.parent.mkdir(parents=True, exist_ok=True)
    # Weights appear in the folder together, and only once they have their thresholds.
    with TemporaryDirectory(prefix=f".{out.name}-", dir=out.parent) as unfinished:
        folder = Path(unfinished)
        network = load_network(weights, KINDS)
        save_half_precision(network, folder)
        # Standard output is for the figures, not for NNCF's progress bars.
        with redirect_stdout(sys.stderr):
            save_engine_model(network, _examples(spoiled, learned), folder)
        card: dict[str, Any] = {
            "name": "miqanet",
            "version": version,
            "created": datetime.now(UTC).date().isoformat(),
            "size": SIZE,
            "artifact_kinds": list(KINDS),
            "doubt": DOUBT,
            "temperature": 1.0,
            "bias": 0.0,
            "threshold": 0.5,
            "review_band": [0.5, 0.5],
            "artifact_thresholds": dict.fromkeys(KINDS, 0.5),
        }
        write_card(card, folder)
        engine = Engine(folder)

        def judge(prepared: NDArray[np.float32]) -> tuple[float, NDArray[np.float32]]:
            answer = engine.infer(prepared[None, None])
            return float(answer.probability_low[0]), answer.artifact_probabilities[0]

        try:
            answers = ask(judge, asked, clean, _ticks("judging", len(asked) + len(clean)))
            chosen, naming = choose(answers, roles, KINDS, rates)
        except (OSError, ValueError) as error:
            fail(str(error))
        least, greatest = (_rounded(limit) for limit in chosen.thresholds.review_band)
        scaling = Scaling(_rounded(chosen.scaling.temperature), _rounded(chosen.scaling.bias))
        thresholds = Thresholds(_rounded(chosen.thresholds.decision), (least, greatest))
        card |= {
            "temperature": scaling.temperature,
            "bias": scaling.bias,
            "threshold": thresholds.decision,
            "review_band": [least, greatest],
            "artifact_thresholds": {kind: _rounded(value) for kind, value in naming.items()},
            "error_rates": asdict(rates),
            "training": _training(run),
            "data": {
                "sha256": run.data_sha256,
                "clean_slices": len(sources),
                "images": len(images),
                "subjects": {role.value: sum(r is role for r in roles.values()) for role in Role},
                "datasets": datasets,
                "body_parts": sorted({each.body_part for each in everything}),
                "simulated": what_is_simulated(images),
                "sources": origins,
            },
        }
        calibrated = answers.scaled(scaling)
        own = (Role.VALIDATION,) if recipe else (Role.TEST, Role.HELD_OUT)
        card["metrics"] = recipe.get("metrics", {}) | {
            role.value: measure(calibrated, roles, role, thresholds)
            for role in own
            if any(r is role for r in roles.values())
        }
        if recipe:
            card["metrics_of"] = recipe.get("metrics_of", recipe["version"])
            card["metrics_data_sha256"] = recipe.get(
                "metrics_data_sha256", None if "metrics_of" in recipe else recipe["data"]["sha256"]
            )
        write_card(card, folder)
        run.write(folder)
        out.mkdir(exist_ok=True)
        for file in folder.iterdir():
            file.replace(out / file.name)
    if simulated := card["data"]["simulated"]:
        errors.print(f"measured on {simulated}", highlight=False)
    typer.echo(json.dumps(card["metrics"], indent=2))
    typer.echo(f"weights and model card: {out}")


def _rounded(value: float) -> float:
    """Round as probabilities in verdicts are: no threshold comes to lie on the other side of one."""
    return round(value, 6)


def _recipe(run: Run, measured: Path | None) -> dict[str, Any]:
    """Return the card whose figures stand for a final run's; nothing for a run that is measured itself.

    Raises:
        FileNotFoundError: there are no such weights.
        ValueError: they are missing, needless, or not of what the run began with.
    """
    from miqanet.screening.card import CARD_FILE
    from miqanet.training.run import Run

    if not run.final:
        if measured:
            raise ValueError("only a --final run is told by the figures of another: leave --measured out")
        return {}
    if measured is None:
        raise ValueError(
            "the run learned from its test subjects, and nobody is left to measure it on: give --measured with the "
            "weights exported from the run that it began with"
        )
    if not run.finishes(Run.read(measured)):
        raise ValueError(f"{measured} was not exported from the run that this one began with")
    card: dict[str, Any] = json.loads((measured / CARD_FILE).read_text(encoding="utf-8"))
    if "metrics" not in card:
        raise ValueError(
            f"{measured} were calibrated anew, and tell no figures; give them as they were exported"
        )
    return card


def _examples(sources: Sequence[SourceRecord], images: Sequence[ImageRecord]) -> list[NDArray[np.float32]]:
    """Return prepared training images for quantization: clean slices, half of them spoiled, else stored ones."""
    from miqanet.artifacts.simulation import simulate
    from miqanet.database.png import read_png
    from miqanet.database.sampling import EvenSampler

    if not sources:
        return [prepare(read_png(image.path)) for image in images[:: len(images) // _CALIBRATION_IMAGES + 1]]
    rng = np.random.default_rng(0)
    sampler = EvenSampler(sources)
    examples = []
    for _ in range(_CALIBRATION_IMAGES // 2):
        made = simulate(read_png(sampler.draw(rng).path), rng)
        examples += [prepare(made.reference), prepare(made.image)]
    return examples


def _training(run: Run) -> dict[str, Any]:
    """Return for the card the run and those that it continued, the first run first."""
    stages: list[dict[str, Any]] = []
    stage: Any = asdict(run)
    while stage and "settings" in stage:
        stages.insert(
            0,
            {name: stage[name] for name in ("settings", "minutes", "hardware", "fresh", "held_out")}
            | {"final": stage.get("final", False)},
        )
        stage = stage["started_from"]
    return {"stages": stages, "pretrained": (stage or {}).get("pretrained"), "split_seed": run.split_seed}


def _ticks(what: str, total: int) -> Callable[[], None]:
    """Return what moves a progress bar by one."""
    bar = iter(track(range(total), what, console=errors))
    next(bar, None)  # opens the bar; each further step ends an image

    def tick() -> None:
        next(bar, None)

    return tick

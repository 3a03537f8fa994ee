"""`miqanet benchmark`: the paper's tables for a labelled database, under several protocols."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import numpy as np
import typer
from numpy.typing import NDArray
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from miqanet.cli.errors import INTERRUPTED, errors, fail, need
from miqanet.cli.place import Place, shown
from miqanet.cli.processors import processors
from miqanet.database.folds import ROTATIONS

if TYPE_CHECKING:
    from miqanet.database.records import SourceRecord
    from miqanet.evaluation.benchmark import Task
    from miqanet.evaluation.data import Data
    from miqanet.evaluation.methods import Method
    from miqanet.evaluation.protocols import Fold

FAILED = 1
"""Exit code when a fold could not be done."""

_PROBE, _PROBE_SIZE = "resnet34", 128
"""The network that is probed for leakage, and the side of its input in pixels."""


def benchmark(
    database: Place,
    out: Annotated[
        Path, typer.Option("--out", "-o", help="Folder for answers and tables; what is finished in it stays.")
    ],
    method: Annotated[
        str,
        typer.Option(
            help="Methods, joined by commas; those of the tables that are not named are said not run."
        ),
    ] = "",
    protocol: Annotated[
        str,
        typer.Option(help="Joined by commas: P0 (random images), P1 (other subjects), P2 (other datasets)."),
    ] = "P1",
    rotations: Annotated[
        int, typer.Option(min=1, max=5, help="Of P0 and P1; after five every image has been tested once.")
    ] = 5,
    fold: Annotated[
        list[str] | None,
        typer.Option(help="Only this fold: rotation-0 and so on, or a dataset under P2. Repeatable."),
    ] = None,
    size: Annotated[
        int, typer.Option(min=64, help="Networks: side of the input in pixels; 512 in the paper.")
    ] = 512,
    epochs: Annotated[int, typer.Option(min=1, help="Networks: epochs, fixed before the run.")] = 30,
    batch: Annotated[int, typer.Option(min=2, help="Networks: images a step; 10 in the paper.")] = 10,
    learning_rate: Annotated[
        float | None, typer.Option(min=0.0, help="Networks: peak; by default what suits each.")
    ] = None,
    fresh: Annotated[
        bool,
        typer.Option(
            "--fresh",
            help="Networks: spoil the training subjects' clean slices afresh every epoch; not for P0.",
        ),
    ] = False,
    images_per_epoch: Annotated[int, typer.Option(min=2, help="With --fresh: images an epoch.")] = 3000,
    seed: Annotated[int, typer.Option(min=0, help="Networks: of weights, order and artifacts.")] = 0,
    run: Annotated[
        Path | None,
        typer.Option(
            help="Test this run of `miqanet train`, or the weights exported from one, instead of training; subjects "
            "that it learned from are left out and counted, and a fold of which less than half is left is refused."
        ),
    ] = None,
    leakage: Annotated[
        bool,
        typer.Option("--leakage", help="Also probe for leakage: ResNet-34 at 128 pixels on random labels."),
    ] = False,
    jobs: Annotated[
        int | None,
        typer.Option(min=1, help="Folds at a time; as many as graphics cards by default, one without any."),
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(
            min=0, help="Processes that prepare images for each network, and that compute features."
        ),
    ] = None,
) -> None:
    """Write the paper's Table I and II for a database: every method learns and is tested in every fold.

    A finished fold is not done again: the same command goes on after an interruption, and the same folder takes
    further methods, protocols and folds. Without --method only the tables are written anew.

    Exit codes: 0 done, 1 a fold could not be done, 2 wrong use, 130 interrupted.
    """
    need("benchmark", "torch", "lightning", "sqlalchemy", "sklearn", "matplotlib")
    from miqanet.evaluation import catalog
    from miqanet.evaluation.benchmark import Task, unfinished
    from miqanet.evaluation.data import Data
    from miqanet.evaluation.duplicates import near_duplicates
    from miqanet.evaluation.leakage import leakage_statement, leakage_tasks
    from miqanet.evaluation.methods import NetworkMethod
    from miqanet.evaluation.protocols import Protocol, folds
    from miqanet.evaluation.results import read_rows, results, write_results
    from miqanet.evaluation.run_method import RunMethod
    from miqanet.networks import NETWORKS
    from miqanet.training.run import Run

    names = _parted(method, catalog.METHODS, "--method")
    protocols = [Protocol(name) for name in _parted(protocol, tuple(Protocol), "--protocol")]
    if fresh and Protocol.P0 in protocols:
        fail("--fresh spoils the slices of subjects; P0 splits images, and learns from stored ones")
    if run and names:
        fail("--run brings its own network: leave --method out")

    def network(name: str, side: int, sources: Sequence[SourceRecord] = ()) -> Method:
        return NetworkMethod(
            name, side, epochs, batch,
            NETWORKS[name].learning_rate if learning_rate is None else learning_rate,
            seed, 1 if workers is None else workers, images_per_epoch, tuple(sources),
        )  # fmt: skip

    try:
        data = Data.read(database)
        told = [each for each in Protocol if each in protocols or (out / "folds" / each).is_dir()]
        made = {each: folds(each, data.images, data.subjects) for each in told}
        if fresh and not data.sources:
            raise ValueError(f"{shown(database)} holds no clean slices to spoil; leave --fresh out")
        chosen = _chosen([one for each in protocols for one in made[each]], rotations, fold or [])
        methods: list[Method] = [
            network(name, size, data.sources if fresh else ()) for name in names if name in NETWORKS
        ]
        if run:
            methods = [RunMethod(run, Run.read(run), data.subject_names)]
        processes = workers or processors()
        methods += _classical(names, data, out / "features", processes)
        tasks = [Task(each, one, out, data.sha256) for one in chosen for each in methods]
        if leakage:
            tasks += leakage_tasks(network(_PROBE, _PROBE_SIZE), data, out)
        failed = _run(unfinished(tasks), len(tasks), jobs)
        hashes = _hashes(data, out / "features")
        with errors.status("measuring and drawing"):
            rows = read_rows(out, made, catalog.ROWS, data)
            stated = results(rows, made, catalog.METHODS, data)
            stated["leakage"] = leakage_statement(_PROBE, data, out)
            stated["near_duplicates"] = near_duplicates(made, hashes)
            write_results(rows, stated, out)
    except (BrokenProcessPool, OSError, ValueError) as error:
        fail(str(error))
    except KeyboardInterrupt:
        errors.print("Interrupted. The same command goes on with what is not finished.")
        raise typer.Exit(INTERRUPTED) from None
    typer.echo(f"{out / 'tables.md'}, report.html, results.json")
    for task, reason in failed:
        errors.print(f"not done: {task}: {reason}", markup=False, highlight=False, soft_wrap=True)
    if failed:
        raise typer.Exit(FAILED)


def _parted(joined: str, known: Sequence[str], option: str) -> list[str]:
    """Return the names that commas join.

    Raises:
        typer.BadParameter: one of them is not known.
    """
    names = list(dict.fromkeys(name.strip() for name in joined.split(",") if name.strip()))
    for name in names:
        if name not in known:
            raise typer.BadParameter(f"{name!r} is none of {', '.join(known)}", param_hint=option)
    return names


def _chosen(made: Sequence[Fold], rotations: int, named: Sequence[str]) -> list[Fold]:
    """Return the folds that were asked for.

    Raises:
        ValueError: a fold that was named is none.
    """
    if unknown := set(named).difference(fold.name for fold in made):
        raise ValueError(f"no fold is called {', '.join(sorted(unknown))}: {', '.join(map(str, made))}")
    late = {f"rotation-{number}" for number in range(rotations, ROTATIONS)}
    return [fold for fold in made if (fold.name in named if named else fold.name not in late)]


def _classical(names: Sequence[str], data: Data, cache: Path, processes: int) -> list[Method]:
    """Return the methods that learn from features, which are computed here unless they are known."""
    from miqanet.evaluation import catalog
    from miqanet.evaluation.feature_cache import by_method, features_of
    from miqanet.evaluation.feature_methods import CorniaMethod, FeatureMethod

    methods: list[Method] = []
    for name in names:
        if name in catalog.FEATURES:
            path, compute = cache / f"{name}.parquet", by_method(name, processes)
            with _counting(f"features of {name}", len(data.images)) as progress:
                features = features_of(data, path, compute, workers=processes, progress=progress)
            methods.append(FeatureMethod(name, features))
        elif name in catalog.CODEBOOKS:
            methods.append(CorniaMethod(name, catalog.CODEBOOKS[name], processes))
    return methods


def _hashes(data: Data, cache: Path) -> dict[int, NDArray[np.bool_]]:
    """Return the perceptual hash of every image by its number."""
    from miqanet.evaluation.feature_cache import features_of, hashed

    with _counting("perceptual hashes", len(data.images)) as progress:
        features = features_of(data, cache / "perceptual_hash.parquet", hashed, progress=progress)
    return {number: each.vector > 0 for number, each in features.items()}


@contextmanager
def _counting(what: str, total: int) -> Iterator[Callable[[int], None]]:
    """Show a progress bar, and give what sets it."""
    with _bar() as bar:
        task = bar.add_task(what, total=total)
        yield lambda done: bar.update(task, completed=done)


def _run(tasks: Sequence[Task], total: int, jobs: int | None) -> list[tuple[Task, str]]:
    """Do tasks beside a progress bar, and return those that failed with the reason."""
    from miqanet.evaluation.benchmark import run_tasks

    with _bar() as bar:
        progress = bar.add_task("folds", total=total, completed=total - len(tasks))

        def tell(line: str) -> None:
            bar.console.print(line, markup=False, highlight=False, soft_wrap=True)

        return run_tasks(tasks, slots=slots(jobs), tell=tell, done=lambda _task: bar.advance(progress))


def slots(jobs: int | None) -> list[dict[str, str]]:
    """Return the environment of each fold that may be done at a time; none to do one after the other here."""
    import torch

    cards = torch.cuda.device_count()
    number = jobs or max(1, cards)
    if number == 1:
        return []
    if cards:
        # Numbers are of the machine's cards, of which some may have been given to this process.
        given = os.environ.get("CUDA_VISIBLE_DEVICES")
        names = given.split(",") if given else [str(card) for card in range(cards)]
        return [{"CUDA_VISIBLE_DEVICES": names[place % cards].strip()} for place in range(number)]
    return [{"OMP_NUM_THREADS": str(max(1, processors() // number))}] * number


def _bar() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=errors)

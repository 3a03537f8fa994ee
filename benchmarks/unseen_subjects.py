"""How well do weights tell fresh artifacts from clean images, on subjects that they never learned from?

    python benchmarks/unseen_subjects.py DATABASE [--weights FOLDER] [--pairs 500] [--seen] [--torchio]
                                            (needs miqanet[train], with --torchio also "torchio>=1,<2")

Clean slices of the subjects that neither the weights nor any that they began with were trained on are acquired
twice: without artifacts, and with artifacts that make the image low. Of weights whose last run learned from the test
subjects, too (`miqanet train --final`), these are the validation subjects, by whom temperature and thresholds were
fitted: the area under the curve does not depend on those, the shares do. In brackets 95 % intervals by bootstrap over
subjects. All artifacts are simulated, and drawn as for the database. With --seen, on the subjects that the weights
learned from: what they miss there, too, they do not miss for want of anatomy. With --torchio the artifacts are other
people's: the slices as they are and spoiled by TorchIO's transforms, drawn until our rule of harm calls them low.
"""

from __future__ import annotations

import argparse
import importlib
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from rich.console import Console
from rich.progress import track

from miqanet.artifacts import KINDS
from miqanet.artifacts.base import Image
from miqanet.artifacts.harm import harm
from miqanet.artifacts.simulation import simulate
from miqanet.database.png import read_png
from miqanet.database.query import Database
from miqanet.database.sampling import EvenSampler
from miqanet.evaluation.bootstrap import estimates
from miqanet.evaluation.metrics import Figure, Judged, auc, false_alarm_rate, miss_rate
from miqanet.preprocessing import prepare
from miqanet.screening.card import default_weights
from miqanet.screening.engine import Engine
from miqanet.training.run import Run


class Pair(NamedTuple):
    """An image without artifacts, the same with some, the kinds that make it low, and whose it is."""

    clean: Image
    spoiled: Image
    low_by: set[str]
    subject: int


def drawn_as_for_the_database(sampler: EvenSampler, rng: np.random.Generator) -> Pair:
    """Acquire slices anew, without artifacts and with our own, until these make one low."""
    while True:
        source = sampler.draw(rng)
        made = simulate(read_png(source.path), rng)
        low_by = {a.kind for a, level in zip(made.artifacts, made.harms, strict=True) if level >= 1}
        if low_by:
            return Pair(made.reference, made.image, low_by, source.subject)


def by_torchio() -> Callable[[EvenSampler, np.random.Generator], Pair]:
    """Return a function that spoils slices by one of TorchIO's transforms of MR artifacts until one is low.

    Ranges are TorchIO's own where those spoil a two-dimensional image of this size at all, else wider.
    """
    torch, tio = importlib.import_module("torch"), importlib.import_module("torchio")

    def motion(rng: np.random.Generator) -> Any:
        # RandomMotion would turn a slice out of its plane: turned about its normal (the axis of one pixel), moved
        # within it, up to six times.
        count = int(rng.integers(2, 7))
        degrees, translation = rng.uniform(-10, 10, (2, count, 3))
        times = np.sort(rng.uniform(0.05, 0.95, count))
        return tio.Motion(degrees * (1, 0, 0), translation * (0, 1, 1), times, "linear")

    transforms: dict[str, Callable[[np.random.Generator], Any]] = {
        "motion": motion,
        "ghosting": lambda _: tio.RandomGhosting(axes=(1, 2)),
        "blur": lambda _: tio.RandomBlur(std=(0, 4)),
        "noise": lambda _: tio.RandomNoise(),
        "spike": lambda _: tio.RandomSpike(),
        "bias_field": lambda _: tio.RandomBiasField(coefficients=1.0),
        "low_resolution": lambda _: tio.RandomAnisotropy(axes=(1, 2), downsampling=(1.5, 10)),
    }

    def spoil(sampler: EvenSampler, rng: np.random.Generator) -> Pair:
        kind = str(rng.choice(list(transforms)))
        while True:
            source = sampler.draw(rng)
            clean = read_png(source.path)
            along_rows = rng.random() < 0.5
            volume = np.ascontiguousarray(clean.T if along_rows else clean)[None, None]
            torch.manual_seed(int(rng.integers(2**31)))
            made = transforms[kind](rng)(tio.ScalarImage(tensor=torch.from_numpy(volume))).data[0, 0].numpy()
            spoiled = np.abs(made.T if along_rows else made).astype(np.float32)
            if harm(kind, clean, spoiled) >= 1:
                return Pair(clean, spoiled, {kind}, source.subject)

    return spoil


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("database", type=Path)
    parser.add_argument("--weights", type=Path, default=default_weights())
    parser.add_argument("--pairs", type=int, default=500)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--seen", action="store_true", help="on the subjects learned from instead")
    parser.add_argument("--torchio", action="store_true", help="spoiled by TorchIO instead")
    options = parser.parse_args()

    known = {name for run in Run.read(options.weights).lineage() for name in run.trained_on}
    with Database.open(options.database) as opened:
        names = opened.subject_names()
        sources = [source for source in opened.sources() if (names[source.subject] in known) == options.seen]
    sampler = EvenSampler(sources)
    engine = Engine(options.weights)

    spoil = by_torchio() if options.torchio else drawn_as_for_the_database
    low, subject, probability, low_by = [], [], [], []
    for index in track(range(options.pairs), "judging", console=Console(stderr=True)):
        pair = spoil(sampler, np.random.default_rng([options.seed, index]))
        images = np.stack([prepare(image)[None] for image in (pair.clean, pair.spoiled)])
        probability += engine.infer(images).probability_low.tolist()
        low += [False, True]
        subject += [pair.subject] * 2
        low_by += [pair.low_by] * 2
    judged = Judged(np.array(probability), np.array(low), np.array(subject))

    threshold = engine.card.threshold
    figures: dict[str, Figure] = {
        "AUC": auc,
        "low called high": partial(miss_rate, threshold=threshold),
        "clean called low": partial(false_alarm_rate, threshold=threshold),
    }
    print(
        f"weights {engine.card.version}, {len({s.subject for s in sources})} subjects"
        f" {'learned from' if options.seen else 'never learned from'}, {options.pairs} pairs of a clean and a low"
        f" image{', spoiled by TorchIO' if options.torchio else ''}"
    )
    print("|", " | ".join(["spoiled by", "low images", *figures]), "|")
    print("|", " | ".join(["---"] * (2 + len(figures))), "|")
    parts = {"any": [True] * len(low_by)}
    parts |= {f"{kind} alone": [kinds == {kind} for kinds in low_by] for kind in KINDS}
    for part, flags in parts.items():
        chosen = judged.low & flags
        if not chosen.any():
            continue
        taken = judged.take(chosen | ~judged.low)
        cells = [
            f"{e.value:.3f} [{e.least:.3f}, {e.greatest:.3f}]" for e in estimates(figures, taken).values()
        ]
        print("|", " | ".join([part, str(chosen.sum()), *cells]), "|")


if __name__ == "__main__":
    main()

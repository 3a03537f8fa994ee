"""How well do weights tell fresh artifacts from clean images, on subjects that they never learned from?

    python benchmarks/unseen_subjects.py DATABASE [--weights FOLDER] [--pairs 500] [--seen]
                                                                               (needs miqanet[train])

Clean slices of the subjects that neither the weights nor any that they began with were trained on are acquired
twice: without artifacts, and with artifacts that make the image low. Of weights whose last run learned from the test
subjects, too (`miqanet train --final`), these are the validation subjects, by whom temperature and thresholds were
fitted: the area under the curve does not depend on those, the shares do. In brackets 95 % intervals by bootstrap over
subjects. All artifacts are simulated, and drawn as for the database. With --seen, on the subjects that the weights
learned from: what they miss there, too, they do not miss for want of anatomy.
"""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.progress import track

from miqanet.artifacts import KINDS
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


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("database", type=Path)
    parser.add_argument("--weights", type=Path, default=default_weights())
    parser.add_argument("--pairs", type=int, default=500)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--seen", action="store_true", help="on the subjects learned from instead")
    options = parser.parse_args()

    known = {name for run in Run.read(options.weights).lineage() for name in run.trained_on}
    with Database.open(options.database) as opened:
        names = opened.subject_names()
        sources = [source for source in opened.sources() if (names[source.subject] in known) == options.seen]
    sampler = EvenSampler(sources)
    engine = Engine(options.weights)

    low, subject, probability, spoiled_by = [], [], [], []
    for index in track(range(options.pairs), "judging", console=Console(stderr=True)):
        rng = np.random.default_rng([options.seed, index])
        made = None
        while made is None or not made.low:
            source = sampler.draw(rng)
            made = simulate(read_png(source.path), rng)
        images = np.stack([prepare(image)[None] for image in (made.reference, made.image)])
        probability += engine.infer(images).probability_low.tolist()
        low += [False, True]
        subject += [source.subject] * 2
        spoils = {a.kind for a, harm in zip(made.artifacts, made.harms, strict=True) if harm >= 1}
        spoiled_by += [spoils] * 2
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
        " image"
    )
    print("|", " | ".join(["spoiled by", "low images", *figures]), "|")
    print("|", " | ".join(["---"] * (2 + len(figures))), "|")
    parts = {"any": [bool(spoils) for spoils in spoiled_by]}
    parts |= {f"{kind} alone": [spoils == {kind} for spoils in spoiled_by] for kind in KINDS}
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

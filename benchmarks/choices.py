"""Which way to train is better on validation images? Folds that `miqanet benchmark` finished, beside each other.

    python benchmarks/choices.py DATABASE DIR/folds/P1/rotation-0/resnet34.parquet OTHER/.../miqanet.parquet ...
                                                                              (needs miqanet[benchmark])

Choices are made here, never on test images. Every other file is compared with the first on the same validation
images; in brackets stand 95 % intervals by bootstrap over subjects, paired.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from miqanet.database.folds import Role
from miqanet.evaluation.bootstrap import difference, estimate, stated
from miqanet.evaluation.data import Data
from miqanet.evaluation.metrics import accuracy, auc
from miqanet.evaluation.predictions import FoldPredictions
from miqanet.evaluation.rows import Row
from miqanet.evaluation.tables import percent, plain

_FIGURES = {"AUC": (auc, plain), "accuracy, %": (accuracy, percent)}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("database", type=Path)
    parser.add_argument("folds", type=Path, nargs="+")
    options = parser.parse_args()
    data = Data.read(options.database)
    rows = [Row.of([FoldPredictions.read(path)], data.by_number, Role.VALIDATION) for path in options.folds]
    if data.simulated:
        print(f"On {data.simulated}.\n")
    headings = [f"{name}{less}" for name in _FIGURES for less in ("", ", less the first's")]
    print("|", " | ".join(["method", "settings", *headings]), "|")
    print("|", " | ".join(["---"] * (2 + len(headings))), "|")
    for row in rows:
        facts = row.folds[0].facts
        cells = [facts.method, ", ".join(f"{name} {value}" for name, value in facts.settings.items())]
        for figure, written in _FIGURES.values():
            cells.append(written(stated(estimate(figure, row.judged))))
            gap = "–" if row is rows[0] else written(stated(difference(figure, row.judged, rows[0].judged)))
            cells.append(gap)
        print("|", " | ".join(cells), "|")


if __name__ == "__main__":
    main()

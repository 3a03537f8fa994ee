"""`results.json`: everything that a benchmark measured, from the answers in its folder."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from miqanet import __version__
from miqanet.database.folds import Role
from miqanet.database.png import write_whole
from miqanet.evaluation.benchmark import fold_file, read_finished
from miqanet.evaluation.bootstrap import difference, stated
from miqanet.evaluation.data import Data
from miqanet.evaluation.metrics import accuracy, auc
from miqanet.evaluation.protocols import Fold, Protocol
from miqanet.evaluation.report import write_report
from miqanet.evaluation.rows import Row
from miqanet.evaluation.tables import markdown

REFERENCE = "miqanet"
"""The method that the others are compared with, image by image."""


def read_rows(
    out: Path, made: Mapping[Protocol, Sequence[Fold]], methods: Iterable[str], data: Data
) -> dict[tuple[Protocol, str], Row]:
    """Return a row for each protocol and method of which some fold is finished.

    Raises:
        ValueError: a file is damaged or of another database, labels have changed since, or the folds of a row have
            not the same settings.
    """
    methods = list(methods)
    rows = {}
    for protocol, folds in made.items():
        for method in methods:
            paths = {fold_file(out, protocol, fold.name, method): fold for fold in folds}
            finished = [read_finished(p, fold, data.sha256) for p, fold in paths.items() if p.exists()]
            if any(fold.facts.settings != finished[0].facts.settings for fold in finished):
                raise ValueError(f"{out} holds answers of {method} under {protocol} with several settings")
            if finished:
                rows[protocol, method] = Row.of(finished, data.by_number)
    return rows


def write_results(rows: Mapping[tuple[Protocol, str], Row], stated: dict[str, Any], out: Path) -> None:
    """Write `results.json`, `tables.md` and `report.html` into the folder of a benchmark."""
    write_whole(out / "results.json", (json.dumps(stated, indent=2) + "\n").encode())
    write_whole(out / "tables.md", markdown(stated).encode())
    write_report(stated, rows, out / "report.html")


def results(
    rows: Mapping[tuple[Protocol, str], Row],
    made: Mapping[Protocol, Sequence[Fold]],
    methods: Iterable[str],
    data: Data,
) -> dict[str, Any]:
    """Return what `results.json` states; rows that were not run are named."""
    return {
        "version": __version__,
        "created": datetime.now(UTC).date().isoformat(),
        "data": {
            "sha256": data.sha256,
            "images": len(data.images),
            "low": sum(image.low for image in data.images),
            "subjects": len({image.subject for image in data.images}),
            "datasets": sorted({image.dataset for image in data.images}),
            "body_parts": sorted({image.body_part for image in data.images}),
            "raters": len({vote.rater for vote in data.votes}),
            "split_votes": sum(image.low_votes not in (None, 0.0, 1.0) for image in data.images),
            "simulated": data.simulated,
        },
        "protocols": {
            protocol: {"description": protocol.description, "folds": [fold.name for fold in folds]}
            for protocol, folds in made.items()
        },
        "rows": [
            {
                **row.statement(data.votes),
                "left_out": {role: _left_out(row, role, data) for role in (Role.VALIDATION, Role.TEST)},
                "gap": _gap(rows, *key),
            }
            for key, row in rows.items()
        ],
        "not_run": [
            {"protocol": protocol, "method": method}
            for protocol in made
            for method in methods
            if (protocol, method) not in rows
        ],
    }


def _left_out(row: Row, role: Role, data: Data) -> dict[str, Any]:
    """Return which images of this role were not judged, because what was learned knew their subjects."""
    images = [data.by_number[number] for fold in row.folds for number in fold.facts.left_out.get(role, [])]
    return {"images": len(images), "subjects": sorted({data.subject_names[each.subject] for each in images})}


def _gap(rows: Mapping[tuple[Protocol, str], Row], protocol: Protocol, method: str) -> dict[str, Any] | None:
    """Return how much better the reference is on what both judged; None where it did not do the same folds."""
    row, reference = rows[protocol, method], rows.get((protocol, REFERENCE))
    if reference is None or method == REFERENCE or row.fold_names != reference.fold_names:
        return None
    both = set(row.numbers) & set(reference.numbers)
    ours, theirs = (
        each.judged.take(np.asarray([number in both for number in each.numbers], bool))
        for each in (reference, row)
    )
    differences = {
        name: stated(difference(figure, ours, theirs))
        for name, figure in (("accuracy", accuracy), ("auc", auc))
    }
    return {"images": len(both), **differences}

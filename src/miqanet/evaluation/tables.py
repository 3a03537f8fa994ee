"""The paper's Table I and II for a database, under each protocol, with intervals; in `tables.md` and in the report.

All figures come from `results.json`; nothing is computed here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from miqanet.evaluation.catalog import RUNS

PAPER_ACCURACY = {
    "bliinds2": 56.96,
    "cornia": 59.19,
    "diivine": 71.13,
    "brisque": 77.69,
    "vgg16": 87.14,
    "squeezenet": 87.66,
    "resnet34": 92.39,
    "miqanet": 96.59,
}
"""Table I of Chen et al., VCIP 2022, in percent, on 3809 images rated by eight radiologists."""

PAPER_TABLE_II = {
    "precision_low": 95.26,
    "recall_low": 94.51,
    "f1_low": 94.88,
    "precision_high": 97.24,
    "recall_high": 97.62,
    "f1_high": 97.43,
}
"""Table II of the same paper: MIQANet's, in percent."""

_TABLE_I = {
    "accuracy": "accuracy, %",
    "balanced_accuracy": "balanced accuracy, %",
    "auc": "AUC",
    "average_precision_low": "AUPRC of low",
    "sensitivity_at_95_specificity": "sensitivity at 95 % specificity, %",
    "cohen_kappa": "Cohen's kappa",
    "matthews_correlation": "MCC",
    "brier": "Brier score",
    "calibration_error": "calibration error",
    "risk_coverage_area_low": "area under risk and coverage of low",
    "risk_coverage_area_high": "area under risk and coverage of high",
}

_TABLE_II = {
    f"{figure}_{name}": f"{figure.replace('f1', 'F1')} of {name}, %"
    for name in ("low", "high")
    for figure in ("precision", "recall", "f1")
}

_THREE_WAY = {
    "decided": "decided, %",
    "low_passed": "low called high, % of low",
    "high_condemned": "high called low, % of high",
}

_OF_A_PART = {
    "accuracy": "accuracy, %",
    "auc": "AUC",
    "miss_rate": "low called high, %",
    "false_alarm_rate": "high called low, %",
}

_NOT_RUN = "not run"


@dataclass(frozen=True, slots=True)
class Table:
    """A table with its title above and its note below."""

    title: str
    headings: Sequence[str]
    rows: Sequence[Sequence[str]]
    note: str = ""


def markdown(results: dict[str, Any]) -> str:
    """Return all tables in Markdown."""
    simulated = results["data"]["simulated"]
    lines = ["# Benchmark", "", *([f"**Every figure here is on {simulated}.**", ""] if simulated else [])]
    lines += [introduction(results), ""]
    lines += _written_out("##", [overview(results)])
    for protocol, facts in results["protocols"].items():
        lines += [f"## {protocol}: {facts['description']}", ""]
        if results["data"]["simulated"]:
            lines += [f"On {results['data']['simulated']}.", ""]
        lines += _written_out("###", tables(results, protocol))
    lines += _written_out("##", probes(results))
    return "\n".join(lines)


def tables(results: dict[str, Any], protocol: str) -> list[Table]:
    """Return the tables of one protocol that have rows."""
    rows = [row for row in results["rows"] if row["protocol"] == protocol]
    absent = [each["method"] for each in results["not_run"] if each["protocol"] == protocol]
    made = [
        _table_i(rows, absent),
        _table_ii(rows, absent),
        _of_rows("With a person for what is in doubt", rows, [], "three_way", _THREE_WAY),
        _people(rows),
        _gaps(rows),
        _how(rows, absent, len(results["protocols"][protocol]["folds"])),
        _parts(rows, "body_part_in_training", "Body parts that training saw, and did not see"),
    ]
    if rows:
        made += [
            _parts(rows[:1], name, f"{rows[0]['method']} by {name.replace('_', ' ')}")
            for name in rows[0]["strata"]
            if name != "body_part_in_training"
        ]
    return [table for table in made if table.rows]


def probes(results: dict[str, Any]) -> list[Table]:
    """Return what was found on leakage and on near-duplicates."""
    simulated = results["data"]["simulated"]
    mark = f" On {simulated}." if simulated else ""
    found = [table for table in (_leakage(results), _duplicates(results)) if table.rows]
    return [replace(table, note=table.note + mark) for table in found]


Figure = dict[str, float | None]
"""Value, least and greatest; no limits where it is of a single subject."""


def percent(figure: Figure | None) -> str:
    """Return a share in percent with its interval."""
    return _with_limits(figure, lambda share: f"{100 * share:.1f}")


def plain(figure: Figure | None) -> str:
    """Return a figure with its interval."""
    return _with_limits(figure, lambda value: f"{value:.3f}")


def _with_limits(figure: Figure | None, write: Callable[[float], str]) -> str:
    if figure is None or figure["value"] is None:
        return "–"
    least, greatest = figure["least"], figure["greatest"]
    limits = "" if least is None or greatest is None else f" [{write(least)}, {write(greatest)}]"
    return write(figure["value"]) + limits


def _written(figure: Figure | None, heading: str) -> str:
    return percent(figure) if "%" in heading.rpartition(",")[2] else plain(figure)


def introduction(results: dict[str, Any]) -> str:
    """Return what the figures are about, and how they are to be read."""
    data = results["data"]
    lines = [
        f"{data['images']} images, {data['low']} of low and {data['images'] - data['low']} of high quality, of "
        f"{data['subjects']} subjects; datasets: {', '.join(data['datasets'])}.",
    ]
    if data["raters"]:
        lines.append(
            f"{data['raters']} raters; {100 * data['split_votes'] / data['images']:.1f} % of the images got a split "
            "vote."
        )
    lines.append(
        "In brackets 95 % intervals by bootstrap over subjects. Low is the positive class. Probabilities are "
        "calibrated on each fold's validation images; from 1/2 on an image is called low. Figures are of all folds' "
        "images together, AUC and AUPRC too, though each fold has a model of its own. Methods of the paper that "
        "are not networks are fitted anew to these images, where the paper thresholds released scores. Written by "
        f"miqanet {results['version']} on {results['created']}; fingerprint of the database {data['sha256'][:16]}."
    )
    return "\n".join(lines)


def overview(results: dict[str, Any]) -> Table:
    """Return the table of accuracies under all protocols beside the paper's."""
    protocols = list(results["protocols"])
    accuracy = {
        (row["method"], row["protocol"]): percent(row["figures"]["accuracy"])
        + _of_folds(row, len(results["protocols"][row["protocol"]]["folds"]))
        for row in results["rows"]
    }
    methods = dict.fromkeys(each["method"] for each in (*results["rows"], *results["not_run"]))
    rows = [
        [method, _paper(method), *(accuracy.get((method, protocol), _NOT_RUN) for protocol in protocols)]
        for method in sorted(methods, key=lambda method: (-PAPER_ACCURACY.get(_network(method), 0), method))
    ]
    # Of the row with the most images: others may be of a fold only.
    by_size = sorted(results["rows"], key=lambda row: row["images"])
    ceilings = {row["protocol"]: row["human_frame"] for row in by_size if row["human_frame"]}
    if ceilings:
        best = [percent(ceilings[p]["ceiling"]) if p in ceilings else "–" for p in protocols]
        rows.append(["*best rater against the majority of the others*", "–", *best])
    notes = ["In percent; the paper's is on its own images, rated by eight radiologists."]
    notes += [f"On {results['data']['simulated']}."] if results["data"]["simulated"] else []
    notes += [f"{row['protocol']}: {left_out}" for row in results["rows"] if (left_out := _left_out(row))]
    note = " ".join(notes)
    return Table("Accuracy", ["method", "paper", *protocols], rows, note)


def _of_folds(row: dict[str, Any], folds: int) -> str:
    """Return of how many folds a row tells, where it is not all of them: other folds have other images."""
    return "" if len(row["folds"]) == folds else f" ({len(row['folds'])} of {folds} folds)"


def _of_rows(
    title: str,
    rows: Sequence[dict[str, Any]],
    absent: Iterable[str],
    group: str,
    headings: dict[str, str],
) -> Table:
    lines = [
        [row["method"], *(_written(row[group][name], heading) for name, heading in headings.items())]
        for row in rows
    ]
    lines += [[method, _NOT_RUN, *[""] * (len(headings) - 1)] for method in absent]
    note = " ".join(filter(None, map(_left_out, rows)))
    return Table(title, ["method", *headings.values()], lines, note)


def _table_i(rows: Sequence[dict[str, Any]], absent: Iterable[str]) -> Table:
    """Return Table I, each accuracy beside the paper's and beside what the best rater reaches."""
    ours = _of_rows("Table I", rows, absent, "figures", _TABLE_I)
    ceilings = {row["method"]: percent(row["human_frame"]["ceiling"]) for row in rows if row["human_frame"]}
    return replace(
        ours,
        headings=["method", "paper's accuracy, %", "best rater (ceiling), %", *ours.headings[1:]],
        rows=[[line[0], _paper(line[0]), ceilings.get(line[0], "–"), *line[1:]] for line in ours.rows],
    )


def _left_out(row: dict[str, Any]) -> str:
    """Return how much of its folds a method did not judge, since it knew the subjects; empty for nothing."""
    said = [
        f"{left['images']} {role} images of {_subjects(len(left['subjects']))}"
        for role, left in row["left_out"].items()
        if left["images"]
    ]
    if not said:
        return ""
    return (
        f"Left out of {row['method']}: {' and '.join(said)}, whom its run had learned from or been chosen by."
    )


def _subjects(number: int) -> str:
    return f"{number} subject{'s' if number != 1 else ''}"


def _table_ii(rows: Sequence[dict[str, Any]], absent: Iterable[str]) -> Table:
    """Return Table II with the paper's own figures below ours."""
    ours = _of_rows("Table II", rows, absent, "figures", _TABLE_II)
    paper = [
        "*miqanet in the paper, on its own images*",
        *(f"{PAPER_TABLE_II[name]:.2f}" for name in _TABLE_II),
    ]
    return replace(ours, rows=[*ours.rows, paper] if rows else ours.rows)


def _people(rows: Sequence[dict[str, Any]]) -> Table:
    """Return how raters and models agree with the majority of the other raters."""
    framed = [row for row in rows if row["human_frame"]]
    lines = [
        [
            row["method"],
            percent(row["human_frame"]["model"]),
            f"{percent(row['human_frame']['ceiling'])} ({row['human_frame']['best_rater']})",
            percent(row["human_frame"]["pairwise"]),
            plain(row["three_way"].get("calibration_error_of_votes")),
        ]
        for row in framed
    ]
    note = "Everybody against the majority of the other raters, the model in each rater's place."
    if framed:
        raters = framed[0]["human_frame"]["raters"].items()
        said = "; ".join(f"{name} {percent(figure)}" for name, figure in raters)
        note += f" Raters on the images of {framed[0]['method']}: {said}."
    headings = [
        "method", "model, %", "best rater (ceiling), %", "pairs of raters that agree, %",
        "calibration error against vote fractions",
    ]  # fmt: skip
    return Table("Beside the raters", headings, lines, note)


def _gaps(rows: Sequence[dict[str, Any]]) -> Table:
    lines = [
        [row["method"], str(row["gap"]["images"]), percent(row["gap"]["accuracy"]), plain(row["gap"]["auc"])]
        for row in rows
        if row["gap"]
    ]
    title = "How much MIQANet is ahead, on the same images"
    return Table(title, ["of", "images", "accuracy, percentage points", "AUC"], lines)


def _how(rows: Sequence[dict[str, Any]], absent: Iterable[str], folds: int) -> Table:
    lines = []
    for row in rows:
        settings = dict(row["settings"])
        size, epochs = settings.pop("size", "own matrix"), settings.pop("epochs", "–")
        others = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in settings.items())
        lines.append(
            [
                row["method"],
                str(size),
                str(epochs),
                others,
                f"{len(row['folds'])} of {folds}",
                f"{row['minutes']:.1f}",
                row["hardware"],
                ", ".join(f"{fold['calibration_error']['value']:.3f}" for fold in row["folds"]),
                ", ".join(f"{fold['calibration_error_by_chance']:.3f}" for fold in row["folds"]),
            ]
        )
    lines += [[method, _NOT_RUN, *[""] * 7] for method in absent]
    headings = [
        "method", "input size", "epochs", "settings", "folds", "minutes of training a fold", "hardware",
        "calibration error of each fold's model", "that of a perfect one",
    ]  # fmt: skip
    return Table("How it was run", headings, lines)


def _parts(rows: Sequence[dict[str, Any]], stratum: str, title: str) -> Table:
    """Return a table of a stratum's parts; without rows where there is but one."""
    lines = [
        [*([row["method"]] if len(rows) > 1 else []), name, str(part["images"]), str(part["low"])]
        + [_written(part[figure], heading) for figure, heading in _OF_A_PART.items()]
        for row in rows
        for name, part in row["strata"][stratum].items()
    ]
    first = ["method", "part"] if len(rows) > 1 else ["part"]
    headings = [*first, "images", "low", *_OF_A_PART.values()]
    return Table(title, headings, lines if len(lines) > len(rows) else [])


def _leakage(results: dict[str, Any]) -> Table:
    title, headings = "Leakage", ["protocol", "images", "accuracy, %", "AUC"]
    probe = results.get("leakage")
    if not probe:
        return Table(title, headings, [])
    lines = [
        [
            protocol,
            str(probe[protocol]["images"]),
            percent(probe[protocol]["accuracy"]),
            plain(probe[protocol]["auc"]),
        ]
        for protocol in ("P0", "P1")
    ]
    settings = ", ".join(f"{name} {probe['settings'][name]}" for name in ("size", "epochs"))
    note = (
        f"{probe['method']} ({settings}): every subject got one random label for all its images, so that there is "
        "nothing to learn but who was imaged. P1, which tests on other subjects, is the null; what P0 scores above "
        "it is leakage: "
        f"{percent(probe['accuracy_above_null'])} percentage points of accuracy."
    )
    return Table(title, headings, lines, note)


def _duplicates(results: dict[str, Any]) -> Table:
    title = "Near-duplicates across folds"
    headings = [
        "protocol",
        "test images of all folds",
        "with a near-duplicate in training",
        "of another subject",
    ]
    found = results.get("near_duplicates")
    if not found:
        return Table(title, headings, [])
    lines = [
        [
            protocol,
            str(counts["tested"]),
            str(counts["with_near_duplicate_in_training"]),
            str(counts["of_other_subjects"]),
        ]
        for protocol, counts in found["protocols"].items()
    ]
    note = f"By perceptual hash, {found['distance']} or fewer of {found['bits']} bits apart."
    return Table(title, headings, lines, note)


def _paper(method: str) -> str:
    accuracy = PAPER_ACCURACY.get(_network(method))
    return f"{accuracy:.2f}" if accuracy else "–"


def _network(method: str) -> str:
    """Return the method, or of a row of `--run` the network."""
    return {row: name for name, row in RUNS.items()}.get(method, method)


def _written_out(mark: str, made: Iterable[Table]) -> list[str]:
    lines = []
    for table in made:
        rows = [table.headings, ["---"] * len(table.headings), *table.rows]
        lines += [f"{mark} {table.title}", "", *(f"| {' | '.join(row)} |" for row in rows), ""]
        lines += [table.note, ""] if table.note else []
    return lines

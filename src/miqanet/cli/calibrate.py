"""`miqanet calibrate`: fit scaling and thresholds to the rated images of another site."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
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
from miqanet.preprocessing import prepare

if TYPE_CHECKING:
    from miqanet.database.records import ImageRecord
    from miqanet.screening.engine import Engine

_TOLD_OF_THE_ORIGINAL = ("metrics", "metrics_of", "metrics_data_sha256")
_OF_THE_ORIGINAL = ("version", "temperature", "bias", "threshold", "review_band", *_TOLD_OF_THE_ORIGINAL)

_TITLES = {
    "calibration_error": "calibration error",
    "calibration_error_of_votes": "calibration error against vote fractions",
    "low_passed": "low that passes without a person",
    "high_condemned": "high called low without a person",
    "decided": "decided without a person",
}


def calibrate(
    database: Place,
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the calibrated weights.")],
    weights: Annotated[
        Path | None, typer.Option(help="Folder of the weights; the shipped ones by default.")
    ] = None,
    miss_rate: Annotated[
        float, typer.Option(min=0, max=0.5, help="Share of low images that may pass without a person.")
    ] = 0.02,
    false_alarm_rate: Annotated[
        float, typer.Option(min=0, max=0.5, help="Share of high images that may be called low without one.")
    ] = 0.05,
    version: Annotated[
        str | None,
        typer.Option(help="Version of the calibrated weights; by default the old one + the folder's name."),
    ] = None,
) -> None:
    """Fit scaling and thresholds to about 200 rated images of a site, and show what that changes.

    "After" is measured by cross-validation: each subject is decided by what was fitted to the others. The network
    stays as it is, and so do the weights that it comes from: what is fitted goes into a new folder.
    """
    need("database", "sqlalchemy")
    from miqanet.database.query import Database
    from miqanet.database.records import what_is_simulated
    from miqanet.evaluation import calibration
    from miqanet.evaluation.bootstrap import stated
    from miqanet.evaluation.card import write_card
    from miqanet.evaluation.metrics import Judged
    from miqanet.evaluation.thresholds import ErrorRates, Thresholds
    from miqanet.screening.card import CARD_FILE, default_weights
    from miqanet.screening.engine import Engine
    from miqanet.training.run import RUN_FILE, Run

    weights = weights or default_weights()
    if (out / CARD_FILE).exists():
        fail(f"{out} holds weights already; choose another --out")
    rates = ErrorRates(miss_rate, false_alarm_rate)
    try:
        engine = Engine(weights)
        with Database.open(database) as opened:
            rated, names, fingerprint = opened.images(), opened.subject_names(), opened.fingerprint()
        if not rated:
            fail(f"{shown(database)} holds no rated images")
        # Of these the network is surer than of any site's.
        known = Run.read(weights).learned_from() if (weights / RUN_FILE).exists() else set()
        images = [image for image in rated if names[image.subject] not in known]
        if left_out := len(rated) - len(images):
            errors.print(f"{left_out} images are left out: the network has learned from their subjects")
        if not images:
            fail(f"{shown(database)} holds rated images of no other subjects")
        judged = Judged(
            _judge(engine, images),
            np.asarray([image.low for image in images], bool),
            np.asarray([image.subject for image in images], np.int64),
        )
        fitted = calibration.calibrate(judged.probability_low, judged.low, rates)
        tried = calibration.decide_left_out(judged, rates)
    except (OSError, ValueError) as error:
        fail(str(error))
    shares = [image.low_votes for image in images if image.low_votes is not None]
    votes = np.asarray(shares) if len(shares) == len(images) else None
    used = calibration.decide(judged, Thresholds(engine.card.threshold, engine.card.review_band))
    figures = {name: stated(decided.figures(votes)) for name, decided in (("before", used), ("after", tried))}
    content: dict[str, Any] = json.loads((weights / CARD_FILE).read_text(encoding="utf-8"))
    original = content.get("original") or {
        name: content[name] for name in _OF_THE_ORIGINAL if name in content
    }
    for told in _TOLD_OF_THE_ORIGINAL:
        content.pop(told, None)
    scaling = engine.card.scaling.then(fitted.scaling)
    content |= {
        "version": version or f"{engine.card.version}+{out.name}",
        "created": datetime.now(UTC).date().isoformat(),
        "temperature": round(scaling.temperature, 6),
        "bias": round(scaling.bias, 6),
        "threshold": round(fitted.thresholds.decision, 6),
        "review_band": [round(limit, 6) for limit in fitted.thresholds.review_band],
        "error_rates": asdict(rates),
        "original": original,
        "calibration": {
            "data_sha256": fingerprint,
            "simulated": what_is_simulated(images),
            "images": {"low": int(judged.low.sum()), "high": int((~judged.low).sum())},
            "subjects": len(np.unique(judged.subject)),
            **figures,
        },
    }
    out.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=f".{out.name}-", dir=out.parent) as unfinished:
        folder = Path(unfinished)
        for file in (*weights.glob("miqanet.*"), *weights.glob(RUN_FILE)):
            shutil.copy(file, folder)
        write_card(content, folder)
        out.mkdir(exist_ok=True)
        for file in folder.iterdir():
            file.replace(out / file.name)
    _show(content)
    typer.echo(f"weights and model card: {out}")


def _judge(engine: Engine, images: Sequence[ImageRecord]) -> NDArray[np.float64]:
    """Return the probability of low of every image, (N,)."""
    from miqanet.database.png import read_png

    def judge(image: ImageRecord) -> float:
        prepared = prepare(read_png(image.path), engine.card.size)
        return float(engine.infer(prepared[None, None]).probability_low[0])

    with ThreadPoolExecutor(engine.streams + 1) as pool:
        answers = pool.map(judge, images)
        return np.asarray(list(track(answers, "judging", len(images), console=errors)))


def _show(card: dict[str, Any]) -> None:
    from miqanet.evaluation.tables import plain

    calibration, (least, greatest) = card["calibration"], card["review_band"]
    counts = calibration["images"]
    typer.echo(
        f"{counts['low']} low and {counts['high']} high images of {calibration['subjects']} subjects; "
        "after: each subject by what was fitted to the others"
    )
    typer.echo(calibration["simulated"] or "images that people have rated")
    typer.echo(f"{'':42}{'before':>22}{'after':>22}")
    for name in calibration["before"]:
        before, after = (plain(calibration[when][name]) for when in ("before", "after"))
        typer.echo(f"{_TITLES[name]:42}{before:>22}{after:>22}")
    band = f"review from {least:g} to {greatest:g}" if least < greatest else "no review"
    typer.echo(
        f"temperature {card['temperature']:g}, bias {card['bias']:g}, low from {card['threshold']:g}, {band}"
    )

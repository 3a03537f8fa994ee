"""Building a labelled, simulated database out of clean images.

Draws are numbered, each with a seed of its own, and accepted in the order of their numbers until exactly the
asked counts of low and high images are filled; a draw whose class is full is drawn anew. So a seed gives the
same files with any number of workers, and an interrupted build continues where it stopped.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from importlib.metadata import version
from itertools import count
from pathlib import Path

from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from miqanet.database.drawing import DrawnImage, draw_in_order, ticket
from miqanet.database.png import write_whole
from miqanet.database.query import Database
from miqanet.database.sampling import EvenSampler
from miqanet.database.schema import Artifact, Image, Label, Property, Source
from miqanet.database.sources import Progress, keep_sources
from miqanet.database.store import FILE_NAME, open_engine, upgrade
from miqanet.reading import ReadError
from miqanet.verdict import Quality

RULE = "simulated rule v1"
"""Provenance of a simulated label: the rules of `miqanet.artifacts.harm`."""

LOW, HIGH = 1285, 2524
"""Images of low and high quality in the paper's database (Chen et al., VCIP 2022)."""

_BATCH = 25
"""Draws a transaction: what an interrupted build makes again."""

_DRAWS_IN_VAIN = 2000
"""Draws in a row that were not taken, after which the class that is wanted is taken to be out of reach."""

_DRAWS = "draws"


class DatabaseExistsError(Exception):
    """The folder already holds something that a build would overwrite."""


@dataclass(frozen=True, slots=True)
class BuildSummary:
    """What a build did."""

    low: int
    high: int
    redraws: int
    """Draws that were not taken because their class was full."""

    unread: tuple[ReadError, ...]
    """Files that could not be read in this run."""


def build(
    clean: Path,
    out: Path,
    *,
    low: int = LOW,
    high: int = HIGH,
    seed: int = 0,
    workers: int = 1,
    progress: Progress = lambda _what, _done, _total: None,
) -> BuildSummary:
    """Build the database of `low` and `high` images in the folder `out` from the folder `clean`, or continue.

    Several workers are spawned: the caller's main module has to be importable without side effects then.

    Raises:
        DatabaseExistsError: `out` holds something else, or a database begun with other arguments.
        FileNotFoundError: `clean` is no folder.
        ValueError: an argument is out of range, no clean image was found, or a class is never drawn.
    """
    if min(low, high, seed) < 0 or low + high == 0 or workers < 1:
        raise ValueError("counts and seed are at least 0, images and workers at least 1")
    if not clean.is_dir():
        raise FileNotFoundError(f"{clean} is no folder of clean images")
    asked = {
        "simulated": "true",
        "created_by": f"miqanet {version('miqanet')}",
        "rule": RULE,
        "clean_folder": str(clean.resolve()),
        "seed": str(seed),
        "low": str(low),
        "high": str(high),
    }
    _begin(out, asked)
    for name in ("images", "sources"):
        (out / name).mkdir(exist_ok=True)
    engine = open_engine(out)
    try:
        unread = keep_sources(engine, clean, out, progress)
        draws = _fill(engine, out, {Quality.LOW: low, Quality.HIGH: high}, seed, workers, progress)
    finally:
        engine.dispose()
    return BuildSummary(low, high, draws - low - high, unread)


def _begin(out: Path, asked: dict[str, str]) -> None:
    """Make sure that `out` holds a database begun with these arguments: a new one or an earlier one."""
    if (out / FILE_NAME).exists():
        try:
            with Database.open(out) as database:
                begun = database.properties()
        except ValueError as error:
            raise DatabaseExistsError(f"{error}; choose another folder") from error
        differing = [
            f"{key} {begun.get(key)}, not {asked[key]}" for key in asked if begun.get(key) != asked[key]
        ]
        if differing:
            raise DatabaseExistsError(
                f"{out / FILE_NAME} was begun with {'; '.join(differing)}; choose another folder"
            )
        return
    if out.exists() and (not out.is_dir() or any(not path.name.startswith(".") for path in out.iterdir())):
        raise DatabaseExistsError(f"{out} holds something else than a database; choose another folder")
    out.mkdir(parents=True, exist_ok=True)
    # The file gets its name once it has its tables and properties: a killed build can always continue.
    unnamed = f".{FILE_NAME}.tmp"
    (out / unnamed).unlink(missing_ok=True)
    engine = open_engine(out, unnamed)
    upgrade(engine)
    with Session(engine) as session, session.begin():
        session.add_all(Property(key=key, value=value) for key, value in {**asked, _DRAWS: "0"}.items())
    engine.dispose()
    (out / unnamed).replace(out / FILE_NAME)


def _fill(
    engine: Engine, out: Path, wanted: dict[Quality, int], seed: int, workers: int, progress: Progress
) -> int:
    """Draw until the wanted counts are filled, and return the number of draws that it took in all."""
    with Session(engine) as session:
        filled = {
            quality: session.scalar(select(func.count(Label.id)).where(Label.quality == quality)) or 0
            for quality in wanted
        }
        draws = session.get_one(Property, _DRAWS)
        if filled == wanted:
            return int(draws.value)
        with Database.open(out) as database:
            sampler = EvenSampler(database.sources())
        sources = {out / path: source for path, source in session.execute(select(Source.path, Source.id))}
        tickets = (ticket(number, seed, sampler) for number in count(int(draws.value)))
        in_vain = 0
        # An exception or Ctrl-C rolls back to the last batch; the files beyond it are made again, the same.
        with closing(draw_in_order(tickets, workers)) as drawn_images:
            for drawn in drawn_images:
                quality = Quality.LOW if drawn.low else Quality.HIGH
                in_vain += 1
                if filled[quality] < wanted[quality]:
                    image = _row(drawn, quality, sum(filled.values()), sources[drawn.ticket.source.path])
                    write_whole(out / image.path, drawn.png)
                    session.add(image)
                    filled[quality] += 1
                    in_vain = 0
                    progress("simulating images", sum(filled.values()), sum(wanted.values()))
                if in_vain > _DRAWS_IN_VAIN:
                    missing = next(quality for quality in wanted if filled[quality] < wanted[quality])
                    raise ValueError(f"no image of {missing} quality came in {in_vain} draws")
                draws.value = str(drawn.ticket.number + 1)
                if filled == wanted:
                    break
                if (drawn.ticket.number + 1) % _BATCH == 0:
                    session.commit()
        session.commit()
        return int(draws.value)


def _row(drawn: DrawnImage, quality: Quality, place: int, source_id: int) -> Image:
    return Image(
        source_id=source_id,
        path=f"images/{place:06d}.png",
        sha256=drawn.sha256,
        rows=drawn.rows,
        columns=drawn.columns,
        seed=drawn.ticket.seed,
        draw=drawn.ticket.number,
        simulated=True,
        artifacts=[
            Artifact(kind=each.kind, severity=each.severity, parameters=each.parameters, harm=each.harm)
            for each in drawn.artifacts
        ],
        labels=[Label(quality=quality, provenance=RULE)],
    )

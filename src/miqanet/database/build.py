"""Building a labelled, simulated database out of clean images.

Draws are numbered, each with a seed of its own, and accepted in the order of their numbers until exactly the
asked counts of low and high images are filled; a draw whose class is full, or on which the simulated raters
are tied, is drawn anew. So a seed gives the same files with any number of workers, and an interrupted build
continues where it stopped.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from importlib.metadata import version
from itertools import count
from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from miqanet.database.creation import DatabaseExistsError, begin
from miqanet.database.drawing import DrawnImage, draw_image, ticket
from miqanet.database.labels import SIMULATED_MAJORITY
from miqanet.database.png import write_whole
from miqanet.database.query import Database
from miqanet.database.raters import RATERS
from miqanet.database.sampling import EvenSampler
from miqanet.database.schema import Artifact, Image, Label, Property, Rater, Source, Vote
from miqanet.database.sources import Progress, keep_sources
from miqanet.processes import in_order
from miqanet.reading import ReadError
from miqanet.verdict import Quality

LOW, HIGH = 1285, 2524
"""Images of low and high quality in the paper's database (Chen et al., VCIP 2022)."""

_BATCH = 25
"""Draws a transaction: what an interrupted build makes again."""

_DRAWS_IN_VAIN = 2000
"""Draws in a row that were not taken, after which the class that is wanted is taken to be out of reach."""

_DRAWS, _TIES = "draws", "ties"
"""Properties that count draws, and those on which the raters were tied."""


@dataclass(frozen=True, slots=True)
class BuildSummary:
    """What a build did."""

    low: int
    high: int
    redraws: int
    """Draws that were not taken: their class was full, or the raters were tied."""

    ties: int
    """Those of them on which the raters were tied."""

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
    url: str | None = None,
    progress: Progress = lambda _what, _done, _total: None,
) -> BuildSummary:
    """Build the database of `low` and `high` images in the folder `out` from the folder `clean`, or continue.

    With `url` the rows are kept on that server, see `miqanet.database.creation.begin`.
    Several workers are spawned: the caller's main module has to be importable without side effects then.

    Raises:
        DatabaseExistsError: `out` holds something else, or a database begun with other arguments.
        FileNotFoundError: `clean` is no folder.
        ValueError: an argument is out of range, no clean image was found, a class is never drawn, or there is a
            database of another schema revision, or a server that cannot be reached.
    """
    if min(low, high, seed) < 0 or low + high == 0 or workers < 1:
        raise ValueError("counts and seed are at least 0, images and workers at least 1")
    if not clean.is_dir():
        raise FileNotFoundError(f"{clean} is no folder of clean images")
    asked = {
        "simulated": "true",
        "created_by": f"miqanet {version('miqanet')}",
        "rule": SIMULATED_MAJORITY,
        "clean_folder": str(clean.resolve()),
        "seed": str(seed),
        "low": str(low),
        "high": str(high),
    }
    with _begin(out, asked, url) as database:
        for name in ("images", "sources"):
            (out / name).mkdir(exist_ok=True)
        unread = keep_sources(database.engine, clean, out, progress)
        draws, ties = _fill(database, {Quality.LOW: low, Quality.HIGH: high}, seed, workers, progress)
    return BuildSummary(low, high, draws - low - high, ties, unread)


def _begin(out: Path, asked: dict[str, str], url: str | None) -> Database:
    """Open the database in `out`, a new one or one that was begun with these arguments."""
    database = begin(out, {**asked, _DRAWS: "0", _TIES: "0"}, url)
    begun = database.properties()
    differing = [f"{key} {begun.get(key)}, not {asked[key]}" for key in asked if begun.get(key) != asked[key]]
    if differing:
        database.close()
        raise DatabaseExistsError(f"{out} was begun with {'; '.join(differing)}; choose another folder")
    return database


def _fill(
    database: Database, wanted: dict[Quality, int], seed: int, workers: int, progress: Progress
) -> tuple[int, int]:
    """Draw until the wanted counts are filled; return how many draws and ties it took in all."""
    out = database.folder
    with Session(database.engine) as session:
        number_of_labels = select(func.count(Label.id)).where(Label.provenance == SIMULATED_MAJORITY)
        filled = {
            quality: session.scalar(number_of_labels.where(Label.quality == quality)) or 0
            for quality in wanted
        }
        draws, ties = (session.get_one(Property, name) for name in (_DRAWS, _TIES))
        if filled == wanted:
            return int(draws.value), int(ties.value)
        sampler = EvenSampler(database.sources())
        raters = _raters(session)
        sources = {out / source.path: source for source in session.scalars(select(Source))}
        tickets = (ticket(number, seed, sampler) for number in count(int(draws.value)))
        in_vain = 0
        # An exception or Ctrl-C rolls back to the last batch; the files beyond it are made again, the same.
        with closing(in_order(draw_image, tickets, workers)) as drawn_images:
            for drawn in drawn_images:
                quality = None if drawn.low is None else _quality(drawn.low)
                in_vain += 1
                if quality is None:
                    ties.value = str(int(ties.value) + 1)
                elif filled[quality] < wanted[quality]:
                    source = sources[drawn.ticket.source.path]
                    image = _row(drawn, quality, sum(filled.values()), source, raters)
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
        return int(draws.value), int(ties.value)


def _raters(session: Session) -> list[Rater]:
    """Return the rows of the simulated raters, new ones where the build begins."""
    rows = {row.name: row for row in session.scalars(select(Rater))}
    for rater in RATERS:
        if rater.name not in rows:
            parameters = {"threshold": rater.threshold, "noise": rater.noise}
            rows[rater.name] = Rater(name=rater.name, simulated=True, parameters=parameters)
            session.add(rows[rater.name])
    return [rows[rater.name] for rater in RATERS]


def _quality(low: bool) -> Quality:
    return Quality.LOW if low else Quality.HIGH


def _row(drawn: DrawnImage, quality: Quality, place: int, source: Source, raters: list[Rater]) -> Image:
    return Image(
        subject_id=source.subject_id,
        source_id=source.id,
        path=f"images/{place:06d}.png",
        sha256=drawn.sha256,
        rows=drawn.rows,
        columns=drawn.columns,
        body_part=source.body_part,
        contrast=source.contrast,
        provenance=f"simulated by miqanet {version('miqanet')}",
        seed=drawn.ticket.seed,
        draw=drawn.ticket.number,
        simulated=True,
        ssim=drawn.ssim,
        nrmse=drawn.nrmse,
        artifacts=[
            Artifact(kind=each.kind, severity=each.severity, parameters=each.parameters, harm=each.harm)
            for each in drawn.artifacts
        ],
        votes=[
            Vote(rater=rater, quality=_quality(low)) for rater, low in zip(raters, drawn.votes, strict=True)
        ],
        labels=[
            Label(
                quality=quality,
                provenance=SIMULATED_MAJORITY,
                votes_for_low=sum(drawn.votes),
                votes_in_all=len(drawn.votes),
            )
        ],
    )

"""A database as plain files that any program reads: its images, and four tables, each as CSV and as Parquet.

Every image, artifact, vote and label is a row of its own. What else the database holds stays there: clean slices,
readings of a study, the parameters of simulated raters, and what holds for the whole database.
"""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from sqlalchemy import Connection, Select, select

from miqanet.database.query import Database
from miqanet.database.schema import (
    Artifact,
    Dataset,
    Image,
    Label,
    Rater,
    Series,
    Source,
    Study,
    Subject,
    Vote,
)
from miqanet.database.sources import Progress
from miqanet.database.study_schema import TAKEN_BACK

_TABLES: dict[str, Select[*tuple[Any, ...]]] = {
    "images": select(
        Image.id.label("image"),
        Image.path.label("file"),
        Image.sha256,
        Image.rows,
        Image.columns,
        Image.simulated,
        Image.provenance,
        Dataset.name.label("dataset"),
        Subject.name.label("subject"),
        Image.body_part,
        Image.contrast,
        Study.study_instance_uid,
        Series.series_instance_uid,
        Image.sop_instance_uid,
        Image.frame,
        Series.manufacturer,
        Series.model,
        Series.field_strength_t,
        Image.repetition_time_ms,
        Image.echo_time_ms,
        Image.inversion_time_ms,
        Image.flip_angle_degrees,
        Source.path.label("source"),
        Image.seed,
        Image.draw,
        Image.ssim,
        Image.nrmse,
        Image.set_apart,
    )
    .join(Image.subject)
    .join(Subject.dataset)
    .outerjoin(Image.series)
    .outerjoin(Series.study)
    .outerjoin(Image.source)
    .order_by(Image.id),
    "artifacts": select(
        Artifact.image_id.label("image"),
        Artifact.kind,
        Artifact.severity,
        Artifact.harm,
        Artifact.parameters,
    ).order_by(Artifact.id),
    "votes": select(
        Vote.image_id.label("image"),
        Rater.name.label("rater"),
        Rater.simulated,
        Vote.quality,
        Vote.cast_at,
        TAKEN_BACK.label("taken_back"),
    )
    .join(Vote.rater)
    .order_by(Vote.id),
    "labels": select(
        Label.image_id.label("image"),
        Label.quality,
        Label.provenance,
        Label.votes_for_low,
        Label.votes_in_all,
    ).order_by(Label.id),
}

_ARROW_TYPES = {
    int: pa.int64(),
    float: pa.float64(),
    bool: pa.bool_(),
    datetime: pa.timestamp("us", "UTC"),
}
"""Of columns by their Python type; all others are text."""


@dataclass(frozen=True, slots=True)
class ExportSummary:
    """What was written."""

    images: int
    votes: int


def export(
    database: Database, out: Path, progress: Progress = lambda _what, _done, _total: None
) -> ExportSummary:
    """Write a database's images and tables into the new folder `out`.

    The folder gets its name when it is complete: an interrupted export leaves nothing.

    Raises:
        FileExistsError: `out` is there already.
        FileNotFoundError: an image file is missing.
    """
    if out.exists():
        raise FileExistsError(f"{out} is there already; choose another folder")
    unnamed = out.with_name(f".{out.name}.tmp")
    try:
        (unnamed / "images").mkdir(parents=True)
        with database.engine.connect() as connection:
            files = connection.scalars(select(Image.path).order_by(Image.id)).all()
            for place, file in enumerate(files, 1):
                shutil.copyfile(database.folder / file, unnamed / file)
                progress("copying images", place, len(files))
            rows = {name: _write(connection, query, unnamed / name) for name, query in _TABLES.items()}
        unnamed.replace(out)
    except BaseException:
        shutil.rmtree(unnamed, ignore_errors=True)
        raise
    return ExportSummary(len(files), rows["votes"])


def _write(connection: Connection, query: Select[*tuple[Any, ...]], path: Path) -> int:
    """Write the rows of a query as CSV and as Parquet, and return how many there are."""
    names = [column.name for column in query.selected_columns]
    rows = [[_plain(value) for value in row] for row in connection.execute(query)]
    with path.with_suffix(".csv").open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(names)
        writer.writerows([_cell(value) for value in row] for row in rows)
    pq.write_table(_arrow(query, names, rows), path.with_suffix(".parquet"))
    return len(rows)


def _arrow(query: Select[*tuple[Any, ...]], names: Sequence[str], rows: Sequence[Sequence[Any]]) -> Any:
    kinds = [_ARROW_TYPES.get(column.type.python_type, pa.string()) for column in query.selected_columns]
    columns = zip(*rows, strict=True) if rows else [()] * len(names)
    arrays = [pa.array(values, kind) for values, kind in zip(columns, kinds, strict=True)]
    return pa.Table.from_arrays(arrays, names=names)


def _plain(value: Any) -> Any:
    """Return a value as a table of text and numbers has it."""
    if isinstance(value, dict):
        return json.dumps(value, sort_keys=True)
    if isinstance(value, datetime) and value.tzinfo is None:
        # SQLite keeps UTC without saying so.
        return value.replace(tzinfo=UTC)
    return str(value) if isinstance(value, str) else value


def _cell(value: Any) -> Any:
    """Return a plain value as CSV has it, as in the results of a screening."""
    return str(value).lower() if isinstance(value, bool) else value

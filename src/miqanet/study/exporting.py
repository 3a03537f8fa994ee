"""Every reading as a row of a table: in the order of commitment, with times and the version of the protocol."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from sqlalchemy import Connection, func, select

from miqanet.database.schema import Image
from miqanet.database.study_schema import Participant, Presentation, ProtocolRow, Reading
from miqanet.study.protocol import Protocol
from miqanet.study.votes import utc

_SCHEMA = pa.schema(
    [
        ("reading", pa.int64()),
        ("rater", pa.string()),
        ("image", pa.string()),
        ("sha256", pa.string()),
        ("position", pa.int64()),
        ("purpose", pa.string()),
        ("category", pa.string()),
        ("grade", pa.int64()),
        ("quality", pa.string()),
        ("tags", pa.string()),
        ("confidence", pa.int64()),
        ("dwell_ms", pa.int64()),
        ("level", pa.float64()),
        ("width", pa.float64()),
        ("zoom", pa.float64()),
        ("inverted", pa.bool_()),
        ("background_boost", pa.bool_()),
        ("cast_at", pa.timestamp("us", "UTC")),
        ("stands", pa.bool_()),
        ("protocol_version", pa.string()),
    ]
)
_VIEW = ("level", "width", "zoom", "inverted", "background_boost")


def reading_rows(connection: Connection) -> list[dict[str, Any]]:
    """Return every reading, those of training, of repeats and those that were changed included.

    `position` is the place in the rater's own order, from 0. `stands` tells the reading that counts for its
    presentation: the latest, unless it was undone.
    """
    protocols = {
        row.id: Protocol.from_json(row.content)
        for row in connection.execute(select(ProtocolRow.id, ProtocolRow.content))
    }
    latest = set(connection.scalars(select(func.max(Reading.id)).group_by(Reading.presentation_id)))
    query = (
        select(
            Reading,
            Participant.name,
            Participant.done,
            Presentation.position,
            Presentation.purpose,
            Image.path,
            Image.sha256,
        )
        .join(Presentation, Presentation.id == Reading.presentation_id)
        .join(Participant, Participant.id == Presentation.participant_id)
        .join(Image, Image.id == Presentation.image_id)
        .order_by(Reading.id)
    )
    rows = []
    for row in connection.execute(query):
        protocol = protocols[row.protocol_id]
        category = protocol.category(row.category)
        rows.append(
            {
                "reading": row.id,
                "rater": row.name,
                "image": row.path,
                "sha256": row.sha256,
                "position": row.position,
                "purpose": str(row.purpose),
                "category": row.category,
                "grade": category.grade,
                "quality": str(category.quality),
                "tags": ";".join(row.tags),
                "confidence": row.confidence,
                "dwell_ms": row.dwell_ms,
                **{name: row.view[name] for name in _VIEW},
                "cast_at": utc(row.cast_at),
                "stands": row.id in latest and row.position < row.done,
                "protocol_version": protocol.version,
            }
        )
    return rows


def write_readings(path: Path, rows: list[dict[str, Any]]) -> None:
    """Write readings as CSV or, where the path ends in .parquet, as Parquet; whole or not at all.

    Raises:
        ValueError: the path ends in something else.
    """
    unnamed = path.with_name(f".{path.name}.tmp")
    try:
        match path.suffix.lower():
            case ".parquet":
                pq.write_table(pa.Table.from_pylist(rows, _SCHEMA), unnamed)
            case ".csv":
                _write_csv(unnamed, rows)
            case _:
                raise ValueError(f"{path}: the name ends in .csv or .parquet")
        unnamed.replace(path)
    finally:
        unnamed.unlink(missing_ok=True)


def _write_csv(path: Path, rows: list[dict[str, Any]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, _SCHEMA.names)
        writer.writeheader()
        for row in rows:
            cells = {
                name: str(value).lower() if isinstance(value, bool) else value for name, value in row.items()
            }
            writer.writerow(cells | {"cast_at": row["cast_at"].isoformat()})

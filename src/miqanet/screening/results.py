"""The table of results: one row an image, written as it is judged.

`results.csv` is at once the result and the journal: rows are only ever appended, and reach the disk in
chunks, so that what a killed run leaves is a clean table of all that was judged until then. Whoever
resumes a run, sorts its files or reports on it reads that table.
"""

from __future__ import annotations

import csv
import math
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from itertools import islice
from pathlib import Path
from typing import IO, Any, Self

from miqanet.features.measures import NAMES, Measures
from miqanet.image import MRImage
from miqanet.verdict import Verdict

_PATHS = ("path", "worst_path")
_FORMULA_STARTS = ("=", "+", "-", "@", "'")


@dataclass(frozen=True, slots=True)
class ResultRow:
    """One row of the results: an image and its verdict, or a file (or frame) and why there is none.

    Text is valid UTF-8; bytes of a path that are not appear as `\\udcXX`. Control characters of a file's own
    text are blanks here; `path` keeps its own.
    """

    path: str
    """The argument that the user gave, joined with the path below it."""

    frame: int
    """Slice or frame of the file, counted from 0."""

    quality: str = ""
    """`high` or `low`; empty on error."""

    probability_low: float | None = None
    """Rounded to six decimals; None on error."""

    review: bool = False
    """True in the abstain band, where a person should look; False on error."""

    findings: str = ""
    """Suspected artifacts, `kind:probability` joined by `;`, most probable first."""

    error: str = ""
    """Why there is no verdict; begins with `skipped:` for what is no MR image. Empty for a judged image."""

    modality: str = ""
    body_part: str = ""
    series_description: str = ""
    study_instance_uid: str = ""
    series_instance_uid: str = ""
    sop_instance_uid: str = ""
    rows: int | None = None
    columns: int | None = None
    model_version: str = ""
    threshold: float | None = None
    patient: str = ""
    """Name and ID; empty unless asked for."""

    qi1: float | None = None
    """This and the following are MR's own measures (see `miqanet.features.measures`), of images that are low or in
    the review band; None where one cannot be measured."""

    qi2: float | None = None
    snr: float | None = None
    snr_dietrich: float | None = None
    fber: float | None = None
    efc: float | None = None
    nyquist_ghost_ratio: float | None = None
    sharpness: float | None = None

    @property
    def skipped(self) -> bool:
        """Whether this is no MR image, as opposed to one that could not be read."""
        return self.error.startswith("skipped:")

    @property
    def kinds(self) -> tuple[str, ...]:
        """Kinds of artifact that the findings name, most probable first."""
        return tuple(finding.partition(":")[0] for finding in self.findings.split(";") if finding)

    @property
    def measures(self) -> Measures:
        """The measures of the image, NaN where there is none."""
        cells = {name: getattr(self, name) for name in NAMES}
        return Measures(**{name: value for name, value in cells.items() if value is not None})

    @classmethod
    def of_verdict(cls, image: MRImage, verdict: Verdict, measures: Measures | None = None) -> Self:
        """Return the row of a judged image."""
        known: dict[str, Any] = {
            name: float(f"{value:.6g}")
            for name, value in asdict(measures or Measures()).items()
            if not math.isnan(value)
        }
        return cls(
            **known,
            path=encodable(image.path),
            frame=image.frame,
            quality=str(verdict.quality),
            probability_low=round(verdict.probability_low, 6),
            review=verdict.review,
            findings=";".join(map(str, verdict.findings)),
            modality=_clean(image.modality),
            body_part=_clean(image.body_part),
            series_description=_clean(image.series_description),
            study_instance_uid=_clean(image.study_instance_uid),
            series_instance_uid=_clean(image.series_instance_uid),
            sop_instance_uid=_clean(image.sop_instance_uid),
            rows=image.pixels.shape[0],
            columns=image.pixels.shape[1],
            model_version=verdict.model_version,
            threshold=verdict.threshold,
            patient=_clean(image.patient),
        )

    @classmethod
    def of_error(cls, path: str, frame: int, reason: str) -> Self:
        """Return the row of a file or frame that could not be judged."""
        return cls(path=encodable(path), frame=frame, error=_clean(reason) or "unknown error")


COLUMNS = tuple(field.name for field in fields(ResultRow))


class RowStream:
    """Where a CSV writer that ends rows by CR LF, its default, writes rows that end by LF.

    A writer that ends them by LF itself leaves a carriage return in a file name unquoted, which no reader
    tells from the end of a row.
    """

    def __init__(self, file: IO[str]) -> None:
        self._file = file

    def write(self, row: str) -> int:
        """Write one row."""
        return self._file.write(row.removesuffix("\r\n") + "\n")


class ResultsWriter:
    """Appends rows to a results table, `results.csv`."""

    def __init__(self, path: Path) -> None:
        new = not path.exists() or path.stat().st_size == 0
        self._file = path.open("a", newline="", encoding="utf-8")
        self._table = csv.DictWriter(RowStream(self._file), COLUMNS)
        if new:
            self._table.writeheader()

    def write(self, row: ResultRow) -> None:
        """Append a row; it is safe on the disk after the next `sync`."""
        self._table.writerow({name: to_cell(name, value) for name, value in asdict(row).items()})

    def sync(self) -> None:
        """Bring all rows to the disk."""
        self._file.flush()
        os.fsync(self._file.fileno())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.sync()
        self._file.close()


def read_results(path: Path) -> Iterator[ResultRow]:
    """Read a results table row by row, whatever its size."""
    with path.open(newline="", encoding="utf-8") as file:
        for cells in csv.DictReader(file):
            yield _from_cells(cells)


def mend_results(path: Path) -> None:
    """Cut off the row that a killed run left incomplete at the end of a results table."""
    with path.open("rb+") as file:
        file.truncate(_complete_length(file))


def _complete_length(file: IO[bytes]) -> int:
    """Return the length in bytes up to the last line break that ends a row (that lies outside quotes)."""
    quoted, position, complete = False, 0, 0
    for line in file:
        position += len(line)
        quoted ^= bool(line.count(b'"') % 2)
        if not quoted and line.endswith(b"\n"):
            complete = position
    return complete


def write_parquet(rows: Iterator[ResultRow], path: Path, chunk: int = 4096) -> None:
    """Write rows to a Parquet file, `chunk` at a time, so that memory does not grow with their number."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    types = {"frame": pa.int32(), "rows": pa.int32(), "columns": pa.int32(), "review": pa.bool_()}
    types |= dict.fromkeys(("probability_low", "threshold", *NAMES), pa.float64())
    schema = pa.schema([(name, types.get(name, pa.string())) for name in COLUMNS])
    with pq.ParquetWriter(partial(path), schema) as writer:
        while some := [asdict(row) for row in islice(rows, chunk)]:
            writer.write_table(pa.Table.from_pylist(some, schema))
    partial(path).replace(path)


def to_cell(name: str, value: object) -> str:
    """Return the text of a value in a CSV column.

    Text that a spreadsheet would take for a formula gets a leading apostrophe; only paths stay exact
    (they begin with what the user typed).
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str) and name not in _PATHS and value.startswith(_FORMULA_STARTS):
        return "'" + value
    return str(value)


def _from_cells(cells: dict[str, str]) -> ResultRow:
    values: dict[str, Any] = {
        name: cell[1:] if name not in _PATHS and cell.startswith("'") else cell
        for name, cell in cells.items()
    }
    values["review"] = cells["review"] == "true"
    values["frame"] = int(cells["frame"])
    numbers: dict[str, type[int] | type[float]] = {"rows": int, "columns": int}
    numbers |= dict.fromkeys(("probability_low", "threshold", *NAMES), float)
    for name, kind in numbers.items():
        values[name] = kind(cells[name]) if cells[name] else None
    return ResultRow(**values)


def partial(path: Path) -> Path:
    """Return where a file is written until it is whole and takes its name."""
    return path.with_name(f".{path.name}.part")


def encodable(text: str) -> str:
    """Return text that UTF-8 can hold; bytes of a path that are no UTF-8 become `\\udcXX`."""
    return text.encode("utf-8", "backslashreplace").decode()


def _clean(text: str) -> str:
    return encodable("".join(c if c.isprintable() else " " for c in text)).strip()

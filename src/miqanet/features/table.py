"""The table of features: a Parquet file, a row an image, written as the images come."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import pyarrow as pa
import pyarrow.parquet as pq

from miqanet.features import FEATURE_NAMES
from miqanet.features.brisque_release import ReleasedBrisque
from miqanet.features.extraction import FeatureRow

_ROWS_AT_ONCE = 1024
_ABOUT_IMAGES = (
    ("path", pa.string()),
    ("frame", pa.int32()),
    ("rows", pa.int32()),
    ("columns", pa.int32()),
    ("series_instance_uid", pa.string()),
    ("sop_instance_uid", pa.string()),
    ("error", pa.string()),
)


class FeatureTable:
    """Takes rows and writes them in chunks; the file is whole once the `with` statement is left without error.

    Args:
        path: where the table goes; replaced if it exists.
        methods: what the rows' vectors are of; a column for each of `FEATURE_NAMES`.
        released: adds the column `brisque_score`; needs "brisque" among the methods.
    """

    def __init__(
        self, path: Path, methods: Sequence[str], *, released: ReleasedBrisque | None = None
    ) -> None:
        self._methods = tuple(methods)
        self._released = released
        names = [name for method in methods for name in FEATURE_NAMES[method]]
        if released is not None:
            names.append("brisque_score")
        self._schema = pa.schema([*_ABOUT_IMAGES, *((name, pa.float64()) for name in names)])
        self._path = path
        self._waiting: list[dict[str, Any]] = []

    def __enter__(self) -> Self:
        self._file = pq.ParquetWriter(self._path, self._schema)
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self._flush()
        self._file.close()

    def write(self, row: FeatureRow) -> None:
        """Append a row; its text is valid UTF-8."""
        cells = {name: getattr(row, name) for name, _ in _ABOUT_IMAGES}
        for method, vector in zip(self._methods, row.vectors, strict=False):
            if vector is not None:
                cells.update(zip(FEATURE_NAMES[method], vector.tolist(), strict=True))
                if self._released is not None and method == "brisque":
                    cells["brisque_score"] = self._released.score(vector)
        self._waiting.append(cells)
        if len(self._waiting) >= _ROWS_AT_ONCE:
            self._flush()

    def _flush(self) -> None:
        self._file.write_table(pa.Table.from_pylist(self._waiting, self._schema))
        self._waiting.clear()

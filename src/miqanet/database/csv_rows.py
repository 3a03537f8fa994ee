"""CSV files that users write: UTF-8 with or without its mark, some columns that have to be there."""

from __future__ import annotations

import csv
from collections.abc import Collection, Iterator
from pathlib import Path


def read_rows(path: Path, columns: Collection[str]) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield the rows of a CSV file with the numbers of their lines; cells that are missing are empty.

    Raises:
        OSError: there is no such file, or it cannot be read.
        ValueError: a column is missing, or it is no CSV file in UTF-8.
    """
    with path.open(encoding="utf-8-sig", newline="") as stream:
        reader = csv.DictReader(stream, restval="")
        try:
            if missing := sorted(set(columns).difference(reader.fieldnames or ())):
                raise ValueError(f"{path} lacks the column {', '.join(missing)}")
            for row in reader:
                yield reader.line_num, row
        except (UnicodeDecodeError, csv.Error) as error:
            raise ValueError(f"{path} is no CSV file in UTF-8: {error}") from None

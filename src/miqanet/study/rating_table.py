"""Plain wide tables of ratings: a row an item, a column a rater."""

from __future__ import annotations

import csv
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from miqanet.consensus import Ratings

_ITEM_NAMES = frozenset({"item", "image", "id", "subject", "acquisition", ""})
"""Lower case; a column without a name is a running number rather than a rater."""

_MISSING = frozenset({"", "n/a", "na", "nan"})


@dataclass(frozen=True, eq=False, slots=True)
class RatingTable:
    """Ratings, and what the columns were taken for."""

    ratings: Ratings
    item_columns: tuple[str, ...]
    ignored_columns: tuple[str, ...]


def read_rating_table(
    path: Path, item_columns: Sequence[str] = (), rater_columns: Sequence[str] = ()
) -> RatingTable:
    """Read a CSV file whose rows are items and whose columns are raters, with a header.

    Columns named item, image, id, subject or acquisition, in any case, and columns with text name the item;
    all other columns with a value are raters. `item_columns` and `rater_columns` say otherwise. `n/a` and
    nothing are missing values, as are `NA` and `NaN`, in any case. Every row is an item of its own; the scale
    is the values that occur.

    Raises:
        ValueError: the file is no such table; the message says where.
    """
    header, rows = _read(path)
    chosen_items, chosen_raters = _chosen(path, header, item_columns), _chosen(path, header, rater_columns)
    both = set(chosen_items).intersection(chosen_raters)
    if both:
        raise ValueError(f"{path}: column {both.pop()!r} cannot be both item and rater")
    cells = {name: [row[header.index(name)] for _, row in rows] for name in header}
    filled = [name for name in cells if any(map(_is_given, cells[name]))]
    naming = [
        name
        for name in filled
        if name.lower() in _ITEM_NAMES or not all(map(_is_number_or_missing, cells[name]))
    ]
    items = chosen_items or tuple(name for name in naming if name not in chosen_raters)
    raters = chosen_raters or tuple(name for name in filled if name not in (*naming, *items))
    if len(raters) < 2:
        raise ValueError(
            f"{path}: agreement needs two raters, not {len(raters)} ({', '.join(raters) or 'none'}); taken for the "
            f"item's name: {', '.join(items) or 'nothing'} (columns with text are)"
        )
    values = np.array(
        [[_value(path, line, name, row[header.index(name)]) for name in raters] for line, row in rows]
    )
    names = [" ".join(row[header.index(name)] for name in items) for _, row in rows]
    ratings = Ratings.of(values, items=names if items else None, raters=raters)
    ignored = tuple(name for name in cells if name and name not in (*items, *raters))
    return RatingTable(ratings, items, ignored)


def _read(path: Path) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """Return the header, and the rows with their line numbers."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            beginning = [file.readline(), file.readline()]
            file.seek(0)
            # Spreadsheets of many countries separate by semicolons, and either may be part of a name.
            separator = max(",;\t", key=lambda sign: min(line.count(sign) for line in beginning))
            reader = csv.reader(file, delimiter=separator)
            rows = [
                (reader.line_num, [cell.strip() for cell in row])
                for row in reader
                if any(map(str.strip, row))
            ]
    except UnicodeDecodeError:
        raise ValueError(f"{path}: not a text file in UTF-8") from None
    except csv.Error as error:
        raise ValueError(f"{path}: {error}") from None
    if len(rows) < 2:
        raise ValueError(f"{path}: there is no row below a header")
    header = rows.pop(0)[1]
    twice = [name for name in header if name and header.count(name) > 1]
    if twice:
        raise ValueError(f"{path}: two columns are called {twice[0]!r}")
    for line, row in rows:
        if len(row) != len(header):
            raise ValueError(f"{path}, line {line}: {len(row)} cells, but the header has {len(header)}")
    return header, rows


def _chosen(path: Path, header: list[str], named: Sequence[str]) -> tuple[str, ...]:
    """Return the columns that were named, one by one or several at a time with commas between them."""
    apart = [[name] if name in header else name.split(",") for name in named]
    chosen = tuple(dict.fromkeys(name.strip() for names in apart for name in names))
    for name in chosen:
        if name not in header:
            raise ValueError(f"{path}: there is no column {name!r} among {', '.join(header)}")
    return chosen


def _is_given(cell: str) -> bool:
    return cell.lower() not in _MISSING


def _is_number_or_missing(cell: str) -> bool:
    if not _is_given(cell):
        return True
    try:
        return math.isfinite(float(cell))
    except ValueError:
        return False


def _value(path: Path, line: int, column: str, cell: str) -> float:
    if not _is_number_or_missing(cell):
        raise ValueError(f"{path}, line {line}: no number in the column of rater {column!r}")
    return float(cell) if _is_given(cell) else math.nan

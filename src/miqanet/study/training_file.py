"""Images that raters learn the question on: a CSV with the columns image, expected and text."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import Engine, select

from miqanet.database.csv_rows import read_rows
from miqanet.database.schema import Image
from miqanet.study.protocol import Category, TrainingImage

_COLUMNS = ("image", "expected", "text")


def read_training(path: Path, engine: Engine, categories: Sequence[Category]) -> tuple[TrainingImage, ...]:
    """Return the training images of a file in its order.

    `image` is the image's file below the database's folder, `expected` the category's value, and `text` what a
    rater is told after the verdict.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: a column is missing, an image is not in the database or there twice, a category is unknown,
            or it is no CSV file in UTF-8.
    """
    with engine.connect() as connection:
        numbers = {row.path: row.id for row in connection.execute(select(Image.path, Image.id))}
    values = [category.value for category in categories]
    found: dict[int, TrainingImage] = {}
    for line, row in read_rows(path, _COLUMNS):
        image, expected, text = (row[name].strip() for name in _COLUMNS)
        where = f"{path}, line {line}"
        if image not in numbers:
            raise ValueError(f"{where}: the database has no image {image}")
        if numbers[image] in found:
            raise ValueError(f"{where}: {image} is there twice")
        if expected not in values:
            raise ValueError(f"{where}: expected is one of {', '.join(values)}")
        found[numbers[image]] = TrainingImage(numbers[image], expected, text)
    return tuple(found.values())

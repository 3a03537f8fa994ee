"""Features of images as they are read: several images at a time, a process each, in order and in bounded memory."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from miqanet.features import METHODS
from miqanet.features.gray import to_gray
from miqanet.image import MRImage
from miqanet.processes import in_order
from miqanet.reading import ReadError


@dataclass(frozen=True, eq=False, slots=True)
class FeatureRow:
    """What the methods say of an image, or why they, or some of them, say nothing."""

    path: str
    """The argument that the user gave, joined with the path below it."""

    frame: int
    """Slice or frame of the file, counted from 0."""

    rows: int | None = None
    columns: int | None = None
    series_instance_uid: str = ""
    sop_instance_uid: str = ""
    error: str = ""
    """Why features are missing; begins with `skipped:` for what is no MR image."""

    vectors: tuple[NDArray[np.float64] | None, ...] = ()
    """The features of each method, None where it has none; empty where there is no image."""


def extract(
    items: Iterable[MRImage | ReadError], methods: Sequence[str], *, workers: int = 1
) -> Generator[FeatureRow, None, None]:
    """Yield a row for each item, in their order.

    Args:
        items: images, or errors in place of them, as `miqanet.reading.read_images` gives them.
        methods: names of `miqanet.features.METHODS`.
        workers: processes, each on one processor; with more than one they are spawned, so the caller's main
            module has to be importable without side effects.
    """
    work = partial(_row, methods=tuple(methods))
    yield from in_order(work, items, workers)


def _row(item: MRImage | ReadError, methods: Sequence[str]) -> FeatureRow:
    if isinstance(item, ReadError):
        return FeatureRow(item.path, item.frame, error=item.reason)
    try:
        return _compute(item, methods)
    except MemoryError:
        return FeatureRow(item.path, item.frame, error="needs more memory than there is")


def _compute(image: MRImage, methods: Sequence[str]) -> FeatureRow:
    gray = to_gray(image.pixels)
    vectors: list[NDArray[np.float64] | None] = []
    errors = []
    for method in methods:
        try:
            vectors.append(METHODS[method](gray))
        except ValueError as error:
            vectors.append(None)
            errors.append(str(error))
        except MemoryError:
            vectors.append(None)
            errors.append(f"{method} needs more memory than there is")
    return FeatureRow(
        path=image.path,
        frame=image.frame,
        rows=gray.shape[0],
        columns=gray.shape[1],
        series_instance_uid=image.series_instance_uid,
        sop_instance_uid=image.sop_instance_uid,
        error="; ".join(errors),
        vectors=tuple(vectors),
    )

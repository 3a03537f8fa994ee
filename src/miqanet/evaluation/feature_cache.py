"""Feature vectors of a database's images, computed once: a Parquet file a method, keyed by content.

Another version of miqanet computes them anew: its features may be others.
"""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from miqanet import __version__
from miqanet.database.png import read_png, write_whole
from miqanet.database.similarity import perceptual_hash
from miqanet.evaluation.data import Data
from miqanet.features.extraction import extract
from miqanet.image import MRImage

_KEPT_EVERY = 200
"""Images after which the file is written: what an interruption costs at most."""

_VERSION = b"miqanet"
"""Key of the file's metadata: the version that computed it."""

_NONE = np.full(0, np.nan)


@dataclass(frozen=True, eq=False, slots=True)
class Features:
    """What one method says of an image."""

    vector: NDArray[np.float64]
    """(F,), or none, (0,), where the image is too small for the method."""

    seconds: float
    """What it took on one processor, reading included."""


Compute = Callable[[Iterator[MRImage]], Iterator[NDArray[np.float64] | None]]
"""From images to a vector for each; None where one is too small."""


def by_method(method: str, workers: int) -> Compute:
    """Return what computes the features of one of `miqanet.features.METHODS` in so many processes."""

    def compute(items: Iterator[MRImage]) -> Iterator[NDArray[np.float64] | None]:
        return (row.vectors[0] for row in extract(items, [method], workers=workers))

    return compute


def hashed(items: Iterator[MRImage]) -> Iterator[NDArray[np.float64] | None]:
    """Yield the perceptual hash of each image, as 0 and 1."""
    return (perceptual_hash(item.pixels).astype(np.float64) for item in items)


def features_of(
    data: Data,
    path: Path,
    compute: Compute,
    *,
    workers: int = 1,
    progress: Callable[[int], None] = lambda _done: None,
) -> dict[int, Features]:
    """Return the features of a database's images by their number, computing those that the file at `path` lacks.

    Args:
        data: the database.
        path: of the Parquet file; images with the same content share a row.
        compute: from images to their vectors, in order.
        workers: processes that it takes.
        progress: takes the number of images that are done.
    """
    known = _read(path)
    hashes = data.image_hashes
    missing = {hashes[each.image]: each.path for each in data.images if hashes[each.image] not in known}
    done = len(data.images) - len(missing)
    progress(done)
    items = (MRImage(read_png(each), path=str(each)) for each in missing.values())
    try:
        began = time.monotonic()
        for sha256, vector in zip(missing, compute(items), strict=True):
            now = time.monotonic()
            known[sha256] = Features(_NONE if vector is None else vector, (now - began) * workers)
            began = now
            done += 1
            progress(done)
            if done % _KEPT_EVERY == 0:
                _write(known, path)
    finally:
        if missing:
            _write(known, path)
    return {each.image: known[hashes[each.image]] for each in data.images}


def _read(path: Path) -> dict[str, Features]:
    if not path.exists():
        return {}
    table = pq.read_table(path)
    if (table.schema.metadata or {}).get(_VERSION) != __version__.encode():
        return {}
    vectors = (np.asarray(vector, np.float64) for vector in table["features"].to_pylist())
    rows = zip(table["sha256"].to_pylist(), vectors, table["seconds"].to_pylist(), strict=True)
    return {sha256: Features(vector, seconds) for sha256, vector, seconds in rows}


def _write(known: Mapping[str, Features], path: Path) -> None:
    table = pa.table(
        {
            "sha256": list(known),
            "features": pa.array([features.vector.tolist() for features in known.values()]),
            "seconds": [features.seconds for features in known.values()],
        }
    ).replace_schema_metadata({_VERSION: __version__})
    buffer = io.BytesIO()
    pq.write_table(table, buffer)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, buffer.getvalue())

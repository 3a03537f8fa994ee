"""Features of images as they are read: several images at a time, a process each, in order and in bounded memory."""

from __future__ import annotations

import os
import signal
from collections import deque
from collections.abc import Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context

import numpy as np
from numpy.typing import NDArray

from miqanet.features import METHODS
from miqanet.features.gray import to_gray
from miqanet.image import MRImage
from miqanet.reading import ReadError

_WAITING_EACH = 2
"""Images that wait for each process."""


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
    if workers == 1:
        for item in items:
            yield _error(item) if isinstance(item, ReadError) else _compute(item, methods)
        return
    window: deque[Future[FeatureRow] | FeatureRow] = deque()
    # Spawned, not forked: the parent may have threads, and a fork would copy their locks.
    with _one_thread_each(), ProcessPoolExecutor(workers, get_context("spawn"), _begin) as pool:
        try:
            for item in items:
                window.append(
                    _error(item) if isinstance(item, ReadError) else pool.submit(_compute, item, methods)
                )
                if len(window) > (1 + _WAITING_EACH) * workers:
                    yield _result(window.popleft())
            while window:
                yield _result(window.popleft())
        finally:
            pool.shutdown(cancel_futures=True)


@contextmanager
def _one_thread_each() -> Iterator[None]:
    """Let processes that are started meanwhile have one thread of linear algebra each.

    A process a processor leaves none for more: threads that wait for each other's turn took ten times as long.
    """
    names = [f"{library}_NUM_THREADS" for library in ("OMP", "OPENBLAS", "MKL")]
    before = {name: os.environ[name] for name in names if name in os.environ}
    os.environ.update(dict.fromkeys(names, "1"))
    try:
        yield
    finally:
        for name in names:
            del os.environ[name]
        os.environ.update(before)


def _begin() -> None:
    # Ctrl-C reaches all processes of a terminal; the parent decides.
    signal.signal(signal.SIGINT, signal.SIG_IGN)


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


def _error(item: ReadError) -> FeatureRow:
    return FeatureRow(item.path, item.frame, error=item.reason)


def _result(row: Future[FeatureRow] | FeatureRow) -> FeatureRow:
    return row.result() if isinstance(row, Future) else row

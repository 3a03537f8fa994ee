"""From images to verdicts, several at a time and in order: reading, preparing and inference overlap."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from miqanet.features.measures import Measures, measure
from miqanet.image import MRImage
from miqanet.preprocessing import prepare
from miqanet.reading import ReadError
from miqanet.screening.engine import Engine
from miqanet.verdict import Quality, Verdict

_PIXELS_UNDER_WAY = 2**26
"""Bound on the pixels that wait at once (256 MB): few huge images wait together, or many small ones."""


class Judged(NamedTuple):
    """An image with its verdict and what the network saw, or a record of why there is no verdict."""

    item: MRImage | ReadError
    verdict: Verdict | None = None
    prepared: NDArray[np.float32] | None = None
    """(size, size), 0..1."""

    measures: Measures | None = None
    """What may speak against an image that is low or in the review band; where they were asked for."""


def judge(
    items: Iterable[MRImage | ReadError], engine: Engine, *, measured: bool = False
) -> Generator[Judged, None, None]:
    """Judge images as they come; results keep the order of `items`.

    The caller's thread draws from `items` (reads files) while worker threads prepare and infer, one image
    each. A bounded window of images is under way at any time, so memory does not grow with their number.

    Args:
        items: what reading gives.
        engine: judges.
        measured: whether images that are low or in the review band get their measures, a few milliseconds each.
    """
    workers = engine.streams + 1  # one prepares its image while the streams infer
    depth = 4 * workers
    window: deque[tuple[Future[Judged] | Judged, int]] = deque()
    waiting_pixels = 0
    pool = ThreadPoolExecutor(workers, thread_name_prefix="judge")
    try:
        for item in items:
            if isinstance(item, ReadError):
                window.append((Judged(item), 0))
            else:
                window.append((pool.submit(_judge_one, item, engine, measured), item.pixels.size))
                waiting_pixels += item.pixels.size
            while window and (
                len(window) > depth or waiting_pixels > _PIXELS_UNDER_WAY or _is_done(window[0][0])
            ):
                judged, pixels = window.popleft()
                waiting_pixels -= pixels
                yield _result(judged)
        while window:
            yield _result(window.popleft()[0])
    finally:
        pool.shutdown(cancel_futures=True)


def _judge_one(image: MRImage, engine: Engine, measured: bool) -> Judged:
    try:
        prepared = prepare(image.pixels, engine.card.size)
    except (ValueError, MemoryError) as error:
        return Judged(
            ReadError(image.path, image.frame, f"cannot be prepared: {error or type(error).__name__}")
        )
    probability_low, artifact_probabilities, activation_map = engine.infer(prepared[None, None])
    verdict = engine.card.verdict(float(probability_low[0]), artifact_probabilities[0], activation_map[0])
    # An image that is plainly high needs no reasons.
    suspect = verdict.review or verdict.quality is Quality.LOW
    return Judged(image, verdict, prepared, _measures(image) if measured and suspect else None)


def _measures(image: MRImage) -> Measures:
    """Measure an image; measures only explain, so what cannot be measured costs no verdict."""
    try:
        return measure(image.pixels)
    except (ValueError, ArithmeticError, MemoryError):
        return Measures()


def _is_done(judged: Future[Judged] | Judged) -> bool:
    return not isinstance(judged, Future) or judged.done()


def _result(judged: Future[Judged] | Judged) -> Judged:
    return judged.result() if isinstance(judged, Future) else judged

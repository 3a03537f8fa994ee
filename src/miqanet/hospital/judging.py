"""Verdicts on received images: what waits in the database is read, judged and done.

A kill loses nothing: what was taken comes back. An image that each time takes the worker with it would come
back for ever, and so would those taken together with it. So an image that was taken several times in vain is
judged alone, and after some more times not at all.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Final, NamedTuple

from pydicom.uid import EnhancedMRImageStorage, LegacyConvertedEnhancedMRImageStorage

from miqanet.hospital import work
from miqanet.hospital.pictures import Pictures
from miqanet.hospital.records import Grade, ImageReference, ImageResult
from miqanet.hospital.spool import Spool
from miqanet.hospital.store import NodeStore, TakenImage
from miqanet.image import MRImage
from miqanet.reading import ReadError, read_file
from miqanet.screening.engine import Engine
from miqanet.screening.pipeline import Judged, judge
from miqanet.verdict import Verdict

LEASE_SECONDS: Final = 3600.0
BATCH: Final = 64
"""Images taken at once; between two batches the processors wait for the last image of the first."""

TRUSTED_ATTEMPTS: Final = 2
"""Times that an image may be taken in vain before it is judged alone."""

MOST_ATTEMPTS: Final = 8
"""Times that an image is taken at all."""

_MULTI_FRAME: Final = (EnhancedMRImageStorage, LegacyConvertedEnhancedMRImageStorage)

log = logging.getLogger(__name__)


class Judge:
    """The one worker that judges.

    Args:
        engine: judges.
        store: where images wait.
        spool: where they lie.
        pictures: for those of the worst images.
        heat_maps: whether every flagged image needs its picture.
    """

    def __init__(
        self, engine: Engine, store: NodeStore, spool: Spool, pictures: Pictures, *, heat_maps: bool
    ) -> None:
        self._engine = engine
        self._store = store
        self._spool = spool
        self._pictures = pictures
        self._heat_maps = heat_maps

    def work(self, now: float) -> int:
        """Judge some of the images that wait, and return their number."""
        images = self._store.take_images(now, LEASE_SECONDS, BATCH, TRUSTED_ATTEMPTS)
        if not images:
            images = self._store.take_images(now, LEASE_SECONDS, 1)
        given_up = [image for image in images if image.attempts > MOST_ATTEMPTS]
        for image in given_up:
            log.error("image %d is given up: it ended the worker %d times", image.id, MOST_ATTEMPTS)
            reference = ImageReference(image.sop_class_uid, image.sop_instance_uid)
            reason = f"judging it failed {MOST_ATTEMPTS} times"
            self._store.add_verdicts(image.id, [ImageResult(reference, None, reason)])
        judged = self._judged([image for image in images if image not in given_up])
        for image, rows in groupby(judged, key=itemgetter(0)):
            self._keep(image, (row for _, row in rows), now)
        return len(images)

    def _judged(self, images: Sequence[TakenImage]) -> Iterator[tuple[TakenImage, Judged]]:
        """Yield what is said of the frames of each image, image by image."""
        owners: deque[TakenImage] = deque()

        def items() -> Iterator[MRImage | ReadError]:
            for image in images:
                for item in read_file(self._spool.file(image.path)):
                    owners.append(image)
                    yield item

        for row in judge(items(), self._engine):
            yield owners.popleft(), row

    def _keep(self, image: TakenImage, rows: Iterable[Judged], now: float) -> None:
        """Write down what is said of an image; its picture first, since a verdict stands for it."""
        frames: list[_Frame] = []
        worst: Judged | None = None
        short = False
        for row in rows:
            reason = row.item.reason if isinstance(row.item, ReadError) else ""
            short = short or (isinstance(row.item, ReadError) and row.item.passing)
            frames.append(_Frame(row.item.frame, row.verdict, reason))
            if row.verdict and (worst is None or _badness(row) > _badness(worst)):
                worst = row
        if short and image.attempts < MOST_ATTEMPTS:
            seconds = work.backoff_seconds(image.attempts)
            log.warning("image %d: %s; next try in %.0f s", image.id, frames[-1].reason, seconds)
            self._store.postpone(image.id, now + seconds)
            return
        if worst is not None:
            self._keep_picture(image, worst)
        self._store.add_verdicts(image.id, _results(image, frames))

    def _keep_picture(self, image: TakenImage, worst: Judged) -> None:
        """Keep a picture of the worst frame, if it is the worst of its series so far or its heat map may be sent."""
        before = self._store.worst_probability(image.id)
        verdict, prepared = worst.verdict, worst.prepared
        if verdict is None or prepared is None:
            return
        flagged = Grade.of(verdict.quality, verdict.review) is Grade.NON_DIAGNOSTIC
        if before is None or verdict.probability_low > before or (self._heat_maps and flagged):
            try:
                self._pictures.put(image.id, prepared, verdict.heat_map)
            except OSError as error:
                # On a full disk, a verdict without its picture is worth more than none.
                log.error("no picture of image %d can be kept: %s", image.id, error.strerror)


class _Frame(NamedTuple):
    """What is said of a frame; without its pixels, for a file may have a thousand."""

    number: int
    """From 0."""

    verdict: Verdict | None
    reason: str


def _badness(row: Judged) -> float:
    return row.verdict.probability_low if row.verdict else -1.0


def _results(image: TakenImage, frames: Sequence[_Frame]) -> list[ImageResult]:
    """Return results that name frames as DICOM does: where an image has frames, and one of them is meant."""
    named = len(frames) > 1 or (image.sop_class_uid in _MULTI_FRAME and frames[0].verdict is not None)
    return [
        ImageResult(
            ImageReference(image.sop_class_uid, image.sop_instance_uid, frame.number + 1 if named else None),
            frame.verdict,
            frame.reason,
        )
        for frame in frames
    ]

"""Received images and their verdicts: each function is one transaction of the node's database.

What a function has returned from is on the disk; what it was killed in has not happened.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from sqlalchemy import Engine, bindparam, insert, select, true, update
from sqlalchemy.orm import Session
from sqlalchemy.sql.dml import ReturningInsert

from miqanet.hospital import tallies, work
from miqanet.hospital.arrival import Arrival
from miqanet.hospital.node_schema import (
    Image,
    NodeBase,
    Property,
    Series,
    SeriesState,
    Verdict,
    WorkState,
)
from miqanet.hospital.records import ImageReference, ImageResult, SeriesResult
from miqanet.hospital.statements import dialect, insertion, table
from miqanet.hospital.uids import random_uid
from miqanet.verdict import Finding
from miqanet.verdict import Verdict as VerdictRecord

DEVICE_UID: Final = "device_uid"

# What is said of every image is put into SQL once: that takes longer than the database.
_IMAGES: Final = table(Image)
_SERIES: Final = table(Series)
_SERIES_ID: Final = select(_SERIES.c.id).where(
    _SERIES.c.study_instance_uid == bindparam("study_instance_uid"),
    _SERIES.c.series_instance_uid == bindparam("series_instance_uid"),
)
_EXPECT_IMAGE: Final = (
    update(_SERIES)
    .where(_SERIES.c.id == bindparam("series_id"))
    .values(
        last_received=bindparam("now"),
        state=SeriesState.OPEN,
        received_images=_SERIES.c.received_images + 1,
    )
)
_ADD_VERDICTS: Final = insert(table(Verdict))
_WORST_SO_FAR: Final = (
    select(_SERIES.c.worst_probability)
    .join(_IMAGES, _IMAGES.c.series_id == _SERIES.c.id)
    .where(_IMAGES.c.id == bindparam("image_id"))
)


@dataclass(frozen=True, slots=True)
class TakenImage:
    """An image that the taker, and nobody else for a while, is to judge."""

    id: int
    sop_class_uid: str
    sop_instance_uid: str
    path: str
    attempts: int
    """This one included."""


class NodeStore:
    """The node's images.

    Args:
        engine: of a node database at the newest revision.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def device_uid(self) -> str:
        """Return the UID of this installation, made when first asked for."""
        with Session(self._engine) as session, session.begin():
            _insert_new(session, Property, key=DEVICE_UID, value=random_uid())
            return session.get_one(Property, DEVICE_UID).value

    def add_image(self, arrival: Arrival, now: float) -> bool:
        """Note an image; return False, and change nothing, where it was there before.

        A series that was reported is open again: it gets another report.
        """
        series = {
            "study_instance_uid": arrival.study_instance_uid,
            "series_instance_uid": arrival.series_instance_uid,
        }
        with Session(self._engine) as session, session.begin():
            _insert_new(
                session,
                Series,
                **series,
                series_number=arrival.series_number,
                series_description=arrival.series_description,
                accession_number=arrival.accession_number,
                scanner=arrival.scanner,
                patient_study=arrival.patient_study,
                first_received=now,
                last_received=now,
                state=SeriesState.OPEN,
                revision=0,
            )
            series_id = session.scalars(_SERIES_ID, series).one()
            new = _insert_new(
                session,
                Image,
                series_id=series_id,
                sop_class_uid=arrival.sop_class_uid,
                sop_instance_uid=arrival.sop_instance_uid,
                instance_number=arrival.instance_number,
                path=arrival.path,
                received=now,
                state=WorkState.WAITING,
                due=now,
                attempts=0,
            )
            if not new:
                # The series, too, where this is the only image that claims to be of it.
                session.rollback()
                return False
            # After the image, as who judges does: two that each hold what the other waits for would wait for ever.
            session.execute(_EXPECT_IMAGE, {"series_id": series_id, "now": now})
            return True

    def holds(self, arrival: Arrival) -> bool:
        """Return whether an image is here, in the study and series that the arrival says it is of."""
        here = (
            select(Image.id)
            .join(Image.series)
            .where(
                Image.sop_instance_uid == arrival.sop_instance_uid,
                Series.study_instance_uid == arrival.study_instance_uid,
                Series.series_instance_uid == arrival.series_instance_uid,
            )
        )
        with Session(self._engine) as session:
            return session.scalar(here) is not None

    def take_images(
        self, now: float, lease_seconds: float, limit: int, most_attempts: int | None = None
    ) -> list[TakenImage]:
        """Take images that wait for their verdict; they come back after the lease unless judged by then.

        Args:
            now: the time.
            lease_seconds: how long nobody else gets them.
            limit: greatest number.
            most_attempts: images that were taken more often than this before are left.
        """
        untainted = true() if most_attempts is None else Image.attempts <= most_attempts
        with Session(self._engine) as session, session.begin():
            taken = work.take(session, Image, now, lease_seconds, limit, untainted)
            images = session.scalars(select(Image).where(Image.id.in_(taken)).order_by(Image.id))
            return [
                TakenImage(
                    image.id, image.sop_class_uid, image.sop_instance_uid, image.path or "", image.attempts
                )
                for image in images
            ]

    def postpone(self, image_id: int, until: float) -> None:
        """Let an image wait until a time, when it is to be judged again."""
        with Session(self._engine) as session, session.begin():
            work.postpone(session, Image, image_id, until)

    def add_verdicts(self, image_id: int, results: Iterable[ImageResult]) -> bool:
        """Keep the verdicts on an image, one a frame; return False, and change nothing, where it has some.

        Raises:
            ValueError: there is neither a verdict nor a reason why there is none.
        """
        results = list(results)
        rows = [_verdict_values(image_id, result) for result in results]
        if not rows:
            raise ValueError("an image has a verdict, or a reason why it has none")
        with Session(self._engine) as session, session.begin():
            if not work.finish(session, Image, image_id):
                return False
            session.execute(_ADD_VERDICTS, rows)
            tallies.count(session, image_id, results)
            return True

    def worst_probability(self, image_id: int) -> float | None:
        """Return the greatest probability of low in an image's series so far: only a worse one is worth a picture."""
        with Session(self._engine) as session:
            return session.scalar(_WORST_SO_FAR, {"image_id": image_id})

    def release(self, row: work.WorkRow, now: float) -> None:
        """Let all of a kind that a killed worker had taken be taken again, at once."""
        with Session(self._engine) as session, session.begin():
            work.release(session, row, now)

    def expired_paths(self, received_before: float, limit: int) -> list[str]:
        """Return paths of judged images that are older than the retention allows."""
        with Session(self._engine) as session:
            return [
                path
                for path in session.scalars(
                    select(Image.path)
                    .where(
                        Image.received < received_before,
                        Image.state == WorkState.DONE,
                        Image.path.is_not(None),
                    )
                    .limit(limit)
                )
                if path is not None
            ]

    def unknown_paths(self, paths: Sequence[str]) -> list[str]:
        """Return those of some paths that no image has."""
        with Session(self._engine) as session:
            known = set(session.scalars(select(Image.path).where(Image.path.in_(paths))))
        return [path for path in paths if path not in known]

    def image_id(self, sop_instance_uid: str) -> int:
        """Return the id of an image that is there."""
        with Session(self._engine) as session:
            return session.scalars(select(Image.id).where(Image.sop_instance_uid == sop_instance_uid)).one()

    def forget_paths(self, paths: Iterable[str]) -> None:
        """Note that the files of images were deleted; their verdicts stay."""
        with Session(self._engine) as session, session.begin():
            session.execute(update(Image).where(Image.path.in_(list(paths))).values(path=None))


def series_result(session: Session, series: Series, revision: int | None = None) -> SeriesResult:
    """Return a series' judged images in their order; those of a report, where its number is given."""
    rows = session.execute(
        select(Image, Verdict)
        .join(Verdict, Verdict.image_id == Image.id)
        .where(Image.series_id == series.id, true() if revision is None else Image.revision <= revision)
        .order_by(Image.instance_number, Image.sop_instance_uid, Verdict.frame)
    )
    return SeriesResult(
        series.study_instance_uid,
        series.series_instance_uid,
        tuple(image_result(image, verdict) for image, verdict in rows),
        series.patient_study,
    )


def image_result(image: Image, verdict: Verdict) -> ImageResult:
    """Return the record of a verdict's row."""
    reference = ImageReference(image.sop_class_uid, image.sop_instance_uid, verdict.frame or None)
    if verdict.quality is None or verdict.probability_low is None or verdict.threshold is None:
        return ImageResult(reference, None, verdict.reason)
    findings = tuple(Finding(kind, probability) for kind, probability in verdict.findings)
    return ImageResult(
        reference,
        VerdictRecord(
            verdict.quality,
            verdict.probability_low,
            verdict.review,
            findings,
            verdict.model_version,
            verdict.threshold,
        ),
    )


def _verdict_values(image_id: int, result: ImageResult) -> dict[str, Any]:
    verdict = result.verdict
    return {
        "image_id": image_id,
        "frame": result.image.frame or 0,
        "quality": verdict and verdict.quality,
        "probability_low": verdict and verdict.probability_low,
        "review": verdict is not None and verdict.review,
        "findings": [[each.kind, each.probability] for each in verdict.findings] if verdict else [],
        "model_version": verdict.model_version if verdict else "",
        "threshold": verdict and verdict.threshold,
        "reason": result.reason,
    }


def _insert_new(session: Session, row: type[NodeBase], **values: Any) -> bool:
    """Insert a row unless one of its unique values is there; return whether it was inserted."""
    return session.execute(_insert_unless_there(dialect(session), row), values).first() is not None


@cache
def _insert_unless_there(dialect_name: str, row: type[NodeBase]) -> ReturningInsert[Any]:
    return insertion(dialect_name, row).on_conflict_do_nothing().returning(*table(row).primary_key)

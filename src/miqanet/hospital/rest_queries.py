"""Series, images and verdicts of the node's database, in a time that does not grow with what has come in so far.

Lists are read in pages: each begins after the last row of the one before (a cursor), never after a number of rows
that would have to be counted.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Final

from sqlalchemy import ColumnElement, Engine, Row, Select, func, literal_column, select, tuple_
from sqlalchemy.orm import Session, aliased

from miqanet.hospital.node_schema import (
    Document,
    DocumentKind,
    Image,
    Send,
    Series,
    SeriesState,
    Verdict,
    WorkState,
)
from miqanet.hospital.rest_rows import (
    Cursor,
    ImageRow,
    SeriesFilter,
    SeriesRow,
    VerdictRow,
    WorstImage,
)
from miqanet.hospital.store import image_result
from miqanet.verdict import Quality

MOST_ROWS: Final = 500
"""Of a page of a list."""


class NodeQueries:
    """Questions to the node's database; each is a transaction that changes nothing.

    Args:
        engine: of a node database at the newest revision.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def series(
        self, wanted: SeriesFilter, limit: int, before: Cursor | None = None, *, one_a_study: bool = False
    ) -> list[SeriesRow]:
        """Return series, the last to get an image first.

        Args:
            wanted: which.
            limit: how many at most.
            before: cursor of the last one of the page before.
            one_a_study: only that series of a study which was the last to get an image.
        """
        conditions = wanted.conditions()
        if before is not None:
            conditions.append(_is_before(before))
        if one_a_study:
            conditions.append(_is_last_of_its_study(wanted))
        statement = (
            _series_rows()
            .where(*conditions)
            .order_by(Series.last_received.desc(), Series.id.desc())
            .limit(min(limit, MOST_ROWS))
        )
        with Session(self._engine) as session:
            return [_series_row(*row) for row in session.execute(statement)]

    def series_by_id(self, series_id: int) -> SeriesRow | None:
        """Return a series."""
        return self._one(_series_rows().where(Series.id == series_id))

    def series_of_image(self, image_id: int) -> SeriesRow | None:
        """Return the series of an image, by the image's id."""
        owner = select(Image.series_id).where(Image.id == image_id).scalar_subquery()
        return self._one(_series_rows().where(Series.id == owner))

    def series_by_uid(self, study_instance_uid: str, series_instance_uid: str) -> SeriesRow | None:
        """Return a series."""
        return self._one(
            _series_rows().where(
                Series.study_instance_uid == study_instance_uid,
                Series.series_instance_uid == series_instance_uid,
            )
        )

    def images(self, series_id: int) -> list[ImageRow]:
        """Return all images of a series, in their order."""
        statement = _image_rows().where(Image.series_id == series_id)
        with Session(self._engine) as session:
            return _grouped(session.execute(statement))

    def image(self, sop_instance_uid: str) -> tuple[ImageRow, SeriesRow] | None:
        """Return an image and its series."""
        with Session(self._engine) as session:
            images = _grouped(
                session.execute(_image_rows().where(Image.sop_instance_uid == sop_instance_uid))
            )
            if not images:
                return None
            owner = select(Image.series_id).where(Image.id == images[0].id).scalar_subquery()
            series = session.execute(_series_rows().where(Series.id == owner)).one()
            return images[0], _series_row(*series)

    def verdicts(self, after: int, limit: int, quality: Quality | None = None) -> list[VerdictRow]:
        """Return verdicts in the order in which they were made, those that come after one."""
        conditions = [Verdict.id > after]
        if quality is not None:
            conditions.append(Verdict.quality == quality)
        statement = (
            select(Verdict, Image, Series.study_instance_uid, Series.series_instance_uid, Series.scanner)
            .join(Verdict.image)
            .join(Image.series)
            .where(*conditions)
            .order_by(Verdict.id)
            .limit(min(limit, MOST_ROWS))
        )
        with Session(self._engine) as session:
            return [
                VerdictRow(verdict.id, study, series, scanner, image.received, image_result(image, verdict))
                for verdict, image, study, series, scanner in session.execute(statement)
            ]

    def documents(self, series_id: int) -> Sequence[tuple[DocumentKind, str, bool]]:
        """Return the newest documents about a series: kind, archive, and whether that has it."""
        newest = select(func.max(Document.revision)).where(Document.series_id == series_id).scalar_subquery()
        statement = (
            select(Document.kind, Send.archive, Send.state)
            .join(Document.sends)
            .where(Document.series_id == series_id, Document.revision == newest)
            .order_by(Document.id, Send.id)
        )
        with Session(self._engine) as session:
            return [
                (kind, archive, state is WorkState.DONE)
                for kind, archive, state in session.execute(statement)
            ]

    def patient_study(self, study_instance_uid: str) -> bytes | None:
        """Return what an image of a study says of patient and study."""
        statement = (
            select(Series.patient_study).where(Series.study_instance_uid == study_instance_uid).limit(1)
        )
        with Session(self._engine) as session:
            return session.scalar(statement)

    def _one(self, statement: Select[Series, Verdict, Image]) -> SeriesRow | None:
        with Session(self._engine) as session:
            row = session.execute(statement).one_or_none()
            return None if row is None else _series_row(*row)


def _series_rows() -> Select[Series, Verdict, Image]:
    return (
        select(Series, Verdict, Image)
        .outerjoin(Verdict, Verdict.id == Series.worst_verdict_id)
        .outerjoin(Image, Image.id == Verdict.image_id)
    )


def _image_rows() -> Select[Image, Verdict]:
    return (
        select(Image, Verdict)
        .outerjoin(Verdict, Verdict.image_id == Image.id)
        .order_by(Image.instance_number, Image.sop_instance_uid, Verdict.frame)
    )


def _is_before(cursor: Cursor) -> ColumnElement[bool]:
    return tuple_(Series.last_received, Series.id) < tuple_(*cursor)


def _is_last_of_its_study(wanted: SeriesFilter) -> ColumnElement[bool]:
    """Return the condition that no other wanted series of the study has got an image since."""
    later = aliased(Series)
    return ~(
        select(literal_column("1"))
        .select_from(later)
        .where(
            Series.study_instance_uid == later.study_instance_uid,
            *wanted.conditions(later),
            tuple_(later.last_received, later.id) > tuple_(Series.last_received, Series.id),
        )
        .exists()
    )


def _series_row(series: Series, verdict: Verdict | None, image: Image | None) -> SeriesRow:
    worst = None
    if verdict is not None and image is not None:
        worst = WorstImage(image.id, image.sop_instance_uid, image_result(image, verdict))
    return SeriesRow(
        id=series.id,
        study_instance_uid=series.study_instance_uid,
        series_instance_uid=series.series_instance_uid,
        series_number=series.series_number,
        series_description=series.series_description,
        accession_number=series.accession_number,
        scanner=series.scanner,
        first_received=series.first_received,
        last_received=series.last_received,
        is_reported=series.state is SeriesState.REPORTED,
        received_images=series.received_images,
        done_images=series.done_images,
        judged=series.judged,
        low=series.low,
        review=series.review,
        grade=series.grade,
        worst=worst,
        patient_study=series.patient_study,
    )


def _grouped(rows: Iterable[Row[Image, Verdict]]) -> list[ImageRow]:
    """Return images with their verdicts, from rows of one verdict each, those of an image together."""
    return [
        ImageRow(
            image.id,
            image.sop_instance_uid,
            image.instance_number,
            image.received,
            # Of an image that waits, the outer join gives none.
            tuple(image_result(image, verdict) for _, verdict in own if verdict),
        )
        for image, own in groupby(rows, key=itemgetter(0))
    ]

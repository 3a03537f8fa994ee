"""From complete series to documents, and from documents to archives: each function is one transaction.

A series is complete when no image of it has come for a while and every image of it has its verdict. Then
its documents are fixed: UIDs, dates, and which images they are about. What is sent, however often, is made
of these rows alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Engine, delete, select, update
from sqlalchemy.orm import Session

from miqanet.hospital import work
from miqanet.hospital.drafts import Draft
from miqanet.hospital.node_schema import (
    Document,
    DocumentKind,
    Image,
    Property,
    Send,
    Series,
    SeriesState,
    Verdict,
    WorkState,
)
from miqanet.hospital.records import Device, Identity, ImageReference
from miqanet.hospital.store import DEVICE_UID, series_result
from miqanet.hospital.uids import derived_uid, random_uid
from miqanet.verdict import Quality

FIRST_SERIES_NUMBER: Final = 90_000
"""Documents about series 7 go to series 90,007: last in a viewer's list, and told apart."""


@dataclass(frozen=True, slots=True)
class TakenSend:
    """A document that the taker, and nobody else for a while, is to send."""

    id: int
    document_id: int
    attempts: int
    """This one included."""


class Outbox:
    """What is written about series, and on its way.

    Args:
        engine: of a node database at the newest revision.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def complete_series(
        self,
        idle_since: float,
        created: datetime,
        device: Device,
        archives: Sequence[str],
        *,
        heat_maps: bool = False,
    ) -> int | None:
        """Fix the documents about one series that is complete.

        Args:
            idle_since: the series' last image came at this time or earlier.
            created: now, by the wall clock, with its offset.
            device: this node.
            archives: names of the archives that the documents go to.
            heat_maps: whether the worst image that is flagged gets a heat map.

        Returns:
            The id of the series, None where no series is complete.
        """
        with Session(self._engine) as session, session.begin():
            series_id = _take_complete(session, idle_since)
            if series_id is None:
                return None
            series = session.get_one(Series, series_id)
            session.execute(
                update(Image)
                .where(Image.series_id == series_id, Image.revision.is_(None), Image.state == WorkState.DONE)
                .values(revision=series.revision)
            )
            worst = _worst_flagged(session, series)
            kinds = [DocumentKind.REPORT]
            if worst is not None:
                kinds += [DocumentKind.KEY_OBJECTS, *([DocumentKind.HEAT_MAP] if heat_maps else [])]
            for kind in kinds:
                document = _document(series, kind, created, device)
                document.verdict_id = worst if kind is DocumentKind.HEAT_MAP else None
                document.sends = [
                    Send(archive=archive, error="", due=created.timestamp()) for archive in archives
                ]
                session.add(document)
            return series_id

    def take_sends(self, archive: str, now: float, lease_seconds: float, limit: int) -> list[TakenSend]:
        """Take documents that wait for an archive; they come back after the lease unless they arrived by then."""
        with Session(self._engine) as session, session.begin():
            taken = work.take(session, Send, now, lease_seconds, limit, Send.archive == archive)
            sends = session.scalars(select(Send).where(Send.id.in_(taken)).order_by(Send.id))
            return [TakenSend(send.id, send.document_id, send.attempts) for send in sends]

    def draft(self, document_id: int) -> Draft:
        """Return all that a document is made of: the same at each call."""
        with Session(self._engine) as session:
            document = session.get_one(Document, document_id)
            series = document.series
            earlier = select(Image.sop_instance_uid).where(
                Image.series_id == series.id, Image.revision < document.revision
            )
            before = select(Document).where(
                Document.series_id == series.id,
                Document.kind == DocumentKind.REPORT,
                Document.revision == document.revision - 1,
            )
            predecessor = session.scalars(before).one_or_none()
            device_uid = session.get_one(Property, DEVICE_UID).value
            return Draft(
                kind=document.kind,
                series=series_result(session, series, document.revision),
                identity=_identity(document),
                device=Device(device_uid, document.station_name, document.software_version),
                predecessor=None if predecessor is None else _identity(predecessor),
                selected=frozenset(session.scalars(earlier)),
                shown=_shown(session, document.verdict_id),
            )

    def sent(self, send_id: int) -> None:
        """Note that an archive has a document."""
        with Session(self._engine) as session, session.begin():
            work.finish(session, Send, send_id)

    def give_up(self, send_id: int) -> None:
        """Forget that an archive was to get a document, which can be made no more."""
        with Session(self._engine) as session, session.begin():
            session.execute(delete(Send).where(Send.id == send_id))

    def failed(self, send_id: int, error: str, until: float) -> None:
        """Note why an archive did not take a document, and when to try again."""
        with Session(self._engine) as session, session.begin():
            session.execute(update(Send).where(Send.id == send_id).values(error=error))
            work.postpone(session, Send, send_id, until)


def _take_complete(session: Session, idle_since: float) -> int | None:
    """Mark one complete series as reported, begin its next revision and return its id."""
    unjudged = select(Image.id).where(Image.series_id == Series.id, Image.state == WorkState.WAITING)
    complete = (
        select(Series.id)
        .where(Series.state == SeriesState.OPEN, Series.last_received <= idle_since, ~unjudged.exists())
        .order_by(Series.last_received)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    return session.scalar(
        update(Series)
        .where(
            # Not IN, for which PostgreSQL may ask several times and be given another one each time.
            Series.id == complete.scalar_subquery(),
            # Again: on PostgreSQL an image may come in between.
            Series.state == SeriesState.OPEN,
            Series.last_received <= idle_since,
        )
        .values(state=SeriesState.REPORTED, revision=Series.revision + 1)
        .returning(Series.id)
        .execution_options(synchronize_session=False)
    )


def _worst_flagged(session: Session, series: Series) -> int | None:
    """Return the id of the worst verdict that this revision adds to what is not of diagnostic quality."""
    return session.scalar(
        select(Verdict.id)
        .join(Verdict.image)
        .where(
            Image.series_id == series.id,
            Image.revision == series.revision,
            Verdict.quality == Quality.LOW,
            Verdict.review.is_(False),
        )
        .order_by(Verdict.probability_low.desc(), Verdict.id)
        .limit(1)
    )


def _document(series: Series, kind: DocumentKind, created: datetime, device: Device) -> Document:
    return Document(
        series=series,
        kind=kind,
        revision=series.revision,
        sop_instance_uid=random_uid(),
        # One series a kind, whatever the revision; another node's documents go to another, and so do those about
        # images that claim the same series in another study.
        series_instance_uid=derived_uid(
            series.series_instance_uid, f"{series.study_instance_uid} {device.uid} {kind}"
        ),
        series_number=FIRST_SERIES_NUMBER + series.series_number % 10_000,
        created=created.isoformat(),
        station_name=device.station_name,
        software_version=device.software_version,
    )


def _identity(document: Document) -> Identity:
    return Identity(
        document.sop_instance_uid,
        document.series_instance_uid,
        document.series_number,
        document.revision,
        datetime.fromisoformat(document.created),
    )


def _shown(session: Session, verdict_id: int | None) -> ImageReference | None:
    if verdict_id is None:
        return None
    verdict = session.get_one(Verdict, verdict_id)
    image = verdict.image
    return ImageReference(image.sop_class_uid, image.sop_instance_uid, verdict.frame or None)

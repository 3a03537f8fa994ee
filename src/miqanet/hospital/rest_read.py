"""Routes that answer questions: series, studies, images, verdicts."""

# Without `from __future__ import annotations`: FastAPI has to see what the routes, made within a function, depend on.
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from pydantic import AwareDatetime
from starlette.exceptions import HTTPException
from starlette.requests import Request

from miqanet.hospital.audit import AuditTrail
from miqanet.hospital.records import Grade
from miqanet.hospital.rest_access import Access, Caller
from miqanet.hospital.rest_models import (
    ImageModel,
    ImageOfSeries,
    Problem,
    SeriesModel,
    SeriesPage,
    SeriesWithImages,
    StudyModel,
    StudyPage,
    StudySummary,
    VerdictItem,
    VerdictPage,
    read_cursor,
    write_cursor,
)
from miqanet.hospital.rest_queries import MOST_ROWS, NodeQueries
from miqanet.hospital.rest_rows import Cursor, SeriesFilter, SeriesRow
from miqanet.hospital.rest_upload import Uid
from miqanet.verdict import Quality

TEXT_PATTERN = r"^[^\x00-\x1f\x7f]*$"
CURSOR_PATTERN = r"^[0-9]{1,12}(\.[0-9]{1,9})?-[0-9]{1,15}$"
_NOT_FOUND = 404
_MOST_ID = 2**53

Text = Annotated[str, Query(max_length=64, pattern=TEXT_PATTERN)]
Limit = Annotated[int, Query(ge=1, le=MOST_ROWS)]
Before = Annotated[str | None, Query(pattern=CURSOR_PATTERN, description="`next` of the page before.")]


def read_router(access: Access, queries: NodeQueries, trail: AuditTrail) -> APIRouter:
    """Return the routes."""
    missing: dict[int | str, dict[str, Any]] = {404: {"model": Problem, "description": "There is none."}}
    router = APIRouter(prefix="/api", tags=["query"])
    Reader = Annotated[Caller, Depends(access.reader)]  # noqa: N806  a type

    def asked(request: Request, caller: Caller) -> None:
        trail.queried(caller.user.name, caller.address, request.url.path, request.url.query)

    def saw(caller: Caller, row: SeriesRow) -> None:
        trail.seen(caller.user.name, caller.address, [row.for_audit()])

    @router.get("/series")
    def list_series(
        request: Request,
        caller: Reader,
        scanner: Text = "",
        grade: Grade | None = None,
        accession_number: Text = "",
        received_since: AwareDatetime | None = None,
        before: Before = None,
        limit: Limit = 50,
    ) -> SeriesPage:
        """List series, the last to get an image first."""
        asked(request, caller)
        wanted = SeriesFilter(
            scanner=scanner,
            grade=grade,
            accession_number=accession_number,
            received_since=_seconds(received_since),
        )
        rows = queries.series(wanted, limit, _cursor(before))
        return SeriesPage(items=[SeriesModel.of(row) for row in rows], next=_next(rows, limit))

    @router.get("/studies")
    def list_studies(
        request: Request,
        caller: Reader,
        accession_number: Text = "",
        before: Before = None,
        limit: Limit = 50,
    ) -> StudyPage:
        """List studies, the last to get an image first."""
        asked(request, caller)
        wanted = SeriesFilter(accession_number=accession_number)
        rows = queries.series(wanted, limit, _cursor(before), one_a_study=True)
        studies = [StudyModel.of([row]) for row in rows]
        items = [StudySummary(**study.model_dump(exclude={"series"})) for study in studies]
        return StudyPage(items=items, next=_next(rows, limit))

    @router.get("/studies/{study}", responses=missing)
    def read_study(study: Uid, caller: Reader) -> StudyModel:
        """Read a study: its series, at most 500."""
        rows = queries.series(SeriesFilter(study_instance_uid=study), MOST_ROWS)
        if not rows:
            raise HTTPException(_NOT_FOUND)
        saw(caller, rows[0])
        return StudyModel.of(rows)

    @router.get("/studies/{study}/series/{series}", responses=missing)
    def read_series(study: Uid, series: Uid, caller: Reader) -> SeriesWithImages:
        """Read a series: the verdicts on all its images."""
        row = queries.series_by_uid(study, series)
        if row is None:
            raise HTTPException(_NOT_FOUND)
        saw(caller, row)
        images = [ImageModel.of(image) for image in queries.images(row.id)]
        return SeriesWithImages(series=SeriesModel.of(row), images=images)

    @router.get("/images/{sop_instance}", responses=missing)
    def read_image(sop_instance: Uid, caller: Reader) -> ImageOfSeries:
        """Read the verdicts on an image."""
        found = queries.image(sop_instance)
        if found is None:
            raise HTTPException(_NOT_FOUND)
        image, series = found
        saw(caller, series)
        return ImageOfSeries(image=ImageModel.of(image), series=SeriesModel.of(series))

    @router.get("/verdicts")
    def list_verdicts(
        request: Request,
        caller: Reader,
        after: Annotated[int, Query(ge=0, le=_MOST_ID, description="`next` of the page before.")] = 0,
        quality: Quality | None = None,
        limit: Limit = 100,
    ) -> VerdictPage:
        """List verdicts in the order in which they were made: to follow them, ask again with `next`."""
        asked(request, caller)
        rows = queries.verdicts(after, limit, quality)
        return VerdictPage(items=[VerdictItem.of(row) for row in rows], next=rows[-1].id if rows else after)

    return router


def _next(rows: list[SeriesRow], limit: int) -> str | None:
    return write_cursor(rows[-1].cursor) if len(rows) == limit else None


def _cursor(text: str | None) -> Cursor | None:
    return None if text is None else read_cursor(text)


def _seconds(moment: datetime | None) -> float | None:
    if moment is None:
        return None
    try:
        return moment.timestamp()
    except (OverflowError, ValueError, OSError):
        # The year 1, in a time zone east of here.
        return 0.0

"""The control room's page: series as they come, the worst image of each, drift of the scanners."""

# Without `from __future__ import annotations`: FastAPI has to see what the routes, made within a function, depend on.
import time
from datetime import date, timedelta
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Form, Path, Query
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from miqanet.hospital.audit import AuditTrail
from miqanet.hospital.config import Config
from miqanet.hospital.page_drift import SCORES_HEIGHT, SHARE_HEIGHT, WIDTH, drift
from miqanet.hospital.page_view import GRADES, WORDS, backlog_view, series_detail, series_view
from miqanet.hospital.pictures import Pictures, full_scale
from miqanet.hospital.records import Grade
from miqanet.hospital.rest_access import Access, Caller
from miqanet.hospital.rest_figures import NodeFigures
from miqanet.hospital.rest_models import read_cursor, write_cursor
from miqanet.hospital.rest_queries import NodeQueries
from miqanet.hospital.rest_read import CURSOR_PATTERN, TEXT_PATTERN
from miqanet.hospital.rest_rows import SeriesFilter, SeriesRow
from miqanet.screening.thumbnails import Picture, encode_heat_map
from miqanet.web.pages import Pages
from miqanet.web.tokens import csrf_token, is_csrf_token

ROWS = 40
"""Series on a page of the list."""

DAY_SECONDS = 86_400.0

_SEE_OTHER, _UNKNOWN, _FORBIDDEN, _NOT_FOUND = 303, 401, 403, 404
_MOST_ID = 2**53

Text = Annotated[str, Query(max_length=64, pattern=TEXT_PATTERN)]
Word = Annotated[str, Query(pattern=f"^({'|'.join(GRADES)})?$")]
Cursor = Annotated[str, Query(pattern=f"^$|{CURSOR_PATTERN}")]
SeriesId = Annotated[int | None, Query(ge=1, le=_MOST_ID)]
Days = Annotated[int, Query(ge=7, le=90)]
RowId = Annotated[int, Path(ge=1, le=_MOST_ID)]


class _Filters:
    """What the address says of the list."""

    def __init__(
        self, scanner: Text = "", verdict: Word = "", accession: Text = "", before: Cursor = ""
    ) -> None:
        self.scanner, self.verdict, self.accession, self.before = scanner, verdict, accession, before

    def wanted(self) -> SeriesFilter:
        return SeriesFilter(self.scanner, GRADES.get(self.verdict), self.accession.strip())

    def query(self, **changes: Any) -> str:
        """Return what an address says, with some of it changed; another list begins at its top."""
        values = {"scanner": self.scanner, "verdict": self.verdict, "accession": self.accession} | changes
        return urlencode({key: value for key, value in values.items() if value})

    def url(self, path: str = "/", **changes: Any) -> str:
        """Return the address of the page with some of what it says changed."""
        query = self.query(**changes)
        return f"{path}?{query}" if query else path


def page_router(
    access: Access,
    queries: NodeQueries,
    figures: NodeFigures,
    trail: AuditTrail,
    pictures: Pictures,
    pages: Pages,
    config: Config,
) -> APIRouter:
    """Return the routes."""
    router = APIRouter(include_in_schema=False)
    archives = [archive.name for archive in config.archives]
    Viewer = Annotated[Caller, Depends(access.viewer)]  # noqa: N806  types
    Visitor = Annotated[Caller, Depends(access.visitor)]  # noqa: N806
    Filters = Annotated[_Filters, Depends(_Filters)]  # noqa: N806

    def saw(caller: Caller, *rows: SeriesRow) -> None:
        trail.seen(caller.user.name, caller.address, [row.for_audit() for row in rows])

    def live(caller: Caller, filters: _Filters) -> dict[str, Any]:
        """Return the list and what goes with it."""
        before = read_cursor(filters.before) if filters.before else None
        rows = queries.series(filters.wanted(), ROWS + 1, before)
        shown, more = rows[:ROWS], rows[ROWS:]
        trail.queried(caller.user.name, caller.address, "/", filters.query(before=filters.before))
        if caller.user.sees_names:
            saw(caller, *shown)
        now = time.time()
        counts = figures.graded_since(now - DAY_SECONDS, filters.scanner)
        return {
            "filters": filters,
            "rows": [series_view(row, with_patient=caller.user.sees_names) for row in shown],
            "older": write_cursor(shown[-1].cursor) if more else "",
            "counts": {word: counts.get(grade, 0) for grade, word in WORDS.items()},
            "backlog": backlog_view(figures.backlog(now)),
            "archives": figures.archives(archives),
            "with_patient": caller.user.sees_names,
        }

    def detail(caller: Caller, row: SeriesRow) -> dict[str, Any]:
        """Return what is shown of one series."""
        saw(caller, row)
        shown = series_detail(row, queries.images(row.id), with_patient=caller.user.sees_names)
        picture = row.worst is not None and pictures.get(row.worst.image_id) is not None
        return {
            "detail": shown,
            "picture": row.worst.image_id if row.worst and picture else None,
            "documents": queries.documents(row.id),
        }

    def frame(request: Request, caller: Caller) -> dict[str, Any]:
        """Return what every page shows around its content."""
        token = access.cookie.read(request)
        return {"csrf": csrf_token(token) if token else "", "user": caller.user.name}

    @router.get("/")
    def board(request: Request, caller: Visitor, filters: Filters, series: SeriesId = None) -> Response:
        context = live(caller, filters)
        chosen = series if series is not None else _to_follow(context["rows"])
        row = None if chosen is None else queries.series_by_id(chosen)
        context |= {"detail": None} if row is None else detail(caller, row)
        context |= frame(request, caller)
        context |= {"scanners": figures.scanners(), "chosen": series}
        return pages.page("board.html.j2", context)

    @router.get("/live")
    def live_part(caller: Viewer, filters: Filters) -> Response:
        return pages.page("live.html.j2", live(caller, filters))

    @router.get("/series/{series}")
    def detail_part(series: RowId, caller: Viewer) -> Response:
        row = queries.series_by_id(series)
        if row is None:
            raise HTTPException(_NOT_FOUND)
        return pages.page("detail.html.j2", detail(caller, row))

    def kept(caller: Caller, image: int) -> Picture:
        """Return the picture of an image."""
        found, row = pictures.get(image), queries.series_of_image(image)
        if found is None or row is None:
            raise HTTPException(_NOT_FOUND)
        saw(caller, row)
        return found

    @router.get("/pictures/{image}.jpg")
    def picture(image: RowId, caller: Viewer) -> Response:
        return _picture(kept(caller, image).jpeg, "image/jpeg")

    @router.get("/pictures/{image}.png")
    def heat_map(image: RowId, caller: Viewer) -> Response:
        found = kept(caller, image)
        return _picture(encode_heat_map(found.heat_map, full_scale(found)), "image/png")

    @router.get("/drift")
    def drift_page(request: Request, caller: Visitor, days: Days = 30) -> Response:
        today = date.today()  # noqa: DTZ011  # the wall clock's, as in the counts
        rows = figures.scores((today - timedelta(days=days - 1)).isoformat())
        context = frame(request, caller) | {
            "charts": drift(rows, today, days),
            "days": days,
            "width": WIDTH,
            "share_height": SHARE_HEIGHT,
            "scores_height": SCORES_HEIGHT,
        }
        return pages.page("drift.html.j2", context)

    @router.get("/login")
    def login_page() -> Response:
        return pages.page("login.html.j2", {"csrf": "", "refused": False})

    @router.post("/login")
    async def login(request: Request, token: Annotated[str, Form(max_length=256)] = "") -> Response:
        try:
            await access.sign_in(request, token.strip())
        except HTTPException as error:
            if error.status_code not in (_UNKNOWN, _FORBIDDEN):
                raise
            return pages.page("login.html.j2", {"csrf": "", "refused": True}, error.status_code)
        response = RedirectResponse("/", _SEE_OTHER)
        access.cookie.give(response, token.strip())
        return response

    @router.post("/logout")
    async def logout(
        request: Request, caller: Viewer, csrf: Annotated[str, Form(max_length=64)] = ""
    ) -> Response:
        session = access.cookie.read(request)
        if session is not None and not is_csrf_token(csrf, session):
            raise HTTPException(_FORBIDDEN)
        await run_in_threadpool(trail.login, caller.user.name, caller.address, succeeded=True, logout=True)
        response = RedirectResponse("/login", _SEE_OTHER)
        access.cookie.take(response)
        return response

    @router.get("/static/{name}")
    def static(name: str, request: Request) -> Response:
        return pages.file(name, request)

    return router


def _to_follow(rows: list[Any]) -> int | None:
    """Return the series that is shown where nobody has chosen one: the last to repeat, else the last."""
    repeats = [row.id for row in rows if row.word == WORDS[Grade.NON_DIAGNOSTIC]]
    return next(iter(repeats or [row.id for row in rows]), None)


def _picture(content: bytes, media_type: str) -> Response:
    # For a while, by this browser alone: the list asks for the same ones every few seconds.
    return Response(content, media_type=media_type, headers={"Cache-Control": "private, max-age=600"})

"""The web application of a study: pages for raters and the administrator, and what their scripts ask for."""

# Without `from __future__ import annotations`: FastAPI has to see what the routes, made within a function, depend on.
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

from fastapi import Depends, FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp

from miqanet.database.query import Database
from miqanet.study.accounts import Account
from miqanet.study.bodies import VoteBody
from miqanet.study.gate import Gate
from miqanet.study.page_config import page_config
from miqanet.study.room import RatingRoom
from miqanet.web.body_limit import BodyLimit
from miqanet.web.errors import answer_errors
from miqanet.web.headers import SecurityHeaders
from miqanet.web.pages import Pages
from miqanet.web.sessions import SessionCookie
from miqanet.web.tokens import csrf_token

_SEE_OTHER, _UNPROCESSABLE = 303, 422
_MOST_BYTES = 16_384
"""Of a request's body."""


def create_app(database: Database, https: bool = False) -> ASGIApp:
    """Return the application for a database's study.

    Args:
        database: which has a study; stays open as long as the application runs.
        https: whether browsers reach the application by HTTPS.

    Raises:
        ValueError: the database has no study.
    """
    room = RatingRoom(database)
    cookie = SessionCookie(https, "study")
    gate = Gate(room.engine, cookie)
    pages = Pages(("miqanet.study", "miqanet.web"))

    Anyone = Annotated[Account, Depends(gate.anyone)]  # noqa: N806  types
    Acting = Annotated[Account, Depends(gate.acting)]  # noqa: N806
    Rater = Annotated[Account, Depends(gate.rater)]  # noqa: N806
    ActingRater = Annotated[Account, Depends(gate.acting_rater)]  # noqa: N806
    Administrator = Annotated[Account, Depends(gate.administrator)]  # noqa: N806

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        yield
        room.close()

    app = FastAPI(openapi_url=None, lifespan=lifespan)
    app.add_middleware(BodyLimit, most_bytes=_MOST_BYTES)
    answer_errors(app, pages)

    @app.get("/join/{invitation}")
    async def join(invitation: str, request: Request) -> Response:
        gate.limit_joining(invitation)
        token = await room.begin_session(invitation)
        if token is None:
            raise gate.unknown(request, "This invitation is not, or no longer, valid. Ask for a new one.")
        response = RedirectResponse("/", _SEE_OTHER)
        cookie.give(response, token)
        return response

    @app.post("/logout")
    async def logout(request: Request, _account: Acting) -> Response:
        token = gate.session_token(request)
        await room.end_session(token)
        gate.forget(token)
        response = RedirectResponse("/", _SEE_OTHER)
        cookie.take(response)
        return response

    @app.get("/static/{name}")
    async def static(name: str, request: Request) -> Response:
        return pages.file(name, request)

    @app.get("/")
    async def rate(request: Request, account: Anyone) -> Response:
        if account.administrator:
            return RedirectResponse("/admin", _SEE_OTHER)
        config = page_config(room.protocol, account.name)
        csrf = csrf_token(gate.session_token(request))
        return pages.page("rate.html.j2", {"csrf": csrf, "config": config})

    @app.get("/api/work")
    async def work(account: Rater) -> dict[str, Any]:
        return await room.work(account.id)

    @app.get("/api/pixels/{presentation:int}")
    async def pixels(presentation: int, account: Rater) -> Response:
        content = await room.pixels(account.id, presentation)
        return Response(content, media_type="application/octet-stream")

    @app.post("/api/votes")
    async def vote(body: VoteBody, account: ActingRater) -> dict[str, Any]:
        try:
            judgement = body.judgement(room.protocol)
        except ValueError as error:
            raise HTTPException(_UNPROCESSABLE, str(error)) from None
        return await room.judge(account.id, judgement)

    @app.post("/api/undo")
    async def undo(account: ActingRater) -> dict[str, Any]:
        return await room.undo(account.id)

    @app.get("/admin")
    async def admin(request: Request, account: Administrator) -> Response:
        csrf = csrf_token(gate.session_token(request))
        context = {"csrf": csrf, "name": room.protocol.name, "rater": account.name}
        return pages.page("admin.html.j2", context)

    @app.get("/admin/api/progress")
    async def progress(_account: Administrator) -> dict[str, Any]:
        return (await room.progress()).as_json()

    return SecurityHeaders(app, https)

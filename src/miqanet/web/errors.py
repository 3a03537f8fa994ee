"""What is said when something is wrong: JSON to scripts, a page to people, and never what went on inside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from types import MappingProxyType

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from miqanet.web.pages import Pages

_MESSAGES = {
    401: "Ask for your invitation link, and open it in this browser.",
    403: "This is not for you to see.",
    404: "There is nothing here.",
    405: "This address cannot be asked that way.",
    413: "What was sent is too large.",
    429: "Too many requests. Wait a little.",
    500: "Something went wrong on the server. Try again; nothing that was saved is lost.",
}
_TITLES = {401: "Please sign in"}
"""Where HTTP's own phrase would not tell a person what to do."""

_UNPROCESSABLE, _BROKEN = 422, 500


def answer_errors(
    app: FastAPI,
    pages: Pages,
    for_scripts: Sequence[str] = ("/api/",),
    messages: Mapping[int, str] = MappingProxyType({}),
) -> None:
    """Answer all errors of an application.

    Args:
        app: whose errors.
        pages: with `error.html.j2`.
        for_scripts: addresses that have one of these in them are answered in JSON.
        messages: what to say, by status, where it is not what raised the error that says it.
    """
    messages = _MESSAGES | dict(messages)

    def answer(request: Request, status: int, message: str, headers: dict[str, str]) -> Response:
        if any(part in request.url.path for part in for_scripts):
            return JSONResponse({"error": message}, status, headers)
        title = _TITLES.get(status, HTTPStatus(status).phrase)
        context = {"status": status, "title": title, "message": message, "csrf": ""}
        page = pages.page("error.html.j2", context, status)
        page.headers.update(headers)
        return page

    @app.exception_handler(HTTPException)
    async def http_error(request: Request, error: HTTPException) -> Response:
        phrase = HTTPStatus(error.status_code).phrase
        # Starlette's own errors say no more than the phrase.
        message = error.detail if error.detail != phrase else messages.get(error.status_code, phrase)
        return answer(request, error.status_code, message, dict(error.headers or {}))

    @app.exception_handler(RequestValidationError)
    async def malformed(request: Request, error: RequestValidationError) -> Response:
        # Which field is wrong, and not what was in it.
        fields = {".".join(str(part) for part in each["loc"][1:]) for each in error.errors()}
        return answer(request, _UNPROCESSABLE, f"malformed: {', '.join(sorted(fields)) or 'body'}", {})

    @app.exception_handler(Exception)
    async def broken(request: Request, _error: Exception) -> Response:
        return answer(request, _BROKEN, messages[_BROKEN], {})

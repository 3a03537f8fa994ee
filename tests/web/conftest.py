"""An application with the shared parts around it, and a browser to ask it."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import pytest
from fastapi import FastAPI, Request

from miqanet.web.body_limit import BodyLimit
from miqanet.web.errors import answer_errors
from miqanet.web.headers import SecurityHeaders
from miqanet.web.pages import Pages

with warnings.catch_warnings():
    # It asks for a successor of httpx; both will do.
    warnings.simplefilter("ignore")
    from starlette.testclient import TestClient


@pytest.fixture
def pages() -> Pages:
    return Pages(("miqanet.web",))


@pytest.fixture
def browser(pages: Pages) -> Callable[..., TestClient]:
    """Return a browser of an application with an echo and a failure; `https` as for the headers."""

    def make(https: bool = False) -> TestClient:
        app = FastAPI(openapi_url=None)
        app.add_middleware(BodyLimit, most_bytes=100)
        answer_errors(app, pages)

        @app.post("/api/echo")
        async def echo(request: Request) -> int:
            return len(await request.body())

        @app.get("/api/number/{number}")
        async def number(number: int) -> int:
            return number

        @app.get("/broken")
        @app.get("/api/broken")
        async def broken() -> None:
            raise RuntimeError("a secret")

        @app.get("/static/{name}")
        async def static(name: str, request: Request) -> Any:
            return pages.file(name, request)

        return TestClient(SecurityHeaders(app, https), raise_server_exceptions=False)

    return make

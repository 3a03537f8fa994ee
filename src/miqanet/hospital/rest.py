"""The web side of the node: REST API, STOW-RS and the control room's page, as one application."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI
from fastapi.routing import APIRoute
from sqlalchemy import Engine
from starlette.types import ASGIApp

from miqanet import __version__
from miqanet.hospital.audit import AuditTrail
from miqanet.hospital.config import Config, Web
from miqanet.hospital.ingest import Ingest
from miqanet.hospital.metrics import NodeMetrics, RequestTimes
from miqanet.hospital.page import page_router
from miqanet.hospital.pictures import Pictures
from miqanet.hospital.rest_access import Access
from miqanet.hospital.rest_figures import NodeFigures
from miqanet.hospital.rest_limits import BodyLimits, Containment
from miqanet.hospital.rest_models import Problem
from miqanet.hospital.rest_queries import NodeQueries
from miqanet.hospital.rest_read import read_router
from miqanet.hospital.rest_system import system_router
from miqanet.hospital.rest_upload import upload_router
from miqanet.hospital.tls import CIPHERS
from miqanet.hospital.tokens import Tokens
from miqanet.hospital.transfers import Transfers
from miqanet.web.errors import answer_errors
from miqanet.web.headers import SecurityHeaders
from miqanet.web.pages import Pages
from miqanet.web.serving import Address

_FOR_SCRIPTS = ("/api/", "/dicom-web/", "/metrics", "/health")
_MESSAGES = {
    401: "Sign in, or send a token: Authorization: Bearer TOKEN.",
    403: "This token does not allow that.",
    404: "There is nothing here.",
}
_REFUSALS: dict[int | str, dict[str, Any]] = {
    401: {"model": Problem, "description": "There is no token, or it is nobody's."},
    403: {"model": Problem, "description": "The token does not allow that."},
    413: {"model": Problem, "description": "The body is too large."},
    422: {"model": Problem, "description": "Something in the address is malformed."},
    429: {"model": Problem, "description": "Too many requests; Retry-After says how long to wait."},
}
_DESCRIPTION = """Verdicts on the diagnostic quality of MR images.

Every request but that for the health needs a token: `Authorization: Bearer TOKEN`. A token of the permission `read`
may ask, one of `send` may hand in images, one of `admin` may do both and let results be sent again at once.
"""


@dataclass(frozen=True, slots=True)
class Application:
    """The web side."""

    served: ASGIApp
    api: FastAPI
    """Within it: what has an OpenAPI description."""


def create_app(engine: Engine, config: Config, ingest: Ingest) -> Application:
    """Return the web side of a node.

    Args:
        engine: of the node's database, at the newest revision.
        config: of the node; its spool folder is there.
        ingest: takes images in.

    Raises:
        TokenError: the file of tokens cannot be used.
    """
    spool = config.storage.spool
    names = [archive.name for archive in config.archives]
    trail = AuditTrail(engine, config.dicom.ae_title)
    tokens = Tokens(config.web.tokens)
    # What is wrong with the file is to be said now, not to the first who asks.
    tokens.users()
    access = Access(config.web, tokens, trail)
    queries, figures = NodeQueries(engine), NodeFigures(engine)
    metrics = NodeMetrics(engine, names, spool)
    pages = Pages(("miqanet.hospital", "miqanet.web"))

    api = FastAPI(
        title="miqanet",
        version=__version__,
        description=_DESCRIPTION,
        openapi_url=None,
        responses=_REFUSALS,
        generate_unique_id_function=_operation_id,
    )
    api.include_router(upload_router(access, ingest, Transfers(trail, queries), spool))
    api.include_router(read_router(access, queries, trail))
    api.include_router(system_router(access, engine, names, spool, metrics, trail))
    api.include_router(page_router(access, queries, figures, trail, Pictures(spool), pages, config))
    answer_errors(api, pages, _FOR_SCRIPTS, _MESSAGES)
    app: ASGIApp = BodyLimits(api, config.web.upload_bytes)
    app = SecurityHeaders(Containment(RequestTimes(app, metrics)), config.web.https)
    return Application(app, api)


def uvicorn_config(app: ASGIApp, web: Web) -> uvicorn.Config:
    """Return how an application is served.

    Requests are not logged: their addresses hold UIDs and accession numbers. Nobody is believed who says for whom he
    asks, but the proxy of the configuration, and that not here.

    Raises:
        ValueError: other machines would reach the page in the clear.
    """
    tls = web.tls
    address = Address(
        web.bind,
        web.port,
        tls.certificate if tls else None,
        tls.key if tls else None,
        behind_proxy=web.https and tls is None,
    )
    return uvicorn.Config(
        app,
        host=address.host,
        port=address.port,
        ssl_certfile=_path(address.certificate),
        ssl_keyfile=_path(address.key),
        ssl_ciphers=CIPHERS,
        proxy_headers=False,
        access_log=False,
        log_level="warning",
        server_header=False,
        ws="none",
    )


def _operation_id(route: APIRoute) -> str:
    return route.name


def _path(path: Path | None) -> str | None:
    return None if path is None else str(path)

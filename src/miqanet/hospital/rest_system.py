"""Routes about the node itself: health, figures for Prometheus, archives, the description of all this."""

# Without `from __future__ import annotations`: FastAPI has to see what the routes, made within a function, depend on.
import shutil
import time
from collections.abc import Sequence
from pathlib import Path as FolderPath
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path
from pydicom.sr.codedict import codes
from sqlalchemy import Engine, select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from miqanet.hospital.audit import AuditTrail
from miqanet.hospital.metrics import MEDIA_TYPE, NodeMetrics
from miqanet.hospital.node_schema import Send, Series, WorkState
from miqanet.hospital.rest_access import Access, Caller
from miqanet.hospital.rest_figures import NodeFigures
from miqanet.hospital.rest_models import ArchiveModel, Health, Problem, Retried

_LEAST_FREE_BYTES = 500_000_000
"""Room on the spool folder's disk below which the node says that it needs help."""

_NOT_FOUND, _UNAVAILABLE = 404, 503


def system_router(
    access: Access,
    engine: Engine,
    archives: Sequence[str],
    spool: FolderPath,
    metrics: NodeMetrics,
    trail: AuditTrail,
) -> APIRouter:
    """Return the routes."""
    router = APIRouter(tags=["system"])
    Reader = Annotated[Caller, Depends(access.reader)]  # noqa: N806  types
    Admin = Annotated[Caller, Depends(access.admin)]  # noqa: N806

    @router.get(
        "/health",
        responses={503: {"model": Health, "description": "Something fails."}},
        dependencies=[Depends(access.passer_by)],
    )
    def health(response: Response) -> Health:
        """Say whether the node works; anybody may ask."""
        failing = _failing(engine, spool)
        response.status_code = _UNAVAILABLE if failing else 200
        return Health(status=failing or "ok")

    @router.get(
        "/metrics",
        response_class=Response,
        responses={200: {"content": {MEDIA_TYPE: {"schema": {"type": "string"}}}, "description": "Figures."}},
    )
    def read_metrics(_caller: Reader) -> Response:
        """Give figures to Prometheus."""
        return Response(metrics.text(), media_type=MEDIA_TYPE)

    @router.get("/api/openapi.json", response_class=JSONResponse)
    def describe(request: Request, _caller: Reader) -> dict[str, Any]:
        """Describe the REST API (OpenAPI)."""
        description: dict[str, Any] = request.app.openapi()
        return description

    @router.get("/api/archives")
    def list_archives(_caller: Admin) -> list[ArchiveModel]:
        """List the archives, and what waits for them."""
        return [ArchiveModel.of(row) for row in NodeFigures(engine).archives(archives)]

    @router.post(
        "/api/archives/{name}/retry", responses={404: {"model": Problem, "description": "There is none."}}
    )
    def retry(name: Annotated[str, Path(max_length=256)], caller: Admin) -> Retried:
        """Send at once what waits for an archive: it is back, and the next attempt would come later."""
        if name not in archives:
            raise HTTPException(_NOT_FOUND)
        trail.changed(caller.user.name, caller.address, name, codes.DCM.NetworkConfiguration)
        with Session(engine) as session, session.begin():
            waiting = update(Send).where(Send.archive == name, Send.state == WorkState.WAITING)
            sent = session.scalars(waiting.values(due=time.time()).returning(Send.id)).all()
        return Retried(documents=len(sent))

    return router


def _failing(engine: Engine, spool: FolderPath) -> str:
    """Return what fails, empty where nothing does."""
    try:
        with Session(engine) as session:
            session.execute(select(Series.id).limit(1))
    except SQLAlchemyError:
        return "database"
    try:
        return "disk" if shutil.disk_usage(spool).free < _LEAST_FREE_BYTES else ""
    except OSError:
        return "disk"

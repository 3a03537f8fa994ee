"""Routes that take images: STOW-RS for systems that speak DICOM, a plain POST for scripts."""

# Without `from __future__ import annotations`: FastAPI has to see what the routes, made within a function, depend on.
from pathlib import Path as FolderPath
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from miqanet.hospital import rest_stow
from miqanet.hospital.ingest import Ingest, Outcome, Receipt
from miqanet.hospital.rest_access import Access, Caller
from miqanet.hospital.rest_models import Problem, Submitted
from miqanet.hospital.rest_multipart import (
    DICOM,
    MediaTypeError,
    MultipartError,
    Part,
    PartReader,
    unnamed_file,
)
from miqanet.hospital.rest_stow import JSON, XML
from miqanet.hospital.transfers import Transfers

UID_PATTERN = r"^[0-2](\.(0|[1-9][0-9]*))+$"
Uid = Annotated[str, Path(pattern=UID_PATTERN, max_length=64)]

_CREATED, _BAD_REQUEST, _NOT_ACCEPTABLE, _CONFLICT, _UNSUPPORTED, _UNAVAILABLE = 201, 400, 406, 409, 415, 503
_RETRY_SECONDS = "60"
_STATUS = {
    Receipt.MALFORMED: _BAD_REQUEST,
    Receipt.UNSUPPORTED: _UNSUPPORTED,
    Receipt.CONFLICTING: _CONFLICT,
    Receipt.OUT_OF_RESOURCES: _UNAVAILABLE,
}
_BODY = {
    "requestBody": {"required": True, "content": {DICOM: {"schema": {"type": "string", "format": "binary"}}}}
}
_PARTS = {
    "requestBody": {
        "required": True,
        "content": {f'multipart/related; type="{DICOM}"': {"schema": {"type": "string", "format": "binary"}}},
    }
}
_STOW_RESPONSES: dict[int | str, dict[str, Any]] = {
    **{
        status: {
            "description": text,
            "content": {JSON: {"schema": {"type": "object"}}, XML: {"schema": {"type": "string"}}},
        }
        for status, text in (
            (200, "All objects are stored."),
            (202, "Some objects are stored."),
            (409, "No object is stored."),
            (503, "No object is stored; the disk is full, or disk or database fail."),
        )
    },
    400: {"model": Problem, "description": "The body is malformed, or empty."},
    406: {"model": Problem, "description": f"The answer is {JSON} or {XML}."},
    415: {"model": Problem, "description": "The body is none of DICOM files, or is compressed."},
}


def upload_router(access: Access, ingest: Ingest, transfers: Transfers, spool: FolderPath) -> APIRouter:
    """Return the routes."""
    router = APIRouter(tags=["upload"], dependencies=[Depends(_plain)])
    Sender = Annotated[Caller, Depends(access.sender)]  # noqa: N806  a type

    def note(caller: Caller, outcomes: list[Outcome]) -> None:
        transfers.received(caller.user.name, caller.address, outcomes)

    def take(part: Part, sender: str, announced: dict[str, str]) -> Outcome:
        with part.content:
            if part.media_type != DICOM:
                return Outcome(Receipt.MALFORMED, reason=f"a part is not of the type {DICOM}")
            return ingest(part.content, sender, announced)

    async def store(request: Request, caller: Caller, announced: dict[str, str]) -> Response:
        form = rest_stow.media_type(request.headers.get("Accept") or "*/*")
        if form is None:
            raise HTTPException(_NOT_ACCEPTABLE, f"the answer is of the type {JSON} or {XML}")
        outcomes: list[Outcome] = []
        try:
            reader = PartReader(request.headers.get("Content-Type", ""), spool)
        except MediaTypeError as error:
            raise HTTPException(_UNSUPPORTED, str(error)) from None
        except MultipartError as error:
            raise HTTPException(_BAD_REQUEST, str(error)) from None
        try:
            async for chunk in request.stream():
                parts = await run_in_threadpool(reader.feed, chunk)
                outcomes += [
                    await run_in_threadpool(take, part, caller.user.name, announced) for part in parts
                ]
            reader.finish()
        except MultipartError as error:
            # What came before is stored, and comes again as what is known.
            raise HTTPException(_BAD_REQUEST, str(error)) from None
        except OSError:
            raise HTTPException(_UNAVAILABLE, "the disk is full, or fails") from None
        finally:
            reader.close()
            await run_in_threadpool(note, caller, outcomes)
        if not outcomes:
            raise HTTPException(_BAD_REQUEST, "the body has no part")
        status = rest_stow.status(outcomes)
        headers = {"Retry-After": _RETRY_SECONDS} if status == _UNAVAILABLE else {}
        return Response(rest_stow.encode(rest_stow.answer(outcomes), form), status, headers, form)

    @router.post(
        "/dicom-web/studies",
        responses=_STOW_RESPONSES,
        response_class=Response,
        openapi_extra=_PARTS,
    )
    async def store_instances(request: Request, caller: Sender) -> Response:
        """Store images (STOW-RS, DICOM PS3.18, 10.5)."""
        return await store(request, caller, {})

    @router.post(
        "/dicom-web/studies/{study}",
        responses=_STOW_RESPONSES,
        response_class=Response,
        openapi_extra=_PARTS,
    )
    async def store_instances_of_study(study: Uid, request: Request, caller: Sender) -> Response:
        """Store images of one study (STOW-RS, DICOM PS3.18, 10.5); those of others are refused."""
        return await store(request, caller, {"StudyInstanceUID": study})

    @router.post(
        "/api/images",
        status_code=_CREATED,
        responses={
            200: {"model": Submitted, "description": "The image was here before."},
            400: {"model": Problem, "description": "It is no DICOM file that can be read."},
            409: {"model": Problem, "description": "Another series has an image of its SOP Instance UID."},
            415: {"model": Problem, "description": "Images of its class or transfer syntax are not taken."},
            503: {"model": Problem, "description": "The disk is full, or disk or database fail."},
        },
        openapi_extra=_BODY,
    )
    async def submit(request: Request, response: Response, caller: Sender) -> Submitted:
        """Hand in one DICOM file, as the body."""
        if request.headers.get("Content-Type", DICOM).partition(";")[0].strip().lower() != DICOM:
            raise HTTPException(_UNSUPPORTED, f"send {DICOM}")
        with unnamed_file(spool) as content:
            try:
                async for chunk in request.stream():
                    await run_in_threadpool(content.write, chunk)
            except OSError:
                raise HTTPException(_UNAVAILABLE, "the disk is full, or fails") from None
            content.seek(0)
            outcome = await run_in_threadpool(ingest, content, caller.user.name)
        if not outcome.accepted:
            headers = {"Retry-After": _RETRY_SECONDS} if outcome.receipt is Receipt.OUT_OF_RESOURCES else {}
            raise HTTPException(_STATUS[outcome.receipt], outcome.reason, headers)
        await run_in_threadpool(note, caller, [outcome])
        new = outcome.receipt is Receipt.STORED
        response.status_code = _CREATED if new else 200
        return Submitted(
            study_instance_uid=outcome.study_instance_uid,
            sop_instance_uid=outcome.sop_instance_uid,
            new=new,
        )

    return router


def _plain(request: Request) -> None:
    """Refuse a body that is to be unpacked: there would have to be a limit to what comes out."""
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise HTTPException(_UNSUPPORTED, "send the body without a content encoding")

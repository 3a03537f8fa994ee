"""Limits to what a request may bring, and an end to errors within."""

from __future__ import annotations

import logging
from pathlib import PurePath
from typing import Final

from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from miqanet.web.body_limit import BodyLimit

UPLOADS: Final = ("/dicom-web/studies", "/api/images")
"""Addresses, or what begins them, to which images are sent."""

_FORM_BYTES: Final = 16_384

log = logging.getLogger(__name__)


class BodyLimits:
    """Lets images in that are as large as the configuration allows, and elsewhere no more than a form."""

    def __init__(self, app: ASGIApp, upload_bytes: int) -> None:
        self._uploads = BodyLimit(app, upload_bytes)
        self._others = BodyLimit(app, _FORM_BYTES)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        takes_images = scope["type"] == "http" and scope["path"].startswith(UPLOADS)
        await (self._uploads if takes_images else self._others)(scope, receive, send)


class Containment:
    """Ends what went wrong within with status 500, and logs what and where, but not the error's words.

    Those may quote a value of a patient; the server's own log would print them.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        began = False

        async def send_noticed(message: Message) -> None:
            nonlocal began
            began = True
            await send(message)

        try:
            await self._app(scope, receive, send_noticed)
        except ClientDisconnect:
            log.info("a client has gone before its request was whole")
        except Exception as error:
            log.error("a request failed: %s at %s", type(error).__name__, _place(error))
            if not began and scope["type"] == "http":
                await JSONResponse({"error": "Something went wrong on the server."}, 500)(
                    scope, receive, send
                )


def _place(error: Exception) -> str:
    """Return where an error was raised."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return "an unknown place"
    return f"{PurePath(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}"

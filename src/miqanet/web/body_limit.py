"""A limit to what a request may send: a large body is refused before it fills the memory."""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_TOO_LARGE = 413


class BodyLimit:
    """Ends a request with status 413 as soon as a body is read that is, or turns out to be, larger than allowed."""

    def __init__(self, app: ASGIApp, most_bytes: int) -> None:
        self._app, self._most = app, most_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        declared = int(Headers(scope=scope).get("content-length", "0"))
        received = 0

        async def receive_counted() -> Message:
            nonlocal received
            if declared <= self._most:
                message = await receive()
                received += len(message.get("body", b""))
                if received <= self._most:
                    return message
            raise HTTPException(_TOO_LARGE)

        await self._app(scope, receive_counted, send)

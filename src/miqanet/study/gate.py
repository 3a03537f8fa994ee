"""Who may do what: FastAPI's dependencies that let a request pass or end it."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from sqlalchemy import Engine
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request

from miqanet.study.accounts import Account, account
from miqanet.web.rate_limit import RateLimit
from miqanet.web.sessions import SessionCookie, require_own_page
from miqanet.web.tokens import token_hash

_KNOWN_SECONDS = 10
"""For so long a session is not looked up again: a new invitation ends earlier sessions that much later."""

_UNKNOWN, _FORBIDDEN, _TOO_MANY = 401, 403, 429


class Gate:
    """Lets participants in, and each only where he or she belongs."""

    def __init__(self, engine: Engine, cookie: SessionCookie) -> None:
        self._engine, self.cookie = engine, cookie
        self._known: dict[str, tuple[Account, float]] = {}
        self._requests = RateLimit(per_second=20, burst=60)
        self._joins = RateLimit(per_second=0.5, burst=20)
        self._failures = RateLimit(per_second=1, burst=30)

    async def anyone(self, request: Request) -> Account:
        """Let everyone pass who has signed in."""
        token = self.session_token(request)
        key = token_hash(token)
        self._limit(self._requests, key)
        self._requests.spend(key)
        found, until = self._known.get(key, (None, 0.0))
        if found is None or until < time.monotonic():
            self._known.pop(key, None)
            found = await run_in_threadpool(self._account, token)
            if found is None:
                raise self.unknown(request)
            self._known[key] = (found, time.monotonic() + _KNOWN_SECONDS)
        return found

    async def acting(self, request: Request) -> Account:
        """Let everyone pass who has signed in and whose own page sent the request."""
        require_own_page(request, self.session_token(request))
        return await self.anyone(request)

    async def rater(self, request: Request) -> Account:
        """Let raters pass."""
        found = await self.anyone(request)
        if found.administrator:
            raise HTTPException(_FORBIDDEN)
        return found

    async def acting_rater(self, request: Request) -> Account:
        """Let raters pass whose own page sent the request."""
        require_own_page(request, self.session_token(request))
        return await self.rater(request)

    async def administrator(self, request: Request) -> Account:
        """Let the administrator pass."""
        found = await self.anyone(request)
        if not found.administrator:
            raise HTTPException(_FORBIDDEN)
        return found

    def session_token(self, request: Request) -> str:
        """Return the token of the request's session, whether or not it is still valid."""
        token = self.cookie.read(request)
        if token is None:
            raise HTTPException(_UNKNOWN)
        return token

    def limit_joining(self, invitation: str) -> None:
        """Refuse to begin sessions without end by one invitation."""
        self._limit(self._joins, token_hash(invitation))
        self._joins.spend(token_hash(invitation))

    def forget(self, token: str) -> None:
        """Let a session that has ended be unknown at once."""
        self._known.pop(token_hash(token), None)

    def unknown(self, request: Request, message: str | None = None) -> HTTPException:
        """Return the refusal of a token that is not valid; who tries many has to wait."""
        caller = _address(request)
        self._limit(self._failures, caller)
        self._failures.spend(caller)
        return HTTPException(_UNKNOWN, message)

    def _limit(self, limit: RateLimit, caller: str) -> None:
        if wait := limit.wait(caller):
            raise HTTPException(_TOO_MANY, headers={"Retry-After": str(wait)})

    def _account(self, token: str) -> Account | None:
        with self._engine.connect() as connection:
            return account(connection, token, datetime.now(UTC))


def _address(request: Request) -> str:
    return request.client.host if request.client else ""

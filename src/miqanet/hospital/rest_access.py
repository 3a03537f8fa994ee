"""Who may ask for what: by a token, by the cookie of somebody who has signed in with one, or by a proxy's word."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request

from miqanet.hospital.audit import AuditTrail
from miqanet.hospital.config import Proxy, Web
from miqanet.hospital.tokens import MOST_NAME_CHARACTERS, Permission, Tokens, User
from miqanet.web.rate_limit import RateLimit
from miqanet.web.sessions import SessionCookie

LOGIN = "/login"
_SEE_OTHER, _UNKNOWN, _FORBIDDEN, _TOO_MANY = 303, 401, 403, 429
_NOBODY = "unknown"
_BURST_SECONDS = 3
"""Of requests that may come at once, in those of the long run."""

Bearer = Annotated[
    HTTPAuthorizationCredentials | None,
    Depends(HTTPBearer(scheme_name="token", description="Of `miqanet token add`.", auto_error=False)),
]
"""The header Authorization, as the description of the API states it; a proxy's users need none."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, and from where."""

    user: User
    address: str


class Access:
    """Lets callers in, each only to what is for them: FastAPI's dependencies.

    Its methods run in the event loop, one at a time.
    """

    def __init__(self, web: Web, tokens: Tokens, trail: AuditTrail) -> None:
        self.cookie = SessionCookie(web.https, "node")
        self._proxy, self._tokens, self._trail = web.proxy, tokens, trail
        self._requests = RateLimit(web.requests_per_second, _BURST_SECONDS * web.requests_per_second)
        self._failures = RateLimit(per_second=1, burst=30)

    async def reader(self, request: Request, bearer: Bearer) -> Caller:
        """Let programs pass that may read."""
        caller = await self._caller(request, _token(bearer))
        return await self._allowed(request, caller, caller.user.may_read)

    async def sender(self, request: Request, bearer: Bearer) -> Caller:
        """Let programs pass that may hand in images."""
        caller = await self._caller(request, _token(bearer))
        _require_same_origin(request)
        return await self._allowed(request, caller, caller.user.may_send)

    async def admin(self, request: Request, bearer: Bearer) -> Caller:
        """Let programs of administrators pass."""
        caller = await self._caller(request, _token(bearer))
        _require_same_origin(request)
        return await self._allowed(request, caller, caller.user.is_admin)

    async def viewer(self, request: Request) -> Caller:
        """Let people at the page pass who may read."""
        caller = await self._caller(request, self.cookie.read(request))
        return await self._allowed(request, caller, caller.user.may_read)

    async def visitor(self, request: Request) -> Caller:
        """Let people at the page pass who may read, and show others where to sign in."""
        try:
            return await self.viewer(request)
        except HTTPException as error:
            if error.status_code != _UNKNOWN:
                raise
            raise HTTPException(_SEE_OTHER, headers={"Location": LOGIN}) from None

    async def sign_in(self, request: Request, token: str) -> Caller:
        """Return who brings a token to the page."""
        _require_same_origin(request)
        try:
            caller = await self._caller(request, token)
        except HTTPException as error:
            if error.status_code == _UNKNOWN:
                await self._note_login(_NOBODY, request, succeeded=False)
            raise
        await self._note_login(caller.user.name, request, succeeded=caller.user.may_read)
        return await self._allowed(request, caller, caller.user.may_read)

    async def passer_by(self, request: Request) -> None:
        """Let anybody pass, but not too often."""
        self._spend(self._requests, f"address {client_address(request)}")

    async def _caller(self, request: Request, token: str | None) -> Caller:
        address = client_address(request)
        user = _proxied(request, self._proxy, address)
        if user is None and token is not None:
            user = self._tokens.user(token)
            if user is None:
                # Only those who are refused are counted: others may come from the same address.
                self._spend(self._failures, address)
                await run_in_threadpool(self._trail.refused, _NOBODY, address, request.url.path)
        if user is None:
            raise HTTPException(_UNKNOWN, headers={"WWW-Authenticate": "Bearer"})
        self._spend(self._requests, f"user {user.name}")
        return Caller(user, address)

    async def _allowed(self, request: Request, caller: Caller, allowed: bool) -> Caller:
        if not allowed:
            await run_in_threadpool(self._trail.refused, caller.user.name, caller.address, request.url.path)
            raise HTTPException(_FORBIDDEN)
        return caller

    async def _note_login(self, user: str, request: Request, *, succeeded: bool) -> None:
        await run_in_threadpool(self._trail.login, user, client_address(request), succeeded=succeeded)

    def _spend(self, limit: RateLimit, who: str) -> None:
        if wait := limit.wait(who):
            raise HTTPException(_TOO_MANY, headers={"Retry-After": str(wait)})
        limit.spend(who)


def client_address(request: Request) -> str:
    """Return where a request comes from: the connection's other end, whatever headers say."""
    return request.client.host if request.client else ""


def _token(bearer: HTTPAuthorizationCredentials | None) -> str | None:
    return None if bearer is None else bearer.credentials.strip()


def _proxied(request: Request, proxy: Proxy | None, address: str) -> User | None:
    if proxy is None or not proxy.is_at(address):
        return None
    names = request.headers.getlist(proxy.user_header)
    # Of two names, one is what the client sent, and the proxy did not drop.
    name = names[0].strip() if len(names) == 1 else ""
    if not name:
        return None
    lists = request.headers.getlist(proxy.groups_header)
    groups = {group.strip() for group in lists[0].split(",")} if len(lists) == 1 else set()
    granted = {
        Permission.READ: proxy.readers,
        Permission.ADMIN: proxy.admins,
        Permission.NAMES: proxy.names,
    }
    return User(
        name[:MOST_NAME_CHARACTERS],
        frozenset(permission for permission, wanted in granted.items() if wanted & groups),
    )


def _require_same_origin(request: Request) -> None:
    """Refuse what another site makes a browser send: a proxy lets that pass as if the user had wanted it.

    Browsers tell the site wherever they come by HTTPS, and else the origin; programs that are none tell neither.
    """
    site = request.headers.get("Sec-Fetch-Site")
    if site is None:
        origin = request.headers.get("Origin")
        ours = origin is None or urlsplit(origin).netloc == request.headers.get("Host")
    else:
        ours = site in ("same-origin", "none")
    if not ours:
        raise HTTPException(_FORBIDDEN)

"""Who asks: the session cookie, and the proof that a form or script is ours."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from miqanet.web.tokens import is_csrf_token

LIFETIME = timedelta(days=30)
CSRF_HEADER = "X-CSRF-Token"

_FORBIDDEN = 403


@dataclass(frozen=True, slots=True)
class SessionCookie:
    """The cookie that holds a session's token, out of reach of scripts and of other sites."""

    secure: bool
    """Whether browsers reach us by HTTPS; they then never send the cookie without."""

    application: str = "session"
    """Cookies are shared by all ports of a host: applications side by side need names of their own."""

    @property
    def name(self) -> str:
        """Browsers take a `__Host-` cookie only from this very host, over HTTPS."""
        return f"{'__Host-' if self.secure else ''}{self.application}"

    def read(self, request: Request) -> str | None:
        """Return the token that a browser sent."""
        return request.cookies.get(self.name)

    def give(self, response: Response, token: str) -> None:
        """Let the browser keep a token."""
        # Not "strict": the first page after a link in a mail would come without the cookie.
        response.set_cookie(
            self.name,
            token,
            max_age=int(LIFETIME.total_seconds()),
            path="/",
            secure=self.secure,
            httponly=True,
            samesite="lax",
        )

    def take(self, response: Response) -> None:
        """Let the browser forget its token."""
        response.delete_cookie(self.name, path="/", secure=self.secure, httponly=True, samesite="lax")


def require_own_page(request: Request, session_token: str) -> None:
    """Refuse a request that changes something unless one of our pages of this session sent it.

    Raises:
        HTTPException: 403.
    """
    ours = request.headers.get("Sec-Fetch-Site", "same-origin") in ("same-origin", "none")
    if not ours or not is_csrf_token(request.headers.get(CSRF_HEADER, ""), session_token):
        raise HTTPException(_FORBIDDEN, "Load the page again: it is not from this session.")

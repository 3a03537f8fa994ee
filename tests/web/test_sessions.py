from __future__ import annotations

import pytest
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from miqanet.web.sessions import CSRF_HEADER, SessionCookie, require_own_page
from miqanet.web.tokens import csrf_token


def request(**headers: str) -> Request:
    raw = [(name.replace("_", "-").lower().encode(), value.encode()) for name, value in headers.items()]
    return Request({"type": "http", "headers": raw})


@pytest.mark.parametrize("secure", [False, True])
def test_the_cookie_is_read_back_and_out_of_reach_of_scripts(secure: bool) -> None:
    cookie, response = SessionCookie(secure, "study"), Response()
    cookie.give(response, "token")
    header = response.headers["set-cookie"]
    assert {"HttpOnly", "SameSite=lax", "Path=/", "Max-Age=2592000"} <= set(header.split("; "))
    assert ("Secure" in header.split("; ")) is secure
    # Browsers take such a name only over HTTPS, and from no other host.
    assert header.startswith("__Host-study=" if secure else "study=")
    assert "Domain" not in header
    assert cookie.read(request(cookie=header.partition(";")[0])) == "token"
    assert cookie.read(request()) is None


def test_taking_the_cookie_ends_it_at_once() -> None:
    response = Response()
    SessionCookie(True).take(response)
    assert "Max-Age=0" in response.headers["set-cookie"]


def test_our_own_page_passes() -> None:
    token = csrf_token("session")
    require_own_page(request(x_csrf_token=token), "session")
    require_own_page(request(x_csrf_token=token, sec_fetch_site="same-origin"), "session")
    assert CSRF_HEADER == "X-CSRF-Token"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"x_csrf_token": csrf_token("another")},
        {"x_csrf_token": csrf_token("session"), "sec_fetch_site": "cross-site"},
        {"x_csrf_token": csrf_token("session"), "sec_fetch_site": "same-site"},
    ],
)
def test_other_pages_do_not(headers: dict[str, str]) -> None:
    with pytest.raises(HTTPException) as refused:
        require_own_page(request(**headers), "session")
    assert refused.value.status_code == 403

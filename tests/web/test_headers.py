from __future__ import annotations

import pytest


@pytest.mark.parametrize("path", ["/api/number/1", "/api/number/x", "/nowhere", "/broken", "/api/broken"])
def test_every_answer_has_them_also_when_something_broke(browser, path: str) -> None:
    headers = browser().get(path).headers
    policy = dict(part.split(" ", 1) for part in headers["content-security-policy"].split("; "))
    assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    assert headers["x-frame-options"] == "DENY"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cache-control"] == "no-store"


def test_browsers_are_told_to_insist_on_https_where_there_is_https(browser) -> None:
    assert "strict-transport-security" not in browser().get("/nowhere").headers
    assert browser(https=True).get("/nowhere").headers["strict-transport-security"] == "max-age=31536000"


def test_an_answer_may_be_kept_where_it_says_so(browser) -> None:
    assert browser().get("/static/style.css").headers["cache-control"] == "public, no-cache"

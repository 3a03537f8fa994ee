from __future__ import annotations

import re

import pytest
from jinja2 import UndefinedError

CONTEXT = {"status": 404, "title": "Not Found", "message": "Gone.", "csrf": ""}


def test_values_are_escaped(pages) -> None:
    page = pages.page("error.html.j2", CONTEXT | {"message": "<script>alert(1)</script>"}, 404)
    assert page.status_code == 404
    assert b"&lt;script&gt;" in page.body
    assert b"<script>alert" not in page.body


def test_a_value_that_is_missing_is_an_error(pages) -> None:
    with pytest.raises(UndefinedError):
        pages.page("error.html.j2", {"csrf": ""})


def test_files_that_pages_name_are_kept_forever_and_others_asked_again(pages, browser) -> None:
    page = pages.page("error.html.j2", CONTEXT).body.decode()
    found = re.search(r'href="(/static/style\.css\?v=\w+)"', page)[1]
    named, plain = browser().get(found), browser().get("/static/style.css")
    assert named.status_code == plain.status_code == 200
    assert named.headers["content-type"].startswith("text/css")
    assert "immutable" in named.headers["cache-control"]
    assert plain.headers["cache-control"] == "public, no-cache"
    assert "immutable" not in browser().get("/static/style.css?v=0").headers["cache-control"]


def test_a_file_that_did_not_change_is_not_sent_again(browser) -> None:
    tag = browser().get("/static/style.css").headers["etag"]
    again = browser().get("/static/style.css", headers={"If-None-Match": tag})
    assert again.status_code == 304
    assert not again.content


@pytest.mark.parametrize("name", ["nothing.css", "..%2fpages.py", "%2e%2e/pages.py", "", "/etc/passwd"])
def test_other_names_lead_nowhere(browser, name: str) -> None:
    assert browser().get(f"/static/{name}").status_code == 404

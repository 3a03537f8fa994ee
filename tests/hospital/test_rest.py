from __future__ import annotations

from dataclasses import replace

import pytest

from miqanet.hospital.rest import uvicorn_config

OPEN = {"/health", "/login", "/static/{name}"}


def flat(routes):
    for route in routes:
        # FastAPI keeps a router that was included, where it once copied its routes.
        included = getattr(route, "original_router", None)
        yield from [route] if included is None else flat(included.routes)


def every_route(site):
    for route in flat(site.api.routes):
        for method in route.methods - {"HEAD"}:
            path = route.path.replace("{name}", "pacs")
            for name in ("study", "series", "sop_instance", "image"):
                path = path.replace(f"{{{name}}}", "1")
            yield route.path, method, path


def test_nothing_is_told_without_a_token(site):
    asked = 0
    for pattern, method, path in every_route(site):
        if pattern in OPEN:
            continue
        answer = site.client.request(method, path)
        assert answer.status_code in (401, 303), (method, path)
        if answer.status_code == 303:
            assert answer.headers["Location"] == "/login"
        asked += 1
    assert asked >= 18


@pytest.mark.parametrize("path", ["/", "/api/series", "/health", "/static/board.js", "/nothing", "/login"])
def test_every_answer_carries_the_security_headers(site, path):
    headers = site.client.get(path).headers
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"


def test_answers_about_series_are_kept_in_no_cache(site):
    assert site.get("/api/series").headers["Cache-Control"] == "no-store"
    site.sign_in()
    assert site.client.get("/live").headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    "path",
    [
        "/static/../tokens",
        "/static/%2e%2e/tokens",
        "/static/..%2ftokens",
        "/pictures/..%2f..%2ftokens.jpg",
        "/static/%2fetc%2fpasswd",
        "/../tokens",
        "//etc/passwd",
    ],
)
def test_no_path_leads_out(site, path):
    site.sign_in()
    answer = site.client.get(path)
    assert answer.status_code in (404, 422)
    assert "sha256" not in answer.text


def test_an_oversized_form_is_refused(site):
    answer = site.client.post("/login", data={"token": "x" * 20_000})
    assert answer.status_code == 413


def test_an_error_within_is_answered_and_logged_without_its_words(site, monkeypatch, caplog):
    from miqanet.hospital.rest_queries import NodeQueries

    def fail(*_arguments, **_options):
        raise RuntimeError("Doe^Jane")

    monkeypatch.setattr(NodeQueries, "series", fail)
    answer = site.get("/api/series")
    assert answer.status_code == 500
    assert "Doe" not in answer.text
    assert "RuntimeError at test_rest.py" in caplog.text
    assert "Doe" not in caplog.text


def test_the_description_names_every_operation_once(site):
    description = site.get("/api/openapi.json").json()
    operations = [each["operationId"] for path in description["paths"].values() for each in path.values()]
    assert len(operations) == len(set(operations)) >= 12
    assert "/login" not in description["paths"]


def test_the_description_says_what_needs_a_token(site):
    paths = site.get("/api/openapi.json").json()["paths"]
    free = [
        path for path, methods in paths.items() if not all("security" in each for each in methods.values())
    ]
    assert free == ["/health"]


def test_requests_are_not_logged_and_forwarded_addresses_not_believed(site):
    served = uvicorn_config(site.client.app, site.config.web)
    assert (served.access_log, served.proxy_headers, served.host) == (False, False, "127.0.0.1")


def test_other_machines_do_not_reach_the_page_in_the_clear(site):
    web = replace(site.config.web, bind="0.0.0.0")  # noqa: S104
    with pytest.raises(ValueError, match="reached from other machines"):
        uvicorn_config(site.client.app, web)
    assert uvicorn_config(site.client.app, replace(web, https=True)).host == "0.0.0.0"  # noqa: S104

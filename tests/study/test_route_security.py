"""Every route, asked by those who may not: refused, and nothing told that they should not know."""

from __future__ import annotations

import json
import re
from functools import partial

import pytest
from sqlalchemy import func, select
from starlette.routing import Route

from miqanet.database.study_schema import Reading, StudySession
from miqanet.study.accounts import invite
from miqanet.web.rate_limit import RateLimit

OPEN = {("GET", "/join/{invitation}"), ("GET", "/static/{name}")}
"""Routes that need no session."""

RATERS = {("GET", "/"), ("GET", "/api/work"), ("GET", "/api/pixels/{presentation}")}
CHANGES = {("POST", "/api/votes"), ("POST", "/api/undo"), ("POST", "/logout")}
ADMINISTRATOR = {("GET", "/admin"), ("GET", "/admin/api/progress")}

SECRETS = ("secret", "ann", "ben", "Eight doctors", "Traceback", "sqlite", "File ", "<script>alert")
"""In what is told to strangers, none of these: metadata, names, and what goes on inside."""


def routes(study) -> set[tuple[str, str]]:
    """Return all routes of the application as it is."""
    found = set()
    for route in study.app._app.routes:
        assert isinstance(route, Route), route
        methods = (route.methods or set()) - {"HEAD"}
        found |= {(method, route.path_format) for method in methods}
    return found


def ask(client, method: str, path: str, **options):
    path = path.replace("{presentation}", "1").replace("{invitation}", "x" * 43).replace("{name}", "rate.js")
    options.setdefault("follow_redirects", False)
    if path == "/api/votes" and "json" not in options and "content" not in options:
        options["json"] = client.body(presentation=1)
    return client.request(method, path, **options)


def count(study, column) -> int:
    with study.database.engine.connect() as connection:
        return connection.scalar(select(func.count(column))) or 0


def assert_tells_nothing(answer) -> None:
    for secret in SECRETS:
        assert secret not in answer.text, (secret, answer.url)
    assert "set-cookie" not in answer.headers


@pytest.fixture
def study(make_local_study):
    return make_local_study()


@pytest.fixture
def stopped_study(study, monkeypatch):
    """A study for whose limits no time passes, however slowly is asked."""
    monkeypatch.setattr("miqanet.study.gate.RateLimit", partial(RateLimit, clock=lambda: 0.0))
    return study


def test_every_route_is_in_one_of_the_lists_below(study) -> None:
    assert routes(study) == OPEN | RATERS | CHANGES | ADMINISTRATOR


def test_without_login_every_route_is_refused(study) -> None:
    stranger = study.client()
    for method, path in RATERS | CHANGES | ADMINISTRATOR:
        answer = ask(stranger, method, path)
        assert answer.status_code == 401, path
        assert_tells_nothing(answer)
        if "/api/" in path:
            assert set(answer.json()) == {"error"}
    assert count(study, Reading.id) == 0


def test_an_invitation_that_was_not_given_opens_nothing(study) -> None:
    stranger = study.client()
    for token in ("x" * 43, "%00", "'%20OR%201=1--", "é" * 9, "a" * 5000):
        answer = stranger.get(f"/join/{token}", follow_redirects=False)
        assert answer.status_code == 401, token
        assert "no longer, valid" in answer.text
        assert_tells_nothing(answer)
    assert count(study, StudySession.id) == 0


def test_cookies_that_were_made_up_open_nothing(study) -> None:
    for cookie in ("x" * 43, "", "null", "../../etc/passwd", study.invitations["ann"]):
        stranger = study.client()
        stranger.cookies.set("study", cookie)
        for method, path in RATERS | CHANGES | ADMINISTRATOR:
            answer = ask(stranger, method, path)
            # Changes are refused for their missing CSRF token before anybody looks who asks.
            assert answer.status_code in ({401, 403} if method == "POST" else {401, 429}), path
            assert_tells_nothing(answer)


def test_raters_do_not_reach_the_administrators_routes(study) -> None:
    ann = study.client("ann")
    for method, path in ADMINISTRATOR:
        answer = ask(ann, method, path)
        assert answer.status_code == 403, path
        assert_tells_nothing(answer)


def test_the_administrator_neither_rates_nor_sees_images(study) -> None:
    boss = study.client("boss")
    for method, path in (RATERS | CHANGES) - {("GET", "/"), ("POST", "/logout")}:
        assert ask(boss, method, path).status_code == 403, path
    assert count(study, Reading.id) == 0


def test_one_rater_does_not_reach_what_is_anothers(study) -> None:
    ann, ben = study.client("ann"), study.client("ben")
    work = ben.work()
    for item in (work["current"], work["next"]):
        answer = ann.get(item["pixels"])
        assert answer.status_code == 404
        assert_tells_nothing(answer)
    refused = ann.vote("low", presentation=work["current"]["presentation"])
    assert refused.status_code == 409
    assert ben.work() == work
    body = ben.body(presentation=work["current"]["presentation"])
    assert ben.post("/api/votes", json=body).status_code == 200
    # A submission of ben's tells ann nothing.
    stolen = ann.post("/api/votes", json=body | {"presentation": ann.work()["current"]["presentation"]})
    assert stolen.status_code == 409
    assert set(stolen.json()) == {"error"}
    assert ann.post("/api/undo").status_code == 409
    assert ben.work()["done"] == 1
    assert ann.work()["done"] == 0


@pytest.mark.parametrize("token", ["", "0" * 64, "é", "x" * 5000, None])
def test_a_forged_csrf_token_changes_nothing(study, token: str | None) -> None:
    ann, ben = study.client("ann"), study.client("ben")
    body = ann.body(presentation=ann.work()["current"]["presentation"])
    forged = ben.headers["X-CSRF-Token"] if token is None else token
    ann.headers.pop("X-CSRF-Token")
    for method, path in CHANGES:
        for headers in ({}, {"X-CSRF-Token": forged.encode()}):
            options = {"json": body} if path == "/api/votes" else {}
            answer = ask(ann, method, path, headers=headers, **options)
            assert answer.status_code == 403, path
            assert_tells_nothing(answer)
    assert count(study, Reading.id) == 0
    assert ann.work()["done"] == 0


def test_another_site_cannot_use_the_cookie_even_with_the_token(study) -> None:
    ann = study.client("ann")
    for site in ("cross-site", "same-site"):
        answer = ann.post("/api/undo", headers={"Sec-Fetch-Site": site})
        assert answer.status_code == 403
    assert ann.post("/api/undo", headers={"Sec-Fetch-Site": "same-origin"}).status_code == 409


def test_the_cookie_is_out_of_reach(study) -> None:
    answer = study.client().get(f"/join/{study.invitations['ann']}", follow_redirects=False)
    cookie = answer.headers["set-cookie"]
    assert {"HttpOnly", "SameSite=lax", "Path=/"} <= set(cookie.split("; "))
    assert study.invitations["ann"] not in cookie
    assert answer.headers["location"] == "/"


@pytest.mark.parametrize(
    "path",
    [
        "/static/../app.py",
        "/static/..%2f..%2fapp.py",
        "/static/%2e%2e/%2e%2e/app.py",
        "/static//etc/passwd",
        "/static/..%5c..%5capp.py",
        "/static/%00rate.js",
        "/api/pixels/../../images/secret-file-00.png",
        "/api/pixels/..%2f..%2fdatabase.sqlite",
        "/api/pixels/-1",
        "/api/pixels/1.0",
        "/api/pixels/99999999999999999999999999",
        "/images/secret-file-00.png",
        "/database.sqlite",
        "/docs",
        "/openapi.json",
    ],
)
def test_paths_lead_to_no_file(study, path: str) -> None:
    answer = study.client("ann").get(path)
    assert answer.status_code == 404
    assert_tells_nothing(answer)


def test_oversized_bodies_are_refused_before_they_are_read(study) -> None:
    ann = study.client("ann")
    large = json.dumps(ann.body(tags=["x" * 20_000])).encode()

    def pieces():
        for _ in range(1000):
            yield b" " * 100

    for content in (large, pieces()):
        answer = ann.post("/api/votes", content=content, headers={"Content-Type": "application/json"})
        assert answer.status_code == 413
        assert set(answer.json()) == {"error"}
    assert count(study, Reading.id) == 0


def test_answers_say_nothing_of_images_but_their_size(study) -> None:
    ann = study.client("ann")
    texts = [ann.get("/").text, ann.get("/api/work").text, ann.vote("low").text, ann.post("/api/undo").text]
    for text in texts:
        for secret in ("secret", "ben", "boss", "images/", "repeat", "<script>alert"):
            assert secret not in text
    item = ann.work()["current"]
    assert set(item) == {"presentation", "pixels", "rows", "columns"}
    assert "etag" not in ann.get(item["pixels"]).headers


def test_script_in_names_and_wording_stays_text(make_local_study) -> None:
    script = "</script><script>alert(1)</script>"
    study = make_local_study(name=script, question=script, raters=(script, "ben"))
    pages = [study.client(script).get("/"), study.client("boss").get("/admin")]
    for page in pages:
        assert page.status_code == 200
        assert "<script>alert" not in page.text
    config = re.search(r'id="config">(.*?)</script>', pages[0].text, re.DOTALL)[1]
    assert json.loads(config)["rater"] == json.loads(config)["question"] == script


def test_every_answer_has_the_security_headers(study, monkeypatch) -> None:
    ann = study.client("ann")
    answers = [ask(ann, method, path) for method, path in RATERS | OPEN | ADMINISTRATOR]
    answers += [ann.get("/nowhere"), ann.post("/api/votes", content=b"{"), ann.post("/", content=b"")]

    def fail(*_args: object) -> None:
        raise RuntimeError("secret")

    monkeypatch.setattr("miqanet.study.room.place_of", fail)
    broken = ann.get("/api/work")
    assert broken.status_code == 500
    assert_tells_nothing(broken)
    for answer in (*answers, broken):
        headers = answer.headers
        assert headers["content-security-policy"].startswith("default-src 'none'; script-src 'self';")
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert headers["referrer-policy"] == "no-referrer"
        assert "cache-control" in headers
        assert "server" not in headers


def test_who_asks_too_often_has_to_wait(stopped_study) -> None:
    ann = stopped_study.client("ann")
    status = [ann.get("/api/work").status_code for _ in range(100)]
    # The page that signing in leads to was the first.
    assert status == [200] * 59 + [429] * 41
    assert int(ann.get("/api/work").headers["retry-after"]) == 1
    # Others are served meanwhile.
    assert stopped_study.client("ben").get("/api/work").status_code == 200


def test_who_guesses_invitations_has_to_wait(stopped_study) -> None:
    stranger = stopped_study.client()
    status = [stranger.get(f"/join/{number}", follow_redirects=False).status_code for number in range(40)]
    assert status == [401] * 30 + [429] * 10
    # Invitations that were given open the room all the same.
    assert stopped_study.client("ann").work()["done"] == 0


def test_who_guesses_invitations_keeps_the_one_writer_from_nobody(study, monkeypatch) -> None:
    begun = []
    monkeypatch.setattr("miqanet.study.room.begin_session", lambda *given: begun.append(given))
    assert study.client().get("/join/guess", follow_redirects=False).status_code == 401
    assert begun == []
    study.client().get(f"/join/{study.invitations['ann']}", follow_redirects=False)
    assert len(begun) == 1


def test_one_invitation_does_not_begin_sessions_without_end(stopped_study) -> None:
    browser = stopped_study.client()
    path = f"/join/{stopped_study.invitations['ann']}"
    status = [browser.get(path, follow_redirects=False).status_code for _ in range(30)]
    assert status == [303] * 20 + [429] * 10
    assert count(stopped_study, StudySession.id) == 20
    assert stopped_study.client("ben").work()["done"] == 0


def test_other_methods_are_refused(study) -> None:
    ann = study.client("ann")
    for _, path in RATERS | CHANGES | ADMINISTRATOR:
        for method in ("PUT", "DELETE", "PATCH", "OPTIONS"):
            assert ask(ann, method, path).status_code in (405, 429), path


def test_a_new_invitation_ends_earlier_sessions_when_they_are_looked_up_again(study, monkeypatch) -> None:
    monkeypatch.setattr("miqanet.study.gate._KNOWN_SECONDS", -1)
    ann = study.client("ann")
    with study.database.engine.begin() as connection:
        invite(connection, "ann")
    assert ann.get("/api/work").status_code == 401

from __future__ import annotations

from dataclasses import replace
from functools import partial

import pytest

from miqanet.hospital.rest import create_app
from miqanet.web.rate_limit import RateLimit

READ = ["/api/series", "/api/studies", "/api/verdicts", "/metrics", "/api/openapi.json"]
UPLOAD = ["/api/images", "/dicom-web/studies", "/dicom-web/studies/1.2.3"]
ADMIN = ["/api/archives"]


@pytest.mark.parametrize("token", ["", "x", "é", "Bearer", "a" * 10_000])
def test_a_wrong_token_lets_nobody_in(site, token):
    headers = {"Authorization": f"Bearer {token}".encode()}
    assert site.client.get("/api/series", headers=headers).status_code == 401
    assert site.client.get("/live", headers={"Cookie": f"node={token}".encode()}).status_code == 401


@pytest.mark.parametrize(
    ("who", "allowed"),
    [("read", READ), ("read+names", READ), ("admin", READ + ADMIN), ("send", [])],
)
def test_each_reads_what_is_for_him_and_no_more(site, who, allowed):
    for path in READ + ADMIN:
        assert site.get(path, who).status_code == (200 if path in allowed else 403), path


@pytest.mark.parametrize(("who", "allowed"), [("read", False), ("send", True), ("admin", True)])
def test_who_may_hand_in_images(site, who, allowed):
    for path in UPLOAD:
        answer = site.client.post(path, content=b"x", headers=site.headers(who))
        assert (answer.status_code != 403) == allowed, path


def test_a_cookie_is_for_the_page_and_a_header_for_programs(site):
    site.sign_in()
    assert site.client.get("/").status_code == 200
    assert site.client.get("/api/series").status_code == 401


def test_what_is_not_for_somebody_is_in_the_audit_trail_once(site):
    for _ in range(3):
        site.get("/api/archives", "read")
    alerts = [message for message in site.audited() if 'csd-code="110113"' in message]
    assert len(alerts) == 1
    assert 'UserID="read"' in alerts[0]
    assert 'EventOutcomeIndicator="4"' in alerts[0]


@pytest.fixture
def stopped(site, monkeypatch):
    """Return a function that lets no time pass for the site's limits, and changes its settings."""

    def stop(**settings):
        monkeypatch.setattr("miqanet.hospital.rest_access.RateLimit", partial(RateLimit, clock=lambda: 0.0))
        config = replace(site.config, web=replace(site.config.web, **settings))
        site.client.app = create_app(site.engine, config, None).served

    return stop


def test_who_tries_many_tokens_has_to_wait(site, stopped):
    stopped()
    answers = [site.client.get("/api/series", headers={"Authorization": f"Bearer {n}"}) for n in range(40)]
    assert [answer.status_code for answer in answers] == [401] * 30 + [429] * 10
    assert int(answers[-1].headers["Retry-After"]) >= 1


def test_who_signs_in_without_a_token_time_and_again_has_to_wait_and_fills_no_audit_trail(site, stopped):
    stopped()
    answers = [site.client.post("/login", data={"token": ""}) for _ in range(40)]
    assert [answer.status_code for answer in answers] == [401] * 30 + [429] * 10
    assert sum('csd-code="110114"' in message for message in site.audited()) == 30


def test_who_asks_too_often_has_to_wait_and_others_have_not(site, stopped):
    stopped(requests_per_second=1)
    assert [site.get("/api/series").status_code for _ in range(5)] == [200] * 3 + [429] * 2
    assert site.get("/api/series", "admin").status_code == 200


@pytest.mark.parametrize(
    ("address", "headers", "status"),
    [
        ("10.9.9.9", {"X-Forwarded-User": "ann", "X-Forwarded-Groups": "x, mr"}, 200),
        ("10.9.9.9", {"X-Forwarded-User": "ann", "X-Forwarded-Groups": "x"}, 403),
        ("10.9.9.9", {"X-Forwarded-User": "ann"}, 403),
        ("10.9.9.9", {"X-Forwarded-Groups": "mr"}, 401),
        ("10.9.9.8", {"X-Forwarded-User": "ann", "X-Forwarded-Groups": "mr"}, 401),
        (
            "10.9.9.9",
            [("X-Forwarded-User", "eve"), ("X-Forwarded-User", "ann"), ("X-Forwarded-Groups", "mr")],
            401,
        ),
        (
            "10.9.9.9",
            [("X-Forwarded-User", "ann"), ("X-Forwarded-Groups", "mr"), ("X-Forwarded-Groups", "x")],
            403,
        ),
        (
            "10.9.9.8",
            {"X-Forwarded-For": "10.9.9.9", "X-Forwarded-User": "a", "X-Forwarded-Groups": "mr"},
            401,
        ),
    ],
)
def test_a_proxy_is_believed_from_its_own_address_alone(site, address, headers, status):
    site.client.address = address
    assert site.client.get("/api/series", headers=headers).status_code == status


@pytest.mark.parametrize(
    "headers",
    [{"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Origin": "https://evil.example"}],
)
def test_another_site_cannot_make_a_proxied_browser_change_anything(site, headers):
    site.client.address = "10.9.9.9"
    known = {"X-Forwarded-User": "ann", "X-Forwarded-Groups": "pacs"}
    assert site.client.post("/api/archives/pacs/retry", headers=known).status_code == 200
    assert site.client.post("/api/archives/pacs/retry", headers=known | headers).status_code == 403


def test_wrong_tokens_do_not_keep_others_of_the_same_address_out(site):
    for number in range(40):
        site.client.get("/api/series", headers={"Authorization": f"Bearer {number}"})
    assert site.get("/api/series").status_code == 200

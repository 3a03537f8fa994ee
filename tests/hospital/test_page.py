from __future__ import annotations

import re
import time
from base64 import b64encode
from dataclasses import replace

import numpy as np
import pytest

from miqanet.hospital.page import ROWS
from miqanet.verdict import Finding
from miqanet.web.tokens import csrf_token

SCRIPT = "<script>document.title='hacked'</script>\" onload='x'"


@pytest.fixture
def come(site, arrival, result):
    """Let a series of one image come in."""

    def come(number, outcome="high", **changes):
        series = replace(
            arrival(number),
            study_instance_uid=f"1.2.{number}",
            series_instance_uid=f"1.3.{number}",
            **changes,
        )
        site.store.add_image(series, time.time())
        if outcome is not None:
            (taken,) = site.store.take_images(2e9, 1.0, 1)
            site.store.add_verdicts(taken.id, [result(outcome, Finding("motion", 0.9))])

    return come


@pytest.fixture
def page(site):
    """Ask as somebody who has signed in."""

    def page(address, who="read"):
        site.sign_in(who)
        return site.client.get(address)

    return page


def words(text):
    return re.findall(r'data-id="\d+" data-word="(\w+)"', text)


def test_series_come_newest_first_with_a_word_each(come, page):
    for number, outcome in enumerate(("high", "low", "review", "error", None), start=1):
        come(number, outcome)
    assert words(page("/").text) == ["waiting", "waiting", "check", "repeat", "good"]


def test_the_last_one_to_repeat_is_shown_until_another_is_chosen(come, page):
    for number, outcome in enumerate(("low", "low", "high"), start=1):
        come(number, outcome)
    assert 'data-shown="2"' in page("/").text
    assert 'data-shown="1"' in page("/?series=1").text


def test_the_list_is_narrowed_down_and_goes_on(come, page):
    for number in range(1, ROWS + 4):
        come(number, "low" if number % 10 == 0 else "high", scanner=f"MR {number % 2}")
    first = page("/live").text
    assert len(words(first)) == ROWS
    older = re.search(r'<a href="/(\?[^"]*)">Older</a>', first)[1]
    assert len(words(page(f"/live{older}").text)) == 3
    assert words(page("/live?verdict=repeat").text) == ["repeat"] * 4
    assert words(page("/live?verdict=repeat&scanner=MR+1").text) == []
    assert "No series fits" in page("/?scanner=nobody").text


def test_the_counts_are_of_the_scanner_that_is_chosen(come, page):
    for number in range(1, 4):
        come(number, "low" if number == 1 else "high", scanner=f"MR {number % 2}")
    counts = re.compile(r"All <b>(\d+)</b>.*Repeat <b>(\d+)</b>.*Good <b>(\d+)</b>", re.DOTALL)
    assert counts.search(page("/live").text).groups() == ("3", "1", "2")
    assert counts.search(page("/live?scanner=MR+1").text).groups() == ("2", "1", "1")
    assert "<option selected>MR 7</option>" in page("/?scanner=MR+7").text


def test_that_judging_is_behind_is_said(come, page, site, arrival):
    come(1, None)
    assert "for a verdict" not in page("/live").text
    site.store.add_image(arrival(2), time.time() - 300)
    assert "2 images wait for a verdict, the first for 5 min" in page("/live").text


def test_a_script_in_a_description_is_text(come, page):
    come(1, "low", series_description=SCRIPT, scanner=SCRIPT, accession_number=SCRIPT)
    for address in ("/", "/live", "/series/1", "/drift"):
        text = page(address, "read+names").text
        assert "<script>document" not in text
        assert "onload='x'" not in text
        assert "&lt;script&gt;" in text


def test_the_pages_have_no_inline_script_or_style(come, page):
    come(1, "low")
    for address in ("/", "/drift", "/login"):
        text = page(address).text
        assert not re.search(r"<script(?![^>]* src=)|<style| style=| on\w+=", text)


def test_names_are_for_those_who_may_see_them(come, page):
    come(1, "low")
    for address in ("/", "/live", "/series/1"):
        assert "Doe" not in page(address, "read").text
        assert "Doe" not in page(address, "admin").text
        assert "Doe, Jane" in page(address, "read+names").text
        assert "4711" not in page(address, "read+names").text


def test_names_that_were_shown_are_in_the_audit_trail(come, page, site):
    for number in range(1, 4):
        come(number)
    page("/live", "read")
    assert not any('csd-code="110103"' in message for message in site.audited())
    for _ in range(2):
        page("/live", "read+names")
    seen = [message for message in site.audited() if 'csd-code="110103"' in message]
    assert len(seen) == 3
    assert all('UserID="read+names"' in message for message in seen)


def test_the_worst_image_is_shown_under_its_heat_map(come, page, site):
    come(1, "low")
    assert page("/pictures/1.jpg").status_code == 404
    assert "is kept no longer" in page("/series/1").text
    site.pictures.put(1, np.zeros((64, 64), np.float32), np.ones((16, 16), np.float32))
    assert '<img class="image" src="/pictures/1.jpg"' in page("/series/1").text
    picture, heat = page("/pictures/1.jpg"), page("/pictures/1.png")
    assert (picture.headers["Content-Type"], picture.content[:2]) == ("image/jpeg", b"\xff\xd8")
    assert (heat.headers["Content-Type"], heat.content[1:4]) == ("image/png", b"PNG")
    assert picture.headers["Cache-Control"].startswith("private")


def test_what_was_asked_of_the_list_is_in_the_audit_trail(page, site):
    page("/?scanner=MR+1&accession=A7")
    (asked,) = (message for message in site.audited() if 'csd-code="110112"' in message)
    assert b64encode(b"scanner=MR+1&accession=A7").decode() in asked


def test_who_asks_for_a_picture_alone_has_seen_its_study(come, page, site):
    come(1, "low")
    site.pictures.put(1, np.zeros((64, 64), np.float32), None)
    page("/pictures/1.jpg")
    page("/pictures/1.png")
    (seen,) = (message for message in site.audited() if 'csd-code="110103"' in message)
    assert 'ParticipantObjectID="1.2.1"' in seen


def test_a_series_says_what_was_found_and_what_helps(come, page):
    come(1, "low")
    text = page("/series/1").text
    assert "Look, and consider a repeat" in text
    assert "Motion" in text
    assert "hold still" in text


@pytest.mark.parametrize("address", ["/series/2", "/pictures/2.png"])
def test_what_is_not_there_is_not_found(come, page, address):
    come(1)
    assert page(address).status_code == 404


def test_drift_is_drawn_for_every_scanner(come, page):
    assert "No image has been judged" in page("/drift").text
    come(1, "low", scanner="MR 1")
    come(2, "high", scanner="MR 2")
    text = page("/drift?days=7").text
    assert text.count("<figure") == 2
    assert "100.0 % low of 1 image<" in text


def test_signing_in_gives_a_cookie_that_scripts_and_other_sites_do_not_get(site):
    answer = site.client.post("/login", data={"token": site.tokens["read"]})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/")
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert site.client.get("/").status_code == 200
    assert any('csd-code="110122"' in message for message in site.audited())


@pytest.mark.parametrize(("who", "status"), [("send", 403), (None, 401)])
def test_who_may_not_read_does_not_come_in(site, who, status):
    answer = site.client.post("/login", data={"token": site.tokens[who] if who else "x"})
    assert answer.status_code == status
    assert "Set-Cookie" not in answer.headers
    assert "does not let you in" in answer.text
    (login,) = (message for message in site.audited() if 'csd-code="110122"' in message)
    assert 'EventOutcomeIndicator="4"' in login
    assert f'UserID="{who or "unknown"}"' in login


def test_another_site_can_neither_sign_in_nor_out(site):
    away = {"Sec-Fetch-Site": "cross-site"}
    token = site.tokens["read"]
    assert site.client.post("/login", data={"token": token}, headers=away).status_code == 403
    site.sign_in()
    assert site.client.post("/logout", data={"csrf": "x"}).status_code == 403
    assert site.client.post("/logout").status_code == 403
    answer = site.client.post("/logout", data={"csrf": csrf_token(token)})
    assert answer.headers["Location"] == "/login"
    assert "Max-Age=0" in answer.headers["Set-Cookie"]

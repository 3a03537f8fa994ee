from __future__ import annotations

from collections.abc import Iterator


def pieces(number: int) -> Iterator[bytes]:
    for _ in range(number):
        yield b"x" * 10


def test_bodies_up_to_the_limit_pass(browser) -> None:
    assert browser().post("/api/echo", content=b"x" * 100).json() == 100
    assert browser().post("/api/echo", content=pieces(10)).json() == 100


def test_a_body_that_is_declared_too_large_is_refused(browser) -> None:
    answer = browser().post("/api/echo", content=b"x" * 101)
    assert answer.status_code == 413
    assert answer.json() == {"error": "What was sent is too large."}


def test_a_body_that_turns_out_too_large_is_refused(browser) -> None:
    assert browser().post("/api/echo", content=pieces(11)).status_code == 413


def test_a_body_that_is_smaller_than_declared_is_refused_by_what_was_declared(browser) -> None:
    answer = browser().post("/api/echo", content=b"x", headers={"Content-Length": "1000000000000"})
    assert answer.status_code == 413

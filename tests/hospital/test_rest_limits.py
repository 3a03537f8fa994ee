from __future__ import annotations

import asyncio

import pytest
from starlette.requests import ClientDisconnect

from miqanet.hospital.rest_limits import Containment

SCOPE = {"type": "http", "method": "GET", "path": "/", "headers": []}


@pytest.fixture
def ask():
    """Return a function that asks an application and returns what it sends."""

    def ask(app):
        messages = []

        async def send(message):
            messages.append(message)

        async def receive():
            return {"type": "http.request", "body": b""}

        asyncio.run(app(SCOPE, receive, send))
        return messages

    return ask


def test_an_error_before_the_answer_becomes_one(ask, caplog):
    async def app(_scope, _receive, _send):
        raise ValueError("Doe^Jane")

    start, body = ask(Containment(app))
    assert start["status"] == 500
    assert b"Doe" not in body["body"]
    assert "ValueError at test_rest_limits.py" in caplog.text
    assert "Doe" not in caplog.text


def test_a_client_that_has_gone_is_no_error(ask, caplog):
    async def app(_scope, _receive, _send):
        raise ClientDisconnect

    assert ask(Containment(app)) == []
    assert caplog.text == ""


def test_an_error_within_the_answer_ends_it(ask, caplog):
    async def app(_scope, _receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise ValueError("Doe^Jane")

    assert [message["type"] for message in ask(Containment(app))] == ["http.response.start"]
    assert "Doe" not in caplog.text

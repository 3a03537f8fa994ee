from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    ("path", "status"),
    [("/api/nowhere", 404), ("/api/echo", 405), ("/api/number/x", 422), ("/api/broken", 500)],
)
def test_scripts_get_json(browser, path: str, status: int) -> None:
    answer = browser().get(path)
    assert answer.status_code == status
    assert set(answer.json()) == {"error"}
    assert "secret" not in answer.text


@pytest.mark.parametrize(("path", "status"), [("/nowhere", 404), ("/broken", 500)])
def test_people_get_a_page(browser, path: str, status: int) -> None:
    answer = browser().get(path)
    assert answer.status_code == status
    assert answer.headers["content-type"].startswith("text/html")
    assert "<html lang=" in answer.text
    assert "secret" not in answer.text


def test_what_was_malformed_is_named_and_not_repeated(browser) -> None:
    answer = browser().get("/api/number/<script>")
    assert answer.json() == {"error": "malformed: number"}

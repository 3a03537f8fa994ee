"""A database is a folder or a URL to every command that takes one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

from miqanet.cli.place import shown

Command = Callable[..., Result]


def said(result: Result) -> str:
    return " ".join(result.output.split())


def test_no_message_has_a_password() -> None:
    assert shown("database/") == "database/"
    url = "postgresql+pg8000://ann:secret@host/miqanet"
    assert shown(url) == "postgresql+pg8000://ann:***@host/miqanet"


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (("train", "{}", "--out", "{out}", "--hold-out", "none"), "to hold out is called none"),
        (("calibrate", "{}", "--out", "{out}"), "subjects are too few"),
        (("benchmark", "{}", "--out", "{out}", "--fold", "none"), "no fold is called none"),
        (("database", "info", "{}"), "labelled images"),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else "",
)
def test_every_command_takes_a_url(
    miqanet: Command, database: Path, tmp_path: Path, command: tuple[str, ...], message: str
) -> None:
    url = f"sqlite:///{database}/database.sqlite"
    assert message in said(miqanet(*(each.format(url, out=tmp_path / "out") for each in command)))


@pytest.mark.parametrize("command", ["train", "calibrate", "benchmark"])
def test_a_url_of_no_server_is_refused_without_its_password(
    miqanet: Command, tmp_path: Path, command: str
) -> None:
    url = "postgresql+pg8000://ann:secret@localhost:1/miqanet"
    result = miqanet(command, url, "--out", tmp_path / "out")
    assert result.exit_code == 2
    assert "is no database that can be read" in said(result)
    assert "secret" not in result.output

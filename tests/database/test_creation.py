from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import inspect

from miqanet.database.creation import DatabaseExistsError, begin
from miqanet.database.query import Database
from miqanet.database.store import FILE_NAME, FOLDER, connect, upgrade


def test_what_was_begun_is_opened_again_as_it_is(tmp_path: Path) -> None:
    begin(tmp_path / "out", {"seed": "1"}).close()
    with begin(tmp_path / "out", {"seed": "2", "low": "3"}) as database:
        assert database.properties() == {"seed": "1"}
        assert database.folder == tmp_path / "out"


def test_a_creation_that_was_killed_begins_again(tmp_path: Path) -> None:
    (tmp_path / f".{FILE_NAME}.tmp").write_text("half a database")
    begin(tmp_path, {"seed": "1"}).close()
    with Database.open(tmp_path) as database:
        assert database.properties() == {"seed": "1"}


def test_a_folder_of_something_else_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    for folder in (tmp_path, tmp_path / "thesis.txt"):
        with pytest.raises(DatabaseExistsError, match="something else"):
            begin(folder, {})
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


@pytest.mark.system
def test_a_server_keeps_the_rows_and_knows_the_folder(tmp_path: Path, postgresql_url: str) -> None:
    begin(tmp_path / "out", {"seed": "1"}, postgresql_url).close()
    with Database.open(postgresql_url) as database:
        assert database.properties() == {"seed": "1", FOLDER: str(tmp_path / "out")}
        assert database.folder == tmp_path / "out"
    assert list((tmp_path / "out").iterdir()) == []
    with pytest.raises(DatabaseExistsError, match=str(tmp_path / "out")):
        begin(tmp_path / "other", {}, postgresql_url)
    with begin(tmp_path / "out", {}, postgresql_url) as database:
        assert database.properties()["seed"] == "1"


@pytest.mark.system
def test_a_creation_that_was_killed_on_a_server_begins_again(tmp_path: Path, postgresql_url: str) -> None:
    engine = connect(postgresql_url)
    upgrade(engine)
    assert inspect(engine).has_table("images")
    engine.dispose()
    with begin(tmp_path, {"seed": "1"}, postgresql_url) as database:
        assert database.properties()["seed"] == "1"


@pytest.mark.system
def test_rows_in_a_folder_are_not_moved_to_a_server(tmp_path: Path, postgresql_url: str) -> None:
    begin(tmp_path, {"seed": "1"}).close()
    with pytest.raises(DatabaseExistsError, match="not on a server"):
        begin(tmp_path, {"seed": "1"}, postgresql_url)

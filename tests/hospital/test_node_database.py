from __future__ import annotations

import pytest
from sqlalchemy import insert, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from miqanet.hospital.node_database import open_node_database, upgrade_node_database
from miqanet.hospital.node_schema import Property


def test_sqlite_is_durable_and_lets_readers_read(tmp_path):
    engine = open_node_database(f"sqlite:///{tmp_path}/node.sqlite")
    upgrade_node_database(engine)
    with engine.connect() as connection:
        values = [
            connection.execute(text(f"PRAGMA {name}")).scalar_one()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        ]
    assert values == ["wal", 2, 1]
    engine.dispose()


def test_a_folder_with_a_percent_sign_works(tmp_path):
    folder = tmp_path / "100%s done"
    folder.mkdir()
    engine = open_node_database(f"sqlite:///{folder}/node.sqlite")
    upgrade_node_database(engine)
    assert (folder / "node.sqlite").exists()
    engine.dispose()


def test_a_url_of_something_else_is_refused_without_its_password():
    with pytest.raises(ValueError, match="postgresql") as raised:
        open_node_database("oracle://node:secret@db/node")
    assert "secret" not in str(raised.value)


def test_an_error_does_not_show_what_is_a_patients(node_engine):
    with (
        pytest.raises(DBAPIError, match="properties") as raised,
        Session(node_engine) as session,
        session.begin(),
    ):
        session.execute(insert(Property).values(key="4711", value=None))
    assert "4711" not in str(raised.value).partition("[SQL")[2]

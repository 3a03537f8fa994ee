from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Engine, MetaData, insert, inspect, select, text

from miqanet.database.store import FILE_NAME, check_revision, connect, open_engine, upgrade, upgrade_database


def test_newest_revision_passes(engine: Engine) -> None:
    upgrade(engine)
    check_revision(engine)


def test_other_revision_is_named_with_the_way_out(engine: Engine) -> None:
    upgrade(engine, "0001")
    with pytest.raises(ValueError, match=r"0001.*miqanet database upgrade"):
        check_revision(engine)


def test_a_password_is_not_told() -> None:
    engine = connect("postgresql+pg8000://me:secret@127.0.0.1:1/nowhere")
    with pytest.raises(ValueError, match="no database that can be read") as error:
        check_revision(engine)
    assert "secret" not in str(error.value)
    engine.dispose()
    for url in ("postgresql+psycopg:secret", "oracle+ours://me:secret@host/base"):
        with pytest.raises(ValueError, match=r"URL is postgresql\+pg8000") as error:
            connect(url)
        assert "secret" not in str(error.value)


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_text("something else " * 100)
    engine = open_engine(tmp_path)
    with pytest.raises(ValueError, match="no database"):
        check_revision(engine)
    engine.dispose()


def test_a_folder_with_a_percent_sign_works(tmp_path: Path) -> None:
    folder = tmp_path / "100%s done"
    folder.mkdir()
    engine = open_engine(folder)
    upgrade(engine)
    check_revision(engine)
    engine.dispose()


FIRST_ROWS = {
    "metadata": {"key": "created_by", "value": "miqanet 0.1.0"},
    "datasets": {"id": 3, "name": "site-a"},
    "subjects": {"id": 5, "dataset_id": 3, "name": "sub-01"},
    "sources": {
        "id": 7, "subject_id": 5, "path": "sources/0.png", "sha256": "a", "origin": "x", "frame": 2,
        "rows": 8, "columns": 9, "body_part": "knee", "body_part_text": "left knee", "contrast": "T1w",
    },
    "images": {
        "id": 11, "source_id": 7, "path": "images/0.png", "sha256": "b", "rows": 8, "columns": 9,
        "seed": 2**63 - 1, "draw": 4, "simulated": True,
    },
    "artifacts": {
        "id": 13, "image_id": 11, "kind": "blur", "severity": 0.1, "parameters": {"a": 1}, "harm": 1.5,
    },
    "labels": {"id": 17, "image_id": 11, "quality": "low", "provenance": "simulated rule v1"},
}  # fmt: skip
"""A row a table, as revision 0001 had them."""


def test_a_database_of_the_first_revision_is_upgraded_without_loss(engine: Engine) -> None:
    upgrade(engine, "0001")
    first = MetaData()
    with engine.begin() as connection:
        first.reflect(connection)
        for table, row in FIRST_ROWS.items():
            connection.execute(insert(first.tables[table]), row)
    upgrade(engine)
    check_revision(engine)
    with engine.connect() as connection:
        for table, row in FIRST_ROWS.items():
            assert connection.execute(select(first.tables[table])).mappings().one() == row
        image = connection.execute(text("SELECT * FROM images")).mappings().one()
        assert (image["subject_id"], image["body_part"], image["contrast"]) == (5, "knee", "T1w")
        assert image["provenance"] == "simulated by miqanet 0.1.0"


def test_only_databases_of_known_revisions_are_upgraded(tmp_path: Path) -> None:
    engine = open_engine(tmp_path)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)"))
    with pytest.raises(ValueError, match="revision None, unknown"):
        upgrade_database(tmp_path)
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO alembic_version VALUES ('9999')"))
    with pytest.raises(ValueError, match="revision 9999, unknown"):
        upgrade_database(tmp_path / FILE_NAME)
    assert inspect(engine).get_table_names() == ["alembic_version"]
    engine.dispose()


def test_references_are_sound_and_enforced_after_an_upgrade(tmp_path: Path) -> None:
    engine = open_engine(tmp_path)
    upgrade(engine)
    with engine.connect() as connection:
        assert connection.execute(text("PRAGMA foreign_keys")).scalar() == 1
        assert not connection.execute(text("PRAGMA foreign_key_check")).all()
    engine.dispose()


def test_an_upgrade_that_fails_changes_nothing(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    upgrade(engine, "0001")
    before = inspect(engine).get_table_names()

    def fail(*_args: object, **_options: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("alembic.op.create_index", fail)
        with pytest.raises(KeyboardInterrupt):
            upgrade(engine)
    assert inspect(engine).get_table_names() == before
    upgrade(engine)
    check_revision(engine)

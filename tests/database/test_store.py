from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import text

from miqanet.database.store import FILE_NAME, check_revision, open_engine, upgrade


def test_newest_revision_passes(tmp_path: Path) -> None:
    engine = open_engine(tmp_path)
    upgrade(engine)
    check_revision(engine)
    engine.dispose()


def test_other_revision_is_named(tmp_path: Path) -> None:
    engine = open_engine(tmp_path)
    upgrade(engine)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(ValueError, match="9999"):
        check_revision(engine)
    engine.dispose()


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_text("something else " * 100)
    engine = open_engine(tmp_path)
    with pytest.raises(ValueError, match="no SQLite database"):
        check_revision(engine)
    engine.dispose()


def test_a_folder_with_a_percent_sign_works(tmp_path: Path) -> None:
    folder = tmp_path / "100%s done"
    folder.mkdir()
    engine = open_engine(folder)
    upgrade(engine)
    check_revision(engine)
    engine.dispose()

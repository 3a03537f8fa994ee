from __future__ import annotations

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import inspect
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from miqanet.database.schema import Base, Label
from miqanet.database.store import open_engine, upgrade
from miqanet.verdict import Quality


def test_revisions_give_the_tables_of_the_models(tmp_path: Path) -> None:
    engine = open_engine(tmp_path)
    upgrade(engine)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []
    engine.dispose()


def test_constraints_have_the_names_that_the_models_give_them(tmp_path: Path) -> None:
    migrated, created = open_engine(tmp_path, "migrated"), open_engine(tmp_path, "created")
    upgrade(migrated)
    Base.metadata.create_all(created)
    for table in Base.metadata.tables:
        found = []
        for engine in (migrated, created):
            inspector = inspect(engine)
            constraints = (
                *inspector.get_unique_constraints(table),
                *inspector.get_check_constraints(table),
                *inspector.get_foreign_keys(table),
            )
            found.append({each["name"] for each in constraints})
        assert found[0] == found[1]
        assert None not in found[0]
    migrated.dispose()
    created.dispose()


def test_upgrading_twice_changes_nothing(tmp_path: Path) -> None:
    engine = open_engine(tmp_path)
    upgrade(engine)
    tables = inspect(engine).get_table_names()
    upgrade(engine)
    assert inspect(engine).get_table_names() == tables
    engine.dispose()


def test_a_row_without_its_parent_is_refused(tmp_path: Path) -> None:
    engine = open_engine(tmp_path)
    upgrade(engine)
    with Session(engine) as session:
        session.add(Label(image_id=7, quality=Quality.LOW, provenance="test"))
        with pytest.raises(IntegrityError, match="FOREIGN KEY"):
            session.commit()
    engine.dispose()

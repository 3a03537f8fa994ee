from __future__ import annotations

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Engine, inspect, text
from sqlalchemy.exc import DatabaseError
from sqlalchemy.orm import Session

from miqanet.database import study_schema  # noqa: F401  its tables are of the same base
from miqanet.database.schema import Base, Label
from miqanet.database.store import upgrade
from miqanet.verdict import Quality


def test_revisions_give_the_tables_of_the_models(engine: Engine) -> None:
    upgrade(engine)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []


def test_constraints_have_the_names_that_the_models_give_them(engine: Engine) -> None:
    def names() -> dict[str, set[str | None]]:
        inspector = inspect(engine)
        return {
            table: {
                *(each["name"] for each in inspector.get_unique_constraints(table)),
                *(each["name"] for each in inspector.get_check_constraints(table)),
                *(each["name"] for each in inspector.get_foreign_keys(table)),
                *(each["name"] for each in inspector.get_indexes(table)),
                inspector.get_pk_constraint(table)["name"],
            }
            for table in Base.metadata.tables
        }

    upgrade(engine)
    migrated = names()
    Base.metadata.drop_all(engine)
    Base.metadata.create_all(engine)
    assert migrated == names()
    assert None not in set().union(*migrated.values())


def test_upgrading_twice_changes_nothing(engine: Engine) -> None:
    upgrade(engine)
    tables = inspect(engine).get_table_names()
    upgrade(engine)
    assert inspect(engine).get_table_names() == tables


def test_a_row_without_its_parent_is_refused(engine: Engine) -> None:
    upgrade(engine)
    with Session(engine) as session:
        session.add(Label(image_id=7, quality=Quality.LOW, provenance="test"))
        with pytest.raises(DatabaseError, match=r"(?i)foreign key"):
            session.commit()


def test_a_third_quality_is_refused(engine: Engine) -> None:
    upgrade(engine)
    with (
        pytest.raises(DatabaseError, match="ck_votes_quality"),
        engine.begin() as connection,
    ):
        connection.execute(text("INSERT INTO votes (image_id, rater_id, quality) VALUES (1, 1, 'medium')"))

from __future__ import annotations

from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Engine, MetaData, inspect, select, text
from sqlalchemy.exc import DatabaseError
from sqlalchemy.orm import Session

from miqanet.database import study_schema  # noqa: F401  its tables are of the same base
from miqanet.database.schema import Base, Label
from miqanet.database.store import connect, upgrade
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


def add_judged(engine: Engine, rows: dict[str, dict[str, Any]]) -> MetaData:
    """Add a vote and its reading, and return the tables as they are."""
    tables = MetaData()
    with engine.begin() as connection:
        tables.reflect(connection)
        for table, row in rows.items():
            connection.execute(tables.tables[table].insert(), row)
    return tables


def judged(engine: Engine, tables: MetaData) -> list[Any]:
    with engine.connect() as connection:
        return [
            row for name in ("votes", "readings") for row in connection.execute(select(tables.tables[name]))
        ]


@pytest.mark.parametrize("table", ["votes", "readings"])
@pytest.mark.parametrize("change", ["UPDATE {} SET id = 2", "DELETE FROM {}", "DELETE FROM {} WHERE id = 1"])
def test_votes_and_readings_are_append_only(
    engine: Engine, table: str, change: str, a_reading: dict[str, dict[str, Any]]
) -> None:
    upgrade(engine)
    tables = add_judged(engine, a_reading)
    before = judged(engine, tables)
    with pytest.raises(DatabaseError, match=f"{table} are append-only"), engine.begin() as connection:
        connection.execute(text(change.format(table)))
    assert judged(engine, tables) == before
    assert len(before) == 2


# What stands in the way of each row: the same key, and of a reading its vote or its submission.
@pytest.mark.parametrize(
    ("table", "row"),
    [
        ("votes", {"quality": "high"}),
        ("readings", {"vote_id": None, "submission": "t"}),
        ("readings", {"id": 2, "submission": "t"}),
        ("readings", {"id": 2, "vote_id": None}),
    ],
)
def test_a_row_is_not_replaced(
    engine: Engine, table: str, row: dict[str, Any], a_reading: dict[str, dict[str, Any]]
) -> None:
    upgrade(engine)
    tables = add_judged(engine, a_reading)
    before = judged(engine, tables)
    insert = tables.tables[table].insert()
    if engine.dialect.name == "sqlite":
        insert = insert.prefix_with("OR REPLACE")
    with pytest.raises(DatabaseError, match=r"append-only|unique"), engine.begin() as connection:
        connection.execute(insert, a_reading[table] | row)
    assert judged(engine, tables) == before


def test_an_upsert_changes_no_vote(engine: Engine, a_reading: dict[str, dict[str, Any]]) -> None:
    upgrade(engine)
    tables = add_judged(engine, a_reading)
    before = judged(engine, tables)
    with pytest.raises(DatabaseError, match="votes are append-only"), engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO votes (id, image_id, rater_id, quality) VALUES (1, 1, 1, 'high')"
                " ON CONFLICT (id) DO UPDATE SET quality = 'high'"
            )
        )
    assert judged(engine, tables) == before


@pytest.mark.system
@pytest.mark.parametrize("emptied", ["votes CASCADE", "readings", "images CASCADE"])
def test_a_server_does_not_empty_them_either(
    postgresql_url: str, emptied: str, a_reading: dict[str, dict[str, Any]]
) -> None:
    engine = connect(postgresql_url)
    upgrade(engine)
    tables = add_judged(engine, a_reading)
    with pytest.raises(DatabaseError, match="are append-only"), engine.begin() as connection:
        connection.execute(text(f"TRUNCATE {emptied}"))
    assert len(judged(engine, tables)) == 2
    engine.dispose()


def test_a_changed_mind_is_a_row_more(engine: Engine, a_reading: dict[str, dict[str, Any]]) -> None:
    upgrade(engine)
    tables = add_judged(engine, a_reading)
    with engine.begin() as connection:
        for row in ({"id": 2, "quality": "high"}, {"id": 3}):
            connection.execute(tables.tables["votes"].insert(), a_reading["votes"] | row)
        for row in ({"id": 2, "vote_id": 2}, {"id": 3, "vote_id": None}, {"id": 4, "vote_id": None}):
            row = row | {"submission": f"s{row['id']}"}
            connection.execute(tables.tables["readings"].insert(), a_reading["readings"] | row)
    assert len(judged(engine, tables)) == 7


def test_votes_from_before_they_were_protected_stay_and_are_protected(
    engine: Engine, a_reading: dict[str, dict[str, Any]]
) -> None:
    upgrade(engine, "0003")
    tables = add_judged(engine, a_reading)
    before = judged(engine, tables)
    upgrade(engine)
    assert judged(engine, tables) == before
    for table in ("votes", "readings"):
        with pytest.raises(DatabaseError, match=f"{table} are append-only"), engine.begin() as connection:
            connection.execute(tables.tables[table].delete())
    assert judged(engine, tables) == before

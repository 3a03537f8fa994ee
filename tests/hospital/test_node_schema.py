from __future__ import annotations

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import inspect
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from miqanet.hospital.node_database import upgrade_node_database
from miqanet.hospital.node_schema import NodeBase, Send, WorkState


def test_revisions_give_the_tables_of_the_models(node_engine):
    with node_engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, NodeBase.metadata) == []


def test_constraints_have_the_names_that_the_models_give_them(node_engine):
    def names():
        inspector = inspect(node_engine)
        return {
            table: {
                each["name"]
                for each in (
                    *inspector.get_unique_constraints(table),
                    *inspector.get_check_constraints(table),
                    *inspector.get_foreign_keys(table),
                    *inspector.get_indexes(table),
                )
            }
            for table in NodeBase.metadata.tables
        }

    migrated = names()
    NodeBase.metadata.drop_all(node_engine)
    NodeBase.metadata.create_all(node_engine)
    assert migrated == names()


def test_upgrading_twice_changes_nothing(node_engine):
    tables = inspect(node_engine).get_table_names()
    upgrade_node_database(node_engine)
    assert inspect(node_engine).get_table_names() == tables


def test_a_row_without_its_parent_is_refused(node_engine):
    with Session(node_engine) as session:
        session.add(Send(document_id=7, archive="a", error="", due=0.0, state=WorkState.WAITING))
        with pytest.raises(DBAPIError, match=r"(?i)foreign key"):
            session.commit()

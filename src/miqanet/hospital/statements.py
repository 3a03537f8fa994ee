"""SQL of the node that is said of every image.

SQLAlchemy takes longer to build such a statement, and the ORM to see it through, than the database to run it. So
each is built once, on tables instead of models, with `bindparam` where values go.
"""

from __future__ import annotations

from typing import cast

from sqlalchemy import Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from miqanet.hospital.node_schema import NodeBase


def table(row: type[NodeBase]) -> Table:
    """Return the table of a model."""
    return cast("Table", row.__table__)


def dialect(session: Session) -> str:
    """Return the name of the dialect of the session's database."""
    return session.get_bind().dialect.name


def insertion(dialect_name: str, row: type[NodeBase]) -> sqlite.Insert | postgresql.Insert:
    """Return an insertion that can be told what to do where a row with its unique values is there."""
    insert = sqlite.insert if dialect_name == "sqlite" else postgresql.insert
    return insert(table(row))

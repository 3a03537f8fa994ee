"""What is acknowledged must be on the disk: how SQLite is told to wait for it."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import Connection, Engine, event

_BUSY_MILLISECONDS: Final = 30_000


def make_durable(engine: Engine) -> None:
    """Let every transaction be on the disk when it is committed; PostgreSQL's are by default.

    SQLite keeps a write-ahead log and syncs it at each commit (synchronous FULL), so that neither a killed
    process nor a power cut loses what was committed, and readers do not wait for the one writer.
    """
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _configure)
    # Connections from before are closed.
    engine.dispose()


def begin_writing(connection: Connection) -> None:
    """Let a transaction that has just begun be a writer's from its first statement.

    SQLite would let it read, and refuse its first write if another process has written in between.
    """
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("ROLLBACK")
        connection.exec_driver_sql("BEGIN IMMEDIATE")


def _configure(connection: Any, _record: Any) -> None:
    connection.execute(f"PRAGMA busy_timeout = {_BUSY_MILLISECONDS}")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")

"""Opening the database of a study, for the commands of `miqanet study`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from miqanet.cli.errors import fail, need
from miqanet.cli.place import opened

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from miqanet.study.protocol import Protocol


def need_study() -> None:
    """End the command unless what studies need is installed."""
    need("study", "sqlalchemy", "alembic", "pg8000", "fastapi", "uvicorn")


@contextmanager
def opened_study(place: str, writing: bool = False) -> Iterator[tuple[Connection, Protocol]]:
    """Open the study of a database for one transaction, or end the command; raters may vote meanwhile."""
    from miqanet.database.durability import begin_writing
    from miqanet.study.creation import protocol_in_force

    with opened(place) as database, database.engine.begin() as connection:
        if writing:
            begin_writing(connection)
        try:
            _, protocol = protocol_in_force(connection)
        except ValueError as error:
            fail(str(error))
        yield connection, protocol

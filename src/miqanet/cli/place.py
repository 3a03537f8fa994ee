"""Where a database is, as commands take it: a folder, or the URL of a server."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from miqanet.cli.errors import fail

if TYPE_CHECKING:
    from miqanet.database.query import Database

Place = Annotated[str, typer.Argument(metavar="DATABASE", help="Folder of a database, or a server's URL.")]


@contextmanager
def opened(place: str) -> Iterator[Database]:
    """Open a database, or end the command."""
    from miqanet.database.query import Database

    try:
        database = Database.open(place)
    except (FileNotFoundError, ValueError) as error:
        fail(str(error))
    with database, told(place):
        yield database


@contextmanager
def told(place: str) -> Iterator[None]:
    """End the command where a database is locked, read-only or gone."""
    from sqlalchemy.exc import DBAPIError

    try:
        yield
    except DBAPIError as error:
        # A server's own words may hold what was to be written.
        reason = (
            error.orig if error.orig and "sqlite3" in type(error.orig).__module__ else type(error).__name__
        )
        fail(f"{shown(place)} cannot be used now: {reason}")


def shown(place: str) -> str:
    """Return what to call a database in a message: its folder, or its URL without the password."""
    from sqlalchemy import make_url

    from miqanet.database.store import is_url

    return make_url(place).render_as_string(hide_password=True) if is_url(place) else place

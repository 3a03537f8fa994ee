"""Opening a database, and bringing it to the newest revision of the schema."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError, DBAPIError

FILE_NAME = "database.sqlite"

_SERVER_URL = "postgresql+pg8000://USER:PASSWORD@HOST/DATABASE"

FOLDER = "folder"
"""Property of a database on a server: the absolute path of the folder that holds its image files."""


def open_engine(folder: Path, name: str = FILE_NAME) -> Engine:
    """Return the engine of the database in `folder`; the file comes into being when first written to."""
    return connect(URL.create("sqlite", database=str(folder / name)))


def is_url(place: Path | str) -> bool:
    """Whether a database's place is the URL of a server rather than a folder."""
    return "://" in str(place)


def connect(url: URL | str) -> Engine:
    """Return the engine of the database at `url`: SQLite's, or PostgreSQL's as `postgresql+pg8000://...`.

    Raises:
        ValueError: it is no such URL.
    """
    try:
        engine = create_engine(url)
    except (ArgumentError, ImportError):
        # Not quoted: it may hold a password.
        raise ValueError(f"a server's URL is {_SERVER_URL}") from None
    if engine.dialect.name != "sqlite":
        return engine

    # Python's own transactions leave changes of tables out; begun here, an upgrade is done whole or not at all.
    @event.listens_for(engine, "connect")
    def enforce_foreign_keys(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        connection.execute("PRAGMA foreign_keys = ON")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN")

    return engine


def upgrade(engine: Engine, revision: str = "head") -> None:
    """Bring the schema to a revision, the newest by default, in one transaction."""
    config = _config()
    with engine.connect() as connection:
        sqlite = engine.dialect.name == "sqlite"
        if sqlite:
            # To change a table, SQLite makes another and drops the first; what refers to it has to bear that.
            _enforce_foreign_keys(connection, False)
        try:
            with connection.begin():
                config.attributes["connection"] = connection
                command.upgrade(config, revision)
        finally:
            if sqlite:
                _enforce_foreign_keys(connection, True)


def _enforce_foreign_keys(connection: Connection, enforced: bool) -> None:
    """Switch a connection to SQLite outside of a transaction, within which that would do nothing."""
    raw: Any = connection.connection.driver_connection
    raw.execute(f"PRAGMA foreign_keys = {'ON' if enforced else 'OFF'}")


def open_existing(place: Path | str) -> Engine:
    """Return the engine of the database in a folder (or its `database.sqlite`), or on the server at a URL.

    Raises:
        FileNotFoundError: the folder holds none.
        ValueError: `place` is a URL of another kind of server.
    """
    if is_url(place):
        return connect(str(place))
    folder = Path(place)
    if folder.name == FILE_NAME:
        folder = folder.parent
    if not (folder / FILE_NAME).is_file():
        raise FileNotFoundError(f"{folder} holds no {FILE_NAME}; make one with `miqanet database build`")
    return open_engine(folder)


def upgrade_database(place: Path | str) -> str:
    """Bring an existing database to the newest revision of the schema, and return that.

    Raises:
        FileNotFoundError: there is none.
        ValueError: it is no database of miqanet's, or of a revision that this miqanet does not know.
    """
    engine = open_existing(place)
    try:
        scripts = ScriptDirectory.from_config(_config())
        revision = _revision(engine)
        if revision not in {script.revision for script in scripts.walk_revisions()}:
            raise ValueError(f"{_name(engine)} is of schema revision {revision}, unknown to this miqanet")
        upgrade(engine)
        return str(scripts.get_current_head())
    finally:
        engine.dispose()


def check_revision(engine: Engine) -> None:
    """Make sure that the database is one of miqanet's, at the newest revision.

    Raises:
        ValueError: it is no database, or of another revision.
    """
    head = ScriptDirectory.from_config(_config()).get_current_head()
    revision = _revision(engine)
    if revision != head:
        raise ValueError(
            f"{_name(engine)} is of schema revision {revision}, and this miqanet needs {head}; "
            "`miqanet database upgrade` brings an older one up"
        )


def _revision(engine: Engine) -> str | None:
    try:
        with engine.connect() as connection:
            return MigrationContext.configure(connection).get_current_revision()
    except DBAPIError as error:
        raise ValueError(f"{_name(engine)} is no database that can be read") from error


def _name(engine: Engine) -> str:
    """Return what to call a database in an error: its file, or its URL without password."""
    return engine.url.database or "" if engine.dialect.name == "sqlite" else str(engine.url)


def _config() -> Config:
    config = Config()
    location = str(Path(__file__).with_name("migrations"))
    config.set_main_option("script_location", location.replace("%", "%%"))
    return config

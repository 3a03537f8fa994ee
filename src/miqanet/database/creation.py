"""Beginning a database: an empty one in a new folder, its rows in SQLite or on a server, or one begun before."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from sqlalchemy import inspect, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from miqanet.database.query import Database
from miqanet.database.schema import Property
from miqanet.database.store import FILE_NAME, FOLDER, check_revision, connect, open_engine, upgrade


class DatabaseExistsError(Exception):
    """The folder already holds something that would be overwritten."""


def begin(folder: Path, properties: Mapping[str, str], url: str | None = None) -> Database:
    """Open the database in `folder`, and make it with these properties where there is none.

    With `url` the rows are kept on a server, as in `postgresql+pg8000://user@host/name`, and only the image
    files in the folder.

    Raises:
        DatabaseExistsError: the folder holds something else, or the server a database of another folder.
        ValueError: there is a database of another schema revision, or the server cannot be reached.
    """
    if not (folder / FILE_NAME).exists() and not _begun(url):
        if folder.exists() and (not folder.is_dir() or any(p.name[0] != "." for p in folder.iterdir())):
            raise DatabaseExistsError(f"{folder} holds something else than a database; choose another folder")
        folder.mkdir(parents=True, exist_ok=True)
        if url:
            _create_on_server(url, {**properties, FOLDER: str(folder.resolve())})
        else:
            _create_file(folder, properties)
    elif url and (folder / FILE_NAME).exists():
        raise DatabaseExistsError(f"{folder} has its rows in {FILE_NAME}, not on a server")
    database = Database.open(url or folder)
    try:
        check_revision(database.engine)
    except ValueError:
        database.close()
        raise
    if database.folder.resolve() != folder.resolve():
        database.close()
        raise DatabaseExistsError(f"the database on this server has its images in {database.folder}")
    return database


def _begun(url: str | None) -> bool:
    """Whether a server holds a database; a creation that was killed on the way has left no properties."""
    if url is None:
        return False
    engine = connect(url)
    try:
        if not inspect(engine).has_table(Property.__tablename__):
            return False
        with engine.connect() as connection:
            return connection.execute(select(Property.key)).first() is not None
    except DBAPIError as error:
        raise ValueError(f"{engine.url} is no database that can be read") from error
    finally:
        engine.dispose()


def _create_on_server(url: str, properties: Mapping[str, str]) -> None:
    engine = connect(url)
    upgrade(engine)
    with Session(engine) as session, session.begin():
        session.add_all(Property(key=key, value=value) for key, value in properties.items())
    engine.dispose()


def _create_file(folder: Path, properties: Mapping[str, str]) -> None:
    # The file gets its name once it has its tables and properties: a killed creation can always begin again.
    unnamed = f".{FILE_NAME}.tmp"
    (folder / unnamed).unlink(missing_ok=True)
    engine = open_engine(folder, unnamed)
    upgrade(engine)
    with Session(engine) as session, session.begin():
        session.add_all(Property(key=key, value=value) for key, value in properties.items())
    engine.dispose()
    (folder / unnamed).replace(folder / FILE_NAME)

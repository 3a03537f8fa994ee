"""Opening a database, and bringing it to the newest revision of the schema."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import URL
from sqlalchemy.exc import DatabaseError

FILE_NAME = "database.sqlite"


def open_engine(folder: Path, name: str = FILE_NAME) -> Engine:
    """Return the engine of the database in `folder`; the file comes into being when first written to."""
    engine = create_engine(URL.create("sqlite", database=str(folder / name)))

    @event.listens_for(engine, "connect")
    def enforce_foreign_keys(connection: Any, _record: Any) -> None:
        connection.execute("PRAGMA foreign_keys = ON")

    return engine


def upgrade(engine: Engine) -> None:
    """Bring the schema to the newest revision, from nothing or from an earlier one."""
    config = _config()
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def check_revision(engine: Engine) -> None:
    """Make sure that the database is one of miqanet's, at the newest revision.

    Raises:
        ValueError: it is no database, or of another revision.
    """
    head = ScriptDirectory.from_config(_config()).get_current_head()
    try:
        with engine.connect() as connection:
            revision = MigrationContext.configure(connection).get_current_revision()
    except DatabaseError as error:
        raise ValueError(f"{engine.url.database} is no SQLite database") from error
    if revision != head:
        raise ValueError(f"{engine.url.database} is of schema revision {revision}; this miqanet reads {head}")


def _config() -> Config:
    config = Config()
    location = str(Path(__file__).with_name("migrations"))
    config.set_main_option("script_location", location.replace("%", "%%"))
    return config

"""Opening the node's database: durable on SQLite, or on a PostgreSQL server, at the newest revision."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import Engine

from miqanet.database.durability import make_durable
from miqanet.database.store import connect


def open_node_database(url: str) -> Engine:
    """Return the engine of the node's database.

    A row that was committed is on the disk, before a sender hears that its image is safe.

    Raises:
        ValueError: it is no such URL.
    """
    engine = connect(url)
    # What a failed statement was given may be a patient's. (PostgreSQL's own words may quote it nevertheless.)
    engine.hide_parameters = True
    make_durable(engine)
    return engine


def upgrade_node_database(engine: Engine) -> None:
    """Bring the schema to the newest revision, from nothing or from an earlier one, in one transaction.

    Raises:
        ValueError: the database is another's, or a newer miqanet's.
    """
    config = Config()
    location = str(Path(__file__).with_name("node_migrations"))
    config.set_main_option("script_location", location.replace("%", "%%"))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, "head")
        except CommandError as error:
            raise ValueError(
                "the node's database is of a revision that this miqanet does not know"
            ) from error

"""Votes and readings are only ever added: triggers refuse what would change, delete or replace a row.

A later revision that rebuilds one of the two tables (`batch_alter_table` on SQLite) loses them, and makes them anew.
"""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_IN_THE_WAY = {
    "votes": "SELECT 1 FROM votes WHERE id = NEW.id",
    "readings": "SELECT 1 FROM readings"
    " WHERE id = NEW.id OR vote_id = NEW.vote_id OR submission = NEW.submission",
}
"""By table, the rows that a new one would replace."""


def upgrade() -> None:
    """Create the triggers."""
    if op.get_bind().dialect.name == "postgresql":
        _create_on_postgresql()
    else:
        _create_on_sqlite()


def _create_on_postgresql() -> None:
    op.execute(
        "CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN RAISE EXCEPTION '% are append-only', TG_TABLE_NAME; END $$"
    )
    for table in _IN_THE_WAY:
        op.execute(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )


def _create_on_sqlite() -> None:
    for table, in_the_way in _IN_THE_WAY.items():
        refuse = f"BEGIN SELECT RAISE(ABORT, '{table} are append-only'); END"
        for change in ("UPDATE", "DELETE"):
            op.execute(f"CREATE TRIGGER {table}_refuse_{change.lower()} BEFORE {change} ON {table} {refuse}")
        # INSERT OR REPLACE deletes what is in its way, and fires no trigger of DELETE.
        op.execute(
            f"CREATE TRIGGER {table}_refuse_replace BEFORE INSERT ON {table}"
            f" WHEN EXISTS ({in_the_way}) {refuse}"
        )

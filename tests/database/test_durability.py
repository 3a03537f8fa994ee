from __future__ import annotations

import threading
import time
from pathlib import Path

from sqlalchemy import text

from miqanet.database.durability import begin_writing, make_durable
from miqanet.database.store import open_engine


def test_sqlite_syncs_its_write_ahead_log_at_every_commit(tmp_path: Path) -> None:
    engine = open_engine(tmp_path)
    with engine.connect() as connection:
        assert connection.scalar(text("PRAGMA journal_mode")) == "delete"
    make_durable(engine)
    with engine.connect() as first, engine.connect() as second:
        for connection in (first, second):
            assert connection.scalar(text("PRAGMA journal_mode")) == "wal"
            # 2 is FULL.
            assert connection.scalar(text("PRAGMA synchronous")) == 2
            assert connection.scalar(text("PRAGMA foreign_keys")) == 1
            assert connection.scalar(text("PRAGMA busy_timeout")) == 30_000
    engine.dispose()


def test_a_writer_is_not_refused_for_what_others_wrote_meanwhile(tmp_path: Path) -> None:
    engine = open_engine(tmp_path)
    make_durable(engine)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE numbers (number INTEGER)"))

    def add_after_a_look(number: int) -> None:
        with engine.begin() as connection:
            begin_writing(connection)
            connection.execute(text("SELECT * FROM numbers")).all()
            time.sleep(0.05)
            connection.execute(text("INSERT INTO numbers VALUES (:number)"), {"number": number})

    threads = [threading.Thread(target=add_after_a_look, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with engine.connect() as connection:
        assert sorted(connection.scalars(text("SELECT number FROM numbers"))) == [0, 1, 2, 3]
    engine.dispose()

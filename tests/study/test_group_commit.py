from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, event, text
from sqlalchemy.exc import IntegrityError, OperationalError

from miqanet.database.durability import make_durable
from miqanet.database.store import connect, open_engine
from miqanet.study.group_commit import GroupCommit, Refused


@pytest.fixture
def engine(tmp_path: Path, url: str | None) -> Iterator[Engine]:
    engine = connect(url) if url else open_engine(tmp_path)
    make_durable(engine)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE numbers (number INTEGER PRIMARY KEY)"))
    yield engine
    engine.dispose()


@pytest.fixture
def writer(engine: Engine) -> Iterator[GroupCommit]:
    writer = GroupCommit(engine)
    yield writer
    writer.close()


def add(number: int):
    def job(connection: Connection) -> int:
        connection.execute(text("INSERT INTO numbers VALUES (:number)"), {"number": number})
        return number

    return job


def numbers(engine: Engine) -> list[int]:
    with engine.connect() as connection:
        return list(connection.scalars(text("SELECT number FROM numbers ORDER BY number")))


def held(writer: GroupCommit) -> threading.Event:
    """Keep the writer busy until the event is set, so that what follows waits together."""
    started, release = threading.Event(), threading.Event()

    def job(_connection: Connection) -> None:
        started.set()
        release.wait(120)

    writer.submit(job)
    assert started.wait(120)
    return release


def commits(engine: Engine) -> list[object]:
    counted: list[object] = []
    event.listen(engine, "commit", counted.append)
    return counted


def test_jobs_that_wait_together_share_a_transaction(engine: Engine, writer: GroupCommit) -> None:
    counted = commits(engine)
    release = held(writer)
    futures = [writer.submit(add(number)) for number in range(20)]
    release.set()
    assert [future.result(120) for future in futures] == list(range(20))
    assert numbers(engine) == list(range(20))
    assert len(counted) == 2


def test_a_result_is_told_after_the_commit(engine: Engine) -> None:
    writer = GroupCommit(engine)
    seen: list[list[int]] = []
    for number in range(5):
        future = writer.submit(add(number))
        # Called by the thread that tells the result.
        future.add_done_callback(lambda _: seen.append(numbers(engine)))
        future.result(120)
    writer.close()
    assert seen == [list(range(number + 1)) for number in range(5)]


def test_a_job_that_fails_spoils_no_other(engine: Engine, writer: GroupCommit) -> None:
    release = held(writer)
    good, twice, better = (writer.submit(add(number)) for number in (1, 1, 2))
    release.set()
    assert good.result(120) == 1
    assert better.result(120) == 2
    with pytest.raises(IntegrityError):
        twice.result(120)
    assert numbers(engine) == [1, 2]


def test_a_refusal_lets_the_others_be_committed_at_once(engine: Engine, writer: GroupCommit) -> None:
    def refuse(_connection: Connection) -> None:
        raise Refused("not now")

    counted = commits(engine)
    release = held(writer)
    good, refused = writer.submit(add(1)), writer.submit(refuse)
    release.set()
    assert good.result(120) == 1
    with pytest.raises(Refused, match="not now"):
        refused.result(120)
    assert len(counted) == 2


def test_what_the_database_refuses_for_a_moment_is_tried_again(engine: Engine, writer: GroupCommit) -> None:
    failures = iter([True, True, False])

    def fail_at_first(connection: Connection) -> int:
        if next(failures):
            raise OperationalError("INSERT", {}, Exception("database is locked"))
        return add(7)(connection)

    assert writer.submit(fail_at_first).result(120) == 7
    assert numbers(engine) == [7]


def test_an_error_of_the_programs_reaches_who_asked(writer: GroupCommit) -> None:
    with pytest.raises(ZeroDivisionError):
        writer.submit(lambda _connection: 1 // 0).result(120)
    assert writer.submit(lambda _connection: 5).result(120) == 5


def test_who_hung_up_before_the_turn_is_left_out(engine: Engine, writer: GroupCommit) -> None:
    release = held(writer)
    gone, stays = writer.submit(add(1)), writer.submit(add(2))
    assert gone.cancel()
    release.set()
    assert stays.result(120) == 2
    assert numbers(engine) == [2]


def test_closing_finishes_what_was_submitted(engine: Engine) -> None:
    writer = GroupCommit(engine)
    release = held(writer)
    futures = [writer.submit(add(number)) for number in range(100)]
    release.set()
    writer.close()
    assert all(future.done() for future in futures)
    assert numbers(engine) == list(range(100))

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from miqanet.hospital import work
from miqanet.hospital.node_schema import AuditMessage


@pytest.fixture
def messages(node_engine):
    """Ten rows of work, due one second after the other from second 0."""
    with Session(node_engine) as session, session.begin():
        session.add_all(AuditMessage(created=0.0, content="<a/>", due=float(due)) for due in range(10))
        session.flush()
        return list(session.scalars(select(AuditMessage.id).order_by(AuditMessage.due)))


@pytest.fixture
def transaction(node_engine):
    """Return a function that runs another of this module in a transaction of its own."""

    def run(function, *arguments):
        with Session(node_engine) as session, session.begin():
            return function(session, AuditMessage, *arguments)

    return run


def test_what_is_due_is_taken_once(messages, transaction):
    assert transaction(work.take, 2.0, 60.0, 10) == messages[:3]
    assert transaction(work.take, 2.0, 60.0, 10) == []


@pytest.mark.parametrize("limit", [1, 4])
def test_no_more_than_the_limit_is_taken(messages, transaction, limit):
    assert transaction(work.take, 9.0, 60.0, limit) == messages[:limit]
    assert transaction(work.take, 9.0, 60.0, limit) == messages[limit : 2 * limit]


def test_what_was_not_done_comes_back_after_the_lease(messages, transaction, node_engine):
    transaction(work.take, 0.0, 60.0, 10)
    assert messages[0] not in transaction(work.take, 59.0, 1.0, 10)
    assert messages[0] in transaction(work.take, 60.0, 60.0, 10)
    with Session(node_engine) as session:
        assert session.get_one(AuditMessage, messages[0]).attempts == 2


def test_what_was_done_never_comes_back(messages, transaction):
    assert transaction(work.finish, messages[0])
    assert not transaction(work.finish, messages[0])
    assert messages[0] not in transaction(work.take, 1e9, 60.0, 10)


def test_a_postponed_row_waits(messages, transaction):
    transaction(work.postpone, messages[0], 5.0)
    assert messages[0] not in transaction(work.take, 4.0, 60.0, 10)
    assert messages[0] in transaction(work.take, 5.0, 60.0, 10)


def test_a_new_start_releases_what_was_taken(messages, transaction):
    transaction(work.take, 9.0, 1e6, 10)
    transaction(work.finish, messages[0])
    transaction(work.release, 10.0)
    assert transaction(work.take, 10.0, 60.0, 10) == messages[1:]


def test_takers_at_the_same_time_get_different_rows(messages, transaction):
    with ThreadPoolExecutor(5) as pool:
        taken = list(pool.map(lambda _: transaction(work.take, 9.0, 60.0, 2), range(5)))
    rest = transaction(work.take, 9.0, 60.0, 10)
    assert sorted(sum(taken, rest)) == messages


def test_waiting_grows_up_to_five_minutes():
    assert [work.backoff_seconds(attempts) for attempts in (1, 2, 8, 9, 10**6)] == [2, 4, 256, 300, 300]

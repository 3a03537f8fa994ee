from __future__ import annotations

import pytest

from miqanet.web.rate_limit import RateLimit


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_a_burst_is_let_through_and_then_the_rate(clock: Clock) -> None:
    limit = RateLimit(2, 3, clock)
    for _ in range(3):
        assert limit.wait("a") == 0
        limit.spend("a")
    assert limit.wait("a") == 1
    clock.now += 0.4
    assert limit.wait("a") == 1
    clock.now += 0.1
    assert limit.wait("a") == 0
    limit.spend("a")
    assert limit.wait("a") == 1


def test_a_bucket_holds_no_more_than_a_burst(clock: Clock) -> None:
    limit = RateLimit(1, 2, clock)
    limit.spend("a")
    clock.now += 1000
    for _ in range(2):
        limit.spend("a")
    assert limit.wait("a") == 1


def test_a_slow_rate_is_a_long_wait(clock: Clock) -> None:
    limit = RateLimit(0.1, 1, clock)
    limit.spend("a")
    assert limit.wait("a") == 10


def test_callers_do_not_share_a_bucket(clock: Clock) -> None:
    limit = RateLimit(1, 1, clock)
    limit.spend("a")
    assert limit.wait("a") == 1
    assert limit.wait("b") == 0


def test_memory_is_bounded(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("miqanet.web.rate_limit._MOST_KEYS", 5)
    limit = RateLimit(1, 1, clock)
    for number in range(50):
        limit.spend(str(number))
    assert len(limit._buckets) == 5
    assert limit.wait("49") == 1

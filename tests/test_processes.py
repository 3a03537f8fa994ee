from __future__ import annotations

import math
import os
import signal
from collections.abc import Iterator

import pytest
from threadpoolctl import threadpool_info

from miqanet.processes import in_order, uninterrupted

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def test_results_come_in_the_order_of_the_items() -> None:
    # The first of two processes is busy while the other goes on.
    assert list(in_order(math.factorial, [20_000, 1, 2, 3, 4, 5], 2))[1:] == [1, 2, 6, 24, 120]


def test_items_are_taken_as_they_are_needed() -> None:
    taken = 0

    def endless() -> Iterator[int]:
        nonlocal taken
        while True:
            taken += 1
            yield taken

    results = in_order(math.sqrt, endless(), 2)
    assert next(results) == 1
    results.close()
    assert taken < 10


def test_an_error_of_the_work_is_the_callers() -> None:
    with pytest.raises(ValueError, match=r"domain|nonnegative"):
        list(in_order(math.sqrt, [1, -1], 2))


def test_each_process_has_one_thread_of_linear_algebra_and_the_caller_its_own_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    monkeypatch.delenv("MKL_NUM_THREADS", raising=False)
    before = dict(os.environ)
    assert list(in_order(os.getenv, THREADS, 2)) == ["1", "1", "1"]
    assert dict(os.environ) == before


def test_one_worker_is_this_process_with_one_thread_of_linear_algebra() -> None:
    def here(_item: int) -> tuple[int, set[int]]:
        return os.getpid(), {library["num_threads"] for library in threadpool_info()}

    assert list(in_order(here, [1], 1)) == [(os.getpid(), {1})]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interruption_waits_until_what_was_started_is_known(number: signal.Signals) -> None:
    before = signal.signal(number, signal.default_int_handler)
    try:
        known = False
        with pytest.raises(KeyboardInterrupt):  # noqa: PT012  # what comes in between is the point
            with uninterrupted():
                signal.raise_signal(number)
                known = True
            pytest.fail("the interruption is lost")
        assert known
        assert signal.getsignal(number) is signal.default_int_handler
    finally:
        signal.signal(number, before)

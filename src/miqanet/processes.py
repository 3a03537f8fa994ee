"""Work in several processes: results in order and in bounded memory, and no process is left behind."""

from __future__ import annotations

import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from typing import TypeVar

from threadpoolctl import threadpool_limits

T = TypeVar("T")
R = TypeVar("R")

_AHEAD = 3
"""Items for each process that are begun before their results are asked for."""


def in_order(work: Callable[[T], R], items: Iterable[T], workers: int) -> Generator[R, None, None]:
    """Yield the result of `work` on each item, in the order of the items.

    Args:
        work: what a process does, at module level since processes are spawned; the caller's main module has to be
            importable without side effects.
        items: what travels to the processes; taken as results are asked for.
        workers: processes, each with one thread of linear algebra; 1 is this process.

    Raises:
        concurrent.futures.process.BrokenProcessPool: a process has died.
    """
    if workers == 1:
        with threadpool_limits(1):
            yield from map(work, items)
        return
    window: deque[Future[R]] = deque()
    # Spawned, not forked: the parent may have threads, and a fork would copy their locks.
    with _one_thread_each(), ProcessPoolExecutor(workers, get_context("spawn"), ignore_ctrl_c) as pool:
        try:
            for item in items:
                with uninterrupted():
                    window.append(pool.submit(work, item))
                if len(window) > _AHEAD * workers:
                    yield window.popleft().result()
            while window:
                yield window.popleft().result()
        finally:
            pool.shutdown(cancel_futures=True)


def ignore_ctrl_c() -> None:
    """Leave Ctrl-C, which reaches all processes of a terminal, to the parent."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Hold Ctrl-C and SIGTERM back until a process that is being started is known to who has to end it."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    held: list[int] = []
    before = {
        each: signal.signal(each, lambda number, _frame: held.append(number))
        for each in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
        for number in held:
            signal.raise_signal(number)


@contextmanager
def _one_thread_each() -> Iterator[None]:
    """Let processes that are started meanwhile have one thread of linear algebra each.

    A process a processor leaves none for more: threads that wait for each other's turn took ten times as long.
    Among several, the order of their sums would vary, too, and with it a last bit.
    """
    names = [f"{library}_NUM_THREADS" for library in ("OMP", "OPENBLAS", "MKL")]
    before = {name: os.environ[name] for name in names if name in os.environ}
    os.environ.update(dict.fromkeys(names, "1"))
    try:
        yield
    finally:
        for name in names:
            del os.environ[name]
        os.environ.update(before)

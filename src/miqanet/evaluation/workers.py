"""Work in a process a piece, several side by side, each with a device of its own, and all ended by Ctrl-C."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Generic, TypeVar

from miqanet.processes import ignore_ctrl_c, uninterrupted

T = TypeVar("T")

_PATIENCE_S = 30
"""Until a process that was told to end is killed."""


@dataclass(frozen=True, slots=True)
class _Running(Generic[T]):
    piece: T
    process: BaseProcess
    slot: int


def in_processes(
    pieces: Sequence[T],
    work: Callable[[T, Callable[[str], None]], None],
    slots: Sequence[dict[str, str]],
    tell: Callable[[str], None],
    done: Callable[[T], None],
) -> list[tuple[T, str]]:
    """Do `work` on every piece, each in a process of its own, and return those that failed with the reason.

    Args:
        pieces: of work, which travel by pickling.
        work: takes a piece and where to tell a line; module-level, since processes are spawned.
        slots: the environment of each process that may run at a time, for example which device it sees.
        tell: takes the lines that the processes tell.
        done: takes a piece that has ended, well or not.

    Raises:
        KeyboardInterrupt: all processes have ended before.
    """
    context = get_context("spawn")
    left, free = list(reversed(pieces)), list(range(len(slots)))
    running: dict[Connection, _Running[T]] = {}
    failed: list[tuple[T, str]] = []
    try:
        while left or running:
            while left and free:
                piece, slot = left.pop(), free.pop(0)
                receiver, sender = context.Pipe(duplex=False)
                process = context.Process(target=_work, args=(work, piece, slots[slot], sender))
                with uninterrupted():
                    process.start()
                    running[receiver] = _Running(piece, process, slot)
                sender.close()
            ready = wait(list(running))
            for receiver in [each for each in running if each in ready]:
                try:
                    kind, line = receiver.recv()
                except EOFError:
                    kind, line = "end", "its process ended early"
                if kind == "line":
                    tell(line)
                    continue
                ended = running.pop(receiver)
                receiver.close()
                ended.process.join()
                free.append(ended.slot)
                if line:
                    failed.append((ended.piece, line))
                done(ended.piece)
    finally:
        for each in running.values():
            each.process.terminate()
        for each in running.values():
            each.process.join(_PATIENCE_S)
            if each.process.is_alive():
                each.process.kill()
                each.process.join()
    return failed


def _work(
    work: Callable[[T, Callable[[str], None]], None],
    piece: T,
    environment: dict[str, str],
    sender: Connection,
) -> None:
    ignore_ctrl_c()
    # Before anything that reads it, such as torch, is imported.
    os.environ.update(environment)
    try:
        work(piece, lambda line: sender.send(("line", line)))
    except (OSError, RuntimeError, ValueError) as error:
        sender.send(("end", str(error) or type(error).__name__))
        sys.exit(1)
    sender.send(("end", ""))

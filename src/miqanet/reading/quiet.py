"""Silence for libraries that warn of every odd value in a file.

Their warnings quote the values, which may be a patient's, and say nothing that a row of the results does not.
"""

from __future__ import annotations

import logging
import threading
import warnings
from collections.abc import Iterator
from typing import TypeVar

_T = TypeVar("_T")


class _Quiet:
    """Context without the libraries' warnings and logs, for any number of threads at once.

    `warnings.catch_warnings` saves and restores filters of the whole process: two threads that overlap would
    restore each other's. Here the first one in saves and the last one out restores.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._depth = 0
        self._saved = warnings.catch_warnings()
        self._loggers = [logging.getLogger(name) for name in ("pydicom", "PIL.TiffImagePlugin")]
        self._were_disabled = [False, False]

    def __enter__(self) -> None:
        with self._lock:
            if self._depth == 0:
                self._saved = warnings.catch_warnings()
                self._saved.__enter__()
                warnings.simplefilter("ignore")
                self._were_disabled = [logger.disabled for logger in self._loggers]
                for logger in self._loggers:
                    logger.disabled = True
            self._depth += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._depth -= 1
            if self._depth == 0:
                self._saved.__exit__(None, None, None)
                for logger, was_disabled in zip(self._loggers, self._were_disabled, strict=True):
                    logger.disabled = was_disabled


quiet = _Quiet()


def quietly(rows: Iterator[_T]) -> Iterator[_T]:
    """Yield from `rows`, silent while a row is made and not while the caller uses it."""
    while True:
        with quiet:
            try:
                row = next(rows)
            except StopIteration:
                return
        yield row

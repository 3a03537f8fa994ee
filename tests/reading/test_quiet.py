"""Silence that threads share and that ends."""

from __future__ import annotations

import logging
import threading
import warnings

import pytest

from miqanet.reading.quiet import quiet, quietly


def test_warnings_are_silent_inside_and_not_outside() -> None:
    with quiet:
        warnings.warn("inside", UserWarning, stacklevel=1)
    with pytest.warns(UserWarning, match="outside"):
        warnings.warn("outside", UserWarning, stacklevel=1)


def test_log_of_pydicom_is_silent_inside_and_not_outside(caplog: pytest.LogCaptureFixture) -> None:
    with quiet:
        logging.getLogger("pydicom").warning("a patient's name")
    logging.getLogger("pydicom").warning("outside")
    assert caplog.messages == ["outside"]


def test_overlapping_threads_restore_the_filters() -> None:
    before = list(warnings.filters)
    entered, leave = threading.Event(), threading.Event()

    def other() -> None:
        with quiet:
            entered.set()
            leave.wait(10)

    thread = threading.Thread(target=other)
    with quiet:
        thread.start()
        assert entered.wait(10)
    leave.set()
    thread.join()
    assert list(warnings.filters) == before


def test_caller_may_warn_between_rows() -> None:
    def rows() -> object:
        warnings.warn("of a library", UserWarning, stacklevel=1)
        yield 1
        warnings.warn("of a library", UserWarning, stacklevel=1)
        yield 2

    for _ in quietly(rows()):  # type: ignore[arg-type]
        with pytest.warns(UserWarning, match="of the caller"):
            warnings.warn("of the caller", UserWarning, stacklevel=1)

"""What tests of more than one package need."""

from __future__ import annotations

import os
import signal
from collections.abc import Generator
from pathlib import Path

import pytest


def pytest_configure() -> None:
    """Let commands that tests interrupt notice it: a job that a shell starts in the background ignores Ctrl-C."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Fail system tests that are skipped where `MIQANET_SYSTEM=required` says that nothing may be missing."""
    report = yield
    skipped = report.skipped and not hasattr(report, "wasxfail")
    if skipped and item.get_closest_marker("system") and os.environ.get("MIQANET_SYSTEM") == "required":
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} may not be skipped here: {report.longrepr}"
    return report


@pytest.fixture(scope="session")
def pool() -> Path:
    """The folder of real MR images that some tests want on top; they are no part of the project."""
    beside = Path(__file__).resolve().parents[2] / "shared" / "mr-pool"
    folder = Path(os.environ.get("MIQANET_POOL", beside))
    if not folder.is_dir():
        pytest.skip(f"no MR pool at {folder}")
    return folder

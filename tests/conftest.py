"""What tests of more than one package need."""

from __future__ import annotations

import gc
import os
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import uuid
from collections.abc import Callable, Generator, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError


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


@pytest.fixture
def garbage_collected() -> Iterator[None]:
    """Collect at the end of a test what it leaves open, while its own filters of warnings hold, not another's."""
    yield
    gc.collect()


@pytest.fixture(scope="session")
def free_port() -> Callable[[], int]:
    """Return a finder of ports that nobody listens on, each time of another one.

    They lie below those that a system gives to whoever names none: no connection takes one meanwhile.
    """
    untried = iter(random.SystemRandom().sample(range(20_000, 32_768), 12_768))

    def find() -> int:
        for port in untried:
            with suppress(OSError), socket.create_server(("127.0.0.1", port)):
                return port
        pytest.fail("no port is free")

    return find


@dataclass(frozen=True)
class Server:
    """A private PostgreSQL server, reached by a socket in a folder."""

    folder: Path

    def url(self, database: str) -> str:
        return f"postgresql+pg8000://postgres@/{database}?unix_sock={self.folder}/.s.PGSQL.5432"

    def run(self, statement: str) -> None:
        engine = create_engine(self.url("postgres"), isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text(statement))
        engine.dispose()


def _program(name: str) -> str:
    """Return the path of one of PostgreSQL's programs: Debian keeps them out of the search path."""
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}")) or [shutil.which(name)]
    if found[-1] is None:
        pytest.skip(f"PostgreSQL's {name} is not installed")
    return str(found[-1])


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    initdb, postgres = _program("initdb"), _program("postgres")
    # Sockets have short paths, and PostgreSQL refuses to run as root.
    with tempfile.TemporaryDirectory(prefix="miqanet-pg-") as name:
        folder, user = Path(name), []
        if os.geteuid() == 0:
            shutil.chown(folder, "postgres", "postgres")
            user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
        data = folder / "data"
        subprocess.run(
            [*user, initdb, "--auth=trust", "--username=postgres", "--no-sync", "--pgdata", data],
            check=True,
            capture_output=True,
            cwd=folder,
        )
        settings = ["-c", "listen_addresses=", "-c", "fsync=off", "-k", folder]
        process = subprocess.Popen(
            [*user, postgres, "-D", data, *settings], cwd=folder, stderr=subprocess.DEVNULL
        )
        try:
            server = Server(folder)
            _wait_for(server, process)
            yield server
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(timeout=300)


def _wait_for(server: Server, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 300
    while True:
        try:
            return server.run("SELECT 1")
        except DBAPIError:
            # No socket yet, or one that says that the server is starting up.
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.1)


@pytest.fixture
def postgresql_url(server: Server) -> Iterator[str]:
    """The URL of an empty database on a PostgreSQL server."""
    name = f"test_{uuid.uuid4().hex}"
    server.run(f"CREATE DATABASE {name}")
    yield server.url(name)
    # Who was killed may still be connected for a moment.
    server.run(f"DROP DATABASE {name} WITH (FORCE)")

"""The process group of a node: its parts are started, and started again whenever they end.

The parts are built to be killed, so that is how they are stopped.
"""

from __future__ import annotations

import logging
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from filelock import FileLock, Timeout
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from miqanet.hospital.audit import AuditTrail
from miqanet.hospital.config import Config
from miqanet.hospital.node_database import open_node_database, upgrade_node_database
from miqanet.hospital.part import Part
from miqanet.screening.card import Card, default_weights

RESTART_SECONDS: Final = 1.0
_STOP_SECONDS: Final = 10.0

log = logging.getLogger(__name__)


class NodeError(Exception):
    """The node cannot start; the message says what to do."""


def run_node(config: Config, file: Path) -> None:
    """Run a node until it is told to stop, by SIGTERM or SIGINT.

    Args:
        config: checked.
        file: where it was read from; the parts read it, too.

    Raises:
        NodeError: there is another node in the spool folder, or the database cannot be opened.
        WeightsError: the network of the configuration has no card that can be used.
    """
    Card.read(config.judging.weights or default_weights())
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with _locked(config.storage.spool):
        engine = _database(config.storage.database_url)
        trail = AuditTrail(engine, config.dicom.ae_title)
        _note(trail, started=True)
        threads = [threading.Thread(target=_keep_up, args=(part, file, stop)) for part in Part]
        for thread in threads:
            thread.start()
        log.info("started: DICOM on port %d, web on port %d", config.dicom.port, config.web.port)
        for thread in threads:
            thread.join()
        _note(trail, started=False)
        engine.dispose()
    log.info("stopped")


def _keep_up(part: Part, file: Path, stop: threading.Event) -> None:
    """Run a part, and another time when it ends."""
    while not stop.is_set():
        try:
            with _started(part, file) as process:
                while process.poll() is None and not stop.wait(0.1):
                    pass
                if process.poll() is not None:
                    log.error("%s has ended (%d) and is started again", part, process.returncode)
        except OSError as error:
            # Of memory, say, that comes back once another part has ended.
            log.error("%s cannot be started yet: %s", part, error.strerror)
        stop.wait(RESTART_SECONDS)


@contextmanager
def _started(part: Part, file: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Start a part, which ends at the latest with this process: its standard input is a pipe that closes then."""
    process = subprocess.Popen(  # noqa: S603
        [sys.executable, "-m", "miqanet.hospital.part_process", part, file],
        stdin=subprocess.PIPE,
        # Ctrl-C is for this process, which tells the parts.
        start_new_session=True,
    )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdin is not None:
            process.stdin.close()


@contextmanager
def _locked(spool: Path) -> Iterator[None]:
    """Keep another node out of the spool folder; the lock goes with the process, however that ends."""
    try:
        spool.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = FileLock(spool / "lock", mode=0o600).acquire(timeout=0)
    except Timeout:
        raise NodeError(f"another node is at work in {spool}") from None
    except OSError as error:
        raise NodeError(f"the spool folder {spool} cannot be used: {error.strerror}") from error
    with lock:
        yield


def _database(url: str) -> Engine:
    """Return the engine of the node's database, at the newest revision."""
    try:
        engine = open_node_database(url)
        upgrade_node_database(engine)
    except (ValueError, SQLAlchemyError) as error:
        # Not in its own words, which may hold the URL's password.
        raise NodeError(f"the node's database cannot be opened ({type(error).__name__})") from error
    return engine


def _note(trail: AuditTrail, *, started: bool) -> None:
    """Say in the audit trail that the node starts or stops; its last word is handed over at the next start."""
    try:
        trail.application(started=started)
    except SQLAlchemyError as error:
        log.error("the audit trail lacks the node's start or stop: %s", type(error).__name__)

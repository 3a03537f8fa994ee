"""Audit messages as syslog: RFC 5424 lines, over TLS (RFC 5425) after DICOM PS3.15, A.6, or in a file."""

from __future__ import annotations

import os
import socket
import ssl
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, Final, Protocol, Self

from miqanet.hospital.config import AuditFile, AuditSyslog
from miqanet.hospital.tls import client_context

_PRIORITY: Final = 10 * 8 + 5
"""Facility security/authorization, severity notice, as A.6 wants it."""

_MESSAGE_ID: Final = "DICOM+RFC3881"
_APPLICATION: Final = "miqanet"
_UTF_8: Final = "\ufeff"
"""Begins a message in UTF-8 (RFC 5424, 6.4)."""

_TIMEOUT_SECONDS: Final = 30.0


class Target(Protocol):
    """Where audit messages go."""

    def write(self, lines: Sequence[str]) -> None:
        """Hand over messages, all or, with an OSError, possibly some of them."""


def syslog_line(content: str, time: float, host: str) -> str:
    """Return a message as RFC 5424 wants it, without its end."""
    stamp = datetime.fromtimestamp(time, UTC).isoformat(timespec="milliseconds")
    return f"<{_PRIORITY}>1 {stamp} {host} {_APPLICATION} {os.getpid()} {_MESSAGE_ID} - {_UTF_8}{content}"


def host_name() -> str:
    """Return this machine's name, as a syslog header can hold it."""
    name = "".join(c for c in socket.gethostname() if c.isascii() and c.isprintable() and c != " ")
    return name[:255] or "-"


def open_target(audit: AuditFile | AuditSyslog) -> Target:
    """Return what the configuration names; nothing is opened yet."""
    return FileTarget(audit.path) if isinstance(audit, AuditFile) else SyslogTarget(audit)


class FileTarget:
    """A file that only its owner reads; messages are on the disk when `write` returns."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def write(self, lines: Sequence[str]) -> None:
        """Append messages, a line each."""
        # Opened anew each time, so that the file can be rotated.
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(descriptor, "r+b") as file:
            # What a full disk or a kill has cut off shall not run into the next line.
            end = b"\n" if _is_torn(file) else b""
            file.write(end + b"".join(f"{line}\n".encode() for line in lines))
            file.flush()
            os.fsync(file.fileno())


class SyslogTarget:
    """A syslog server over TLS that is certified by the authorities of the configuration."""

    def __init__(self, server: AuditSyslog) -> None:
        self._server = server
        self._context = client_context(server.authorities)
        self._connection: ssl.SSLSocket | None = None

    def write(self, lines: Sequence[str]) -> None:
        """Send messages, each with its length before it; on an error the next call connects again."""
        frames = [f"{len(line.encode())} ".encode() + line.encode() for line in lines]
        try:
            connection = self._connected()
            connection.sendall(b"".join(frames))
        except OSError:
            self.close()
            raise

    def close(self) -> None:
        """Close the connection, if there is one."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _connected(self) -> ssl.SSLSocket:
        # RFC 5425 has no acknowledgment: a server that has gone is noticed by what it sends, its end of stream.
        if self._connection is not None and _has_ended(self._connection):
            self.close()
        if self._connection is None:
            plain = socket.create_connection((self._server.host, self._server.port), _TIMEOUT_SECONDS)
            try:
                self._connection = self._context.wrap_socket(plain, server_hostname=self._server.host)
            except OSError:
                plain.close()
                raise
        return self._connection


def _has_ended(connection: ssl.SSLSocket) -> bool:
    connection.settimeout(0.0)
    try:
        return connection.recv(1) == b""
    except ssl.SSLWantReadError:
        return False
    except OSError:
        return True
    finally:
        connection.settimeout(_TIMEOUT_SECONDS)


def _is_torn(file: BinaryIO) -> bool:
    """Return whether a file ends in the middle of a line."""
    if file.seek(0, os.SEEK_END) == 0:
        return False
    file.seek(-1, os.SEEK_END)
    return file.read(1) != b"\n"

from __future__ import annotations

import contextlib
import shutil
import socket
import ssl
import subprocess
import threading

import pytest

from miqanet.hospital.audit_syslog import SyslogTarget, host_name, open_target, syslog_line
from miqanet.hospital.config import AuditFile, AuditSyslog

pytestmark = pytest.mark.system


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate of localhost, signed by itself, and its key in one file."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    folder = tmp_path_factory.mktemp("tls")
    key, path = folder / "key.pem", folder / "certificate.pem"
    subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    subprocess.run(
        ["openssl", "req", "-x509", *kind, *subject, "-keyout", key, "-out", path],
        check=True,
        capture_output=True,
    )
    return path, key


class Server:
    """A syslog server over TLS that serves one connection after another."""

    def __init__(self, certificate):
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(*certificate)
        self._socket = socket.create_server(("localhost", 0))
        self.port = self._socket.getsockname()[1]

    def read(self, count):
        """Accept one connection and return what comes, in the background, until so many messages are there."""
        messages = []

        def serve():
            plain, _ = self._socket.accept()
            # A client that refuses our certificate says so.
            with plain, contextlib.suppress(ssl.SSLError):
                connection = self._context.wrap_socket(plain, server_side=True)
                with connection, connection.makefile("rb") as file:
                    for _ in range(count):
                        length = b""
                        while (digit := file.read(1)).isdigit():
                            length += digit
                        messages.append(file.read(int(length)).decode())

        thread = threading.Thread(target=serve)
        thread.start()
        return thread, messages

    def close(self):
        self._socket.close()


@pytest.fixture
def server(certificate):
    running = Server(certificate)
    yield running
    running.close()


def test_messages_are_framed_by_their_length_in_octets(server, certificate):
    lines = [syslog_line(text, 1e9, host_name()) for text in ("<a/>", "<ä/>")]
    thread, messages = server.read(2)
    with SyslogTarget(AuditSyslog("localhost", server.port, certificate[0])) as target:
        target.write(lines)
        thread.join(300)
    assert messages == lines


def test_after_the_server_has_gone_the_next_call_connects_again(server, certificate):
    with SyslogTarget(AuditSyslog("localhost", server.port, certificate[0])) as target:
        for number in range(2):
            thread, messages = server.read(1)
            target.write([f"line {number}"])
            thread.join(300)
            assert messages == [f"line {number}"]


def test_a_server_that_nobody_vouches_for_gets_nothing(server, certificate):
    # localhost's certificate does not name this address.
    thread, messages = server.read(1)
    with (
        SyslogTarget(AuditSyslog("127.0.0.1", server.port, certificate[0])) as target,
        pytest.raises(ssl.SSLCertVerificationError),
    ):
        target.write(["secret"])
    thread.join(300)
    assert messages == []


def test_the_configuration_names_the_target(certificate, tmp_path):
    open_target(AuditFile(tmp_path / "audit.log")).write(["line"])
    assert (tmp_path / "audit.log").read_text() == "line\n"
    # A disk that was full has cut off the next one, which is repeated.
    with (tmp_path / "audit.log").open("a") as file:
        file.write("ne")
    open_target(AuditFile(tmp_path / "audit.log")).write(["next", "last"])
    assert (tmp_path / "audit.log").read_text() == "line\nne\nnext\nlast\n"
    assert isinstance(open_target(AuditSyslog("localhost", 1, certificate[0])), SyslogTarget)

from __future__ import annotations

import shutil
import socket
import ssl
import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from miqanet.hospital.config import Tls, Web, WebTls
from miqanet.hospital.rest import uvicorn_config
from miqanet.hospital.settings_table import ConfigError
from miqanet.hospital.tls import client_context, server_context


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    """Two authorities, each with a certificate of 127.0.0.1."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    folder = tmp_path_factory.mktemp("certificates")

    def openssl(*arguments):
        subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)

    (folder / "names").write_text("subjectAltName=IP:127.0.0.1\n", encoding="utf-8")
    for name in ("hospital", "stranger"):
        # RSA, with which there are ciphers without forward secrecy.
        key = ["-newkey", "rsa:2048", "-nodes"]
        openssl(
            "req",
            "-x509",
            *key,
            "-subj",
            f"/CN={name}",
            "-keyout",
            f"{name}-ca.key",
            "-out",
            f"{name}-ca.pem",
        )
        openssl("req", *key, "-subj", "/CN=127.0.0.1", "-keyout", f"{name}.key", "-out", f"{name}.csr")
        openssl(
            "x509", "-req", "-in", f"{name}.csr", "-CA", f"{name}-ca.pem", "-CAkey", f"{name}-ca.key",
            "-CAcreateserial", "-extfile", "names", "-out", f"{name}.pem",
        )  # fmt: skip
    return folder


@pytest.fixture
def tls(certificates):
    """Return a maker of the files of one side."""

    def files(name, authority="hospital"):
        return Tls(
            certificates / f"{name}.pem", certificates / f"{name}.key", certificates / f"{authority}-ca.pem"
        )

    return files


def shake_hands(server, client, name="127.0.0.1"):
    """Return version and cipher that two contexts agree on."""
    with socket.create_server(("127.0.0.1", 0)) as listener, ThreadPoolExecutor(1) as pool:

        def answer():
            connection, _ = listener.accept()
            connection.settimeout(120)
            with server.wrap_socket(connection, server_side=True) as secure:
                secure.sendall(b"hello")

        answered = pool.submit(answer)
        with socket.create_connection(listener.getsockname(), timeout=120) as connection:
            try:
                with client.wrap_socket(connection, server_hostname=name) as secure:
                    assert secure.recv(5) == b"hello"
                    return secure.version(), secure.cipher()[0]
            finally:
                connection.close()
                answered.exception(timeout=120)


def both(tls, **client):
    return (
        server_context(tls("hospital")),
        client_context(tls("hospital").authorities, tls(**client)),
    )


def test_two_sides_that_know_each_other_agree_on_the_newest_version(tls):
    assert shake_hands(*both(tls, name="hospital"))[0] == "TLSv1.3"


def test_the_older_version_has_forward_secrecy_and_authenticated_encryption(tls):
    server, client = both(tls, name="hospital")
    client.maximum_version = ssl.TLSVersion.TLSv1_2
    version, cipher = shake_hands(server, client)
    assert version == "TLSv1.2"
    assert cipher.startswith("ECDHE-")
    assert "GCM" in cipher


@pytest.mark.filterwarnings("ignore:.*deprecated:DeprecationWarning")
def test_versions_that_bcp_195_forbids_are_refused(tls):
    server, client = both(tls, name="hospital")
    client.set_ciphers("ALL:@SECLEVEL=0")
    client.minimum_version = client.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises(OSError, match=r".*"):
        shake_hands(server, client)


@pytest.mark.parametrize("cipher", ["AES256-GCM-SHA384", "ECDHE-RSA-AES256-SHA384"])
def test_ciphers_without_forward_secrecy_or_authentication_are_refused(tls, cipher):
    server, client = both(tls, name="hospital")
    client.maximum_version = ssl.TLSVersion.TLSv1_2
    client.set_ciphers(cipher)
    with pytest.raises(OSError, match=r".*"):
        shake_hands(server, client)
    server.set_ciphers(cipher)
    assert shake_hands(server, client) == ("TLSv1.2", cipher)


def test_the_page_is_served_by_the_same_profile(tls, tmp_path):
    files = tls("hospital")
    web = Web("127.0.0.1", 8042, tmp_path / "tokens", WebTls(files.certificate, files.key), True, None, 1, 1)
    served = uvicorn_config(None, web)
    served.load()
    client = client_context(files.authorities)
    assert shake_hands(served.ssl, client)[0] == "TLSv1.3"
    client.maximum_version = ssl.TLSVersion.TLSv1_2
    assert "GCM" in shake_hands(served.ssl, client)[1]
    client.set_ciphers("AES256-GCM-SHA384")
    with pytest.raises(OSError, match=r".*"):
        shake_hands(served.ssl, client)


def test_files_that_cannot_be_used_are_named(tls, tmp_path):
    files = tls("hospital")
    empty = tmp_path / "empty.pem"
    empty.touch()
    for wrong, named in (
        (replace(files, certificate=empty), "empty.pem and"),
        (replace(files, key=tls("stranger").key), "stranger.key are no certificate in PEM and its key"),
        (replace(files, authorities=empty), "empty.pem holds no certificates"),
    ):
        with pytest.raises(ConfigError, match=named):
            server_context(wrong)


def test_a_caller_whom_the_authority_has_not_certified_is_refused(tls):
    with pytest.raises(OSError, match=r".*"):
        shake_hands(*both(tls, name="stranger"))


def test_a_caller_without_certificate_is_refused(tls):
    server, _ = both(tls, name="hospital")
    with pytest.raises(OSError, match=r".*"):
        shake_hands(server, client_context(tls("hospital").authorities))


def test_a_server_whom_the_authority_has_not_certified_is_refused(tls):
    server = server_context(tls("stranger"))
    with pytest.raises(ssl.SSLCertVerificationError):
        shake_hands(server, client_context(tls("hospital").authorities))


def test_a_server_of_another_name_is_refused(tls):
    server, client = both(tls, name="hospital")
    with pytest.raises(ssl.SSLCertVerificationError):
        shake_hands(server, client, name="localhost")

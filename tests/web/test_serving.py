from __future__ import annotations

import socket
from pathlib import Path

import pytest

from miqanet.web.serving import Address, listen

CERTIFICATE, KEY = Path("certificate.pem"), Path("key.pem")


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "::1", "localhost"])
def test_this_machine_is_served_in_the_clear(host: str) -> None:
    assert not Address(host).https


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "hospital.example", "localhost.example"])  # noqa: S104
def test_other_machines_are_refused_without_tls(host: str) -> None:
    with pytest.raises(ValueError, match=r"certificate and key.*--behind-proxy"):
        Address(host)
    assert Address(host, certificate=CERTIFICATE, key=KEY).https
    assert Address(host, behind_proxy=True).https


def test_a_certificate_needs_its_key() -> None:
    with pytest.raises(ValueError, match="both"):
        Address(certificate=CERTIFICATE)


def test_urls_are_what_a_browser_takes() -> None:
    assert Address().url == "http://127.0.0.1:8000"
    assert Address("::1", 9).url == "http://[::1]:9"
    assert Address("10.0.0.1", 443, CERTIFICATE, KEY).url == "https://10.0.0.1:443"


def test_an_address_that_is_taken_is_an_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = Address(port=taken.getsockname()[1])
        with pytest.raises(OSError, match="in use"):
            listen(address)
    with listen(address) as listening:
        # Else asyncio leaves Nagle's algorithm on, and answers wait for an acknowledgement.
        assert listening.proto == socket.IPPROTO_TCP

"""TLS by the BCP 195 profile (DICOM PS3.15, B.12; RFC 9325): version 1.2 or newer, forward secrecy, AEAD ciphers.

Between application entities both sides show a certificate. A client makes sure that the server's certificate
is of the host that it asked for.
"""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Final

from miqanet.hospital.config import Tls
from miqanet.hospital.settings_table import ConfigError

CIPHERS: Final = ":".join(
    f"ECDHE-{signature}-{cipher}"
    for cipher in ("AES256-GCM-SHA384", "AES128-GCM-SHA256")
    for signature in ("ECDSA", "RSA")
)
"""Of TLS 1.2 (RFC 9325, 4.2); those of 1.3 are all fit."""


def server_context(tls: Tls) -> ssl.SSLContext:
    """Return the context of a server that lets in whom the authorities have certified.

    Raises:
        ConfigError: a file is no certificate or key, or the key is of another certificate.
    """
    context = _restricted(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER))
    _load_own(context, tls)
    _load_authorities(context, tls.authorities)
    context.verify_mode = ssl.CERT_REQUIRED
    return context


def client_context(authorities: Path | None, tls: Tls | None = None) -> ssl.SSLContext:
    """Return the context of a client.

    Args:
        authorities: certificates of those whom the server must be certified by; None takes the system's.
        tls: files of the certificate that the client shows, if it shows one.

    Raises:
        ConfigError: a file is no certificate or key, or the key is of another certificate.
    """
    context = _restricted(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
    if authorities is None:
        context.load_default_certs()
    else:
        _load_authorities(context, authorities)
    if tls is not None:
        _load_own(context, tls)
    return context


def _restricted(context: ssl.SSLContext) -> ssl.SSLContext:
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(CIPHERS)
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION
    return context


def _load_own(context: ssl.SSLContext, tls: Tls) -> None:
    try:
        # Without the answer, OpenSSL would ask a terminal for the password of a key.
        context.load_cert_chain(tls.certificate, tls.key, password="")
    except OSError as error:
        raise ConfigError(
            f"{tls.certificate} and {tls.key} are no certificate in PEM and its key without a password: "
            f"{error.strerror}"
        ) from None


def _load_authorities(context: ssl.SSLContext, authorities: Path) -> None:
    try:
        context.load_verify_locations(authorities)
    except OSError as error:
        raise ConfigError(f"{authorities} holds no certificates in PEM: {error.strerror}") from None

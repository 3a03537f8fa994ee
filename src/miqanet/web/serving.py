"""Serving an application: to this machine unless told otherwise, and to others never in the clear."""

from __future__ import annotations

import ipaddress
import socket
import sys
from dataclasses import dataclass
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp

_KEEP_ALIVE_SECONDS = 75
_BACKLOG = 256
_SWITCH_SECONDS = 0.0005
"""A thread that waits for a database gets its turn again after so long at most, not after Python's 5 ms: a vote on a
PostgreSQL server waits a dozen times."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where an application listens, and how browsers reach it."""

    host: str = "127.0.0.1"
    port: int = 8000
    certificate: Path | None = None
    key: Path | None = None
    behind_proxy: bool = False
    """Whether a proxy that speaks HTTPS with browsers stands in front."""

    def __post_init__(self) -> None:
        if (self.certificate is None) != (self.key is None):
            raise ValueError("TLS needs both a certificate and its key")
        if not self.https and not _is_local(self.host):
            raise ValueError(
                f"{self.host} is reached from other machines: give a TLS certificate and key, or say that a proxy "
                "with TLS stands in front (--behind-proxy)"
            )

    @property
    def https(self) -> bool:
        """Whether browsers come by HTTPS."""
        return self.certificate is not None or self.behind_proxy

    @property
    def url(self) -> str:
        """Where the application answers."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http{'s' if self.certificate else ''}://{host}:{self.port}"


def listen(address: Address) -> socket.socket:
    """Return a socket that takes connections from now on; `serve` answers them.

    Raises:
        OSError: somebody else listens there, or the address is not this machine's.
    """
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    # asyncio sends at once (TCP_NODELAY) only where the protocol is named; else answers may wait 40 ms for an ACK.
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((address.host, address.port))
        listening.listen(_BACKLOG)
    except OSError:
        listening.close()
        raise
    return listening


def serve(app: ASGIApp, address: Address, listening: socket.socket) -> None:
    """Answer until interrupted; requests are not logged, since an invitation's link would be.

    Only a proxy on this machine is believed when it tells who asks, or those in FORWARDED_ALLOW_IPS.

    Raises:
        OSError: certificate or key cannot be read.
        KeyboardInterrupt: when what was asked before is answered.
    """
    config = uvicorn.Config(
        app,
        ssl_certfile=address.certificate,
        ssl_keyfile=address.key,
        proxy_headers=address.behind_proxy,
        access_log=False,
        log_level="warning",
        server_header=False,
        ws="none",
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
    )
    sys.setswitchinterval(_SWITCH_SECONDS)
    with listening:
        uvicorn.Server(config).run(sockets=[listening])


def _is_local(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"

"""The node's configuration: `miqanet.toml`, read once and checked as a whole.

Nothing listens beyond this machine unless the file says so, nobody may send who is not listed, and no
secret is in the file itself: keys, tokens and passwords are files of their own that it names. The one
exception is a password within the URL of a database; no record shows it.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from miqanet.hospital.settings_table import ConfigError, Network, Table, is_host

LOCAL: Final = "127.0.0.1"
_LOOPBACK: Final = (ip_network("127.0.0.0/8"), ip_network("::1/128"))
DATABASE_SCHEMES: Final = ("sqlite:///", "postgresql+pg8000://")


@dataclass(frozen=True, slots=True)
class Tls:
    """Files of a TLS connection by the BCP 195 profile (DICOM PS3.15, B.12)."""

    certificate: Path
    key: Path
    authorities: Path
    """Certificates of those whom the other side must be certified by: both sides show who they are."""


@dataclass(frozen=True, slots=True)
class Peer:
    """An application entity that may send."""

    ae_title: str
    addresses: tuple[Network, ...]

    def admits(self, ae_title: str, address: str) -> bool:
        """Return whether a caller is this peer."""
        return ae_title.strip() == self.ae_title and is_within(address, self.addresses)


@dataclass(frozen=True, slots=True)
class Dicom:
    """The Storage SCP."""

    ae_title: str
    bind: str
    port: int
    associations: int
    """Greatest number at once."""

    peers: tuple[Peer, ...]
    tls: Tls | None

    def admits(self, ae_title: str, address: str) -> bool:
        """Return whether a caller may associate."""
        return any(peer.admits(ae_title, address) for peer in self.peers)

    def knows(self, address: str) -> bool:
        """Return whether any peer may have an address."""
        return any(is_within(address, peer.addresses) for peer in self.peers)


@dataclass(frozen=True, slots=True)
class WebTls:
    """Files of the web server's side of TLS."""

    certificate: Path
    key: Path


@dataclass(frozen=True, slots=True)
class Proxy:
    """A web server in front of this one that lets in only users whom it has authenticated.

    It names them in headers. These are believed from the addresses of the proxy and dropped from all others.
    """

    addresses: tuple[Network, ...]
    user_header: str
    groups_header: str
    """Names of groups, apart by commas."""

    readers: frozenset[str]
    """Groups whose members may read."""

    admins: frozenset[str]
    names: frozenset[str]
    """Groups whose members may see names of patients."""

    def is_at(self, address: str) -> bool:
        """Return whether a request from an address comes from the proxy."""
        return is_within(address, self.addresses)


@dataclass(frozen=True, slots=True)
class Web:
    """REST, STOW-RS and the page."""

    bind: str
    port: int
    tokens: Path
    """File of hashed tokens."""

    tls: WebTls | None
    https: bool
    """Whether browsers reach the page by HTTPS: from here, or from a proxy."""

    proxy: Proxy | None
    upload_bytes: int
    """Greatest body of a request that brings images."""

    requests_per_second: int
    """Of each user, in the long run."""


@dataclass(frozen=True, slots=True)
class CStoreArchive:
    """An archive that takes results by C-STORE."""

    name: str
    ae_title: str
    host: str
    port: int
    tls: Tls | None


@dataclass(frozen=True, slots=True)
class StowArchive:
    """An archive that takes results by STOW-RS."""

    name: str
    url: str
    """Of the service, below which `/studies` is."""

    authorization: Path | None
    """File with the value of the HTTP header Authorization."""

    authorities: Path | None
    """Certificates by which the archive must be certified; None takes the system's."""


Archive = CStoreArchive | StowArchive


@dataclass(frozen=True, slots=True)
class Storage:
    """Where the node keeps things, and for how long."""

    spool: Path
    database_url: str = field(repr=False)
    retention_days: int
    """After which received pixels are deleted; verdicts are kept."""


@dataclass(frozen=True, slots=True)
class Judging:
    """Which network judges, and on how much of the machine."""

    weights: Path | None
    """Folder of weights; None takes those that miqanet ships."""

    threads: int
    """Processor threads of inference; 0 takes all."""


@dataclass(frozen=True, slots=True)
class Results:
    """What is made of verdicts, and when."""

    idle_seconds: int
    """A series is complete when no image of it has come for so long."""

    heat_maps: bool
    """Whether a Secondary Capture of the worst image goes to the archives."""


@dataclass(frozen=True, slots=True)
class AuditFile:
    """Audit messages appended to a file."""

    path: Path


@dataclass(frozen=True, slots=True)
class AuditSyslog:
    """Audit messages to a syslog server over TLS (DICOM PS3.15, A.6; RFC 5425)."""

    host: str
    port: int
    authorities: Path


@dataclass(frozen=True, slots=True)
class Config:
    """All that `miqanet.toml` says."""

    dicom: Dicom
    web: Web
    storage: Storage
    judging: Judging
    results: Results
    archives: tuple[Archive, ...]
    audit: AuditFile | AuditSyslog


def is_within(address: str, networks: Iterable[Network]) -> bool:
    """Return whether an address is of one of some networks."""
    try:
        caller = ip_address(address)
    except ValueError:
        # Of a socket without addresses, such as one in the file system.
        return False
    # An IPv6 socket says ::ffff:10.0.3.17 of 10.0.3.17.
    caller = getattr(caller, "ipv4_mapped", None) or caller
    return any(caller in network for network in networks)


def read_config(path: Path) -> Config:
    """Read a configuration.

    Raises:
        ConfigError: the file cannot be read, or a key of it cannot be used.
    """
    try:
        with path.open("rb") as file:
            root = Table(tomllib.load(file), path)
    except OSError as error:
        raise ConfigError(f"cannot read the configuration {path}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is no TOML file: {error}") from error
    config = Config(
        dicom=_dicom(root.table("dicom")),
        web=_web(root.table("web")),
        storage=_storage(root.table("storage")),
        judging=_judging(root.table("judging")),
        results=_results(root.table("results")),
        archives=_archives(root),
        audit=_audit(root.table("audit")),
    )
    root.finish()
    return config


def _dicom(table: Table) -> Dicom:
    dicom = Dicom(
        ae_title=table.ae_title("ae_title", "MIQANET"),
        bind=table.host("bind", LOCAL),
        port=table.port("port", 11112),
        # pynetdicom looks at connections by `select`, for which a file's number is below 1024.
        associations=table.number("associations", 64, most=256),
        peers=tuple(_peer(peer) for peer in table.tables("peers")),
        tls=_tls(table),
    )
    if not dicom.peers:
        raise table.error(
            "peers", "name at least one sender, with ae_title and addresses, in [[dicom.peers]]"
        )
    table.finish()
    return dicom


def _peer(table: Table) -> Peer:
    peer = Peer(table.ae_title("ae_title"), table.networks("addresses"))
    table.finish()
    return peer


def _tls(table: Table) -> Tls | None:
    if "tls" not in table:
        return None
    files = table.table("tls")
    tls = Tls(*(files.existing_file(key) for key in ("certificate", "key", "authorities")))
    files.finish()
    return tls


def _web(table: Table) -> Web:
    tls = _web_tls(table)
    web = Web(
        bind=table.host("bind", LOCAL),
        port=table.port("port", 8042),
        tokens=table.path("tokens", "tokens"),
        tls=tls,
        https=table.flag("https", default=False) or tls is not None,
        proxy=_proxy(table),
        upload_bytes=table.number("upload_megabytes", 512, most=65_536) * 1_000_000,
        requests_per_second=table.number("requests_per_second", 100, most=100_000),
    )
    if not web.https and web.bind != "localhost" and not is_within(web.bind, _LOOPBACK):
        raise table.error(
            "bind",
            "other machines would reach the page in the clear: name a certificate in [web.tls], or write "
            "https = true where a proxy with TLS stands in front",
        )
    table.finish()
    return web


def _web_tls(table: Table) -> WebTls | None:
    if "tls" not in table:
        return None
    files = table.table("tls")
    tls = WebTls(files.existing_file("certificate"), files.existing_file("key"))
    files.finish()
    return tls


def _proxy(table: Table) -> Proxy | None:
    if "proxy" not in table:
        return None
    proxy = table.table("proxy")
    read = Proxy(
        addresses=proxy.networks("addresses"),
        user_header=proxy.text("user_header", "X-Forwarded-User"),
        groups_header=proxy.text("groups_header", "X-Forwarded-Groups"),
        readers=proxy.names("readers"),
        admins=proxy.names("admins"),
        names=proxy.names("names"),
    )
    proxy.finish()
    return read


def _storage(table: Table) -> Storage:
    spool = table.path("spool")
    database_url = table.text("database_url", f"sqlite:///{spool / 'node.sqlite'}")
    if not database_url.startswith(DATABASE_SCHEMES):
        raise table.error("database_url", f"it begins with {' or '.join(DATABASE_SCHEMES)}")
    storage = Storage(spool, database_url, table.number("retention_days", 7))
    table.finish()
    return storage


def _judging(table: Table) -> Judging:
    weights = table.path("weights") if "weights" in table else None
    judging = Judging(weights, table.number("threads", 0, least=0))
    table.finish()
    return judging


def _results(table: Table) -> Results:
    results = Results(table.number("idle_seconds", 20), table.flag("heat_maps", default=False))
    table.finish()
    return results


def _archives(root: Table) -> tuple[Archive, ...]:
    archives: dict[str, Archive] = {}
    for table in root.tables("archives"):
        name = table.text("name")
        if name in archives:
            raise table.error("name", f"two archives are called {name!r}")
        archives[name] = _stow_archive(name, table) if "url" in table else _c_store_archive(name, table)
        table.finish()
    return tuple(archives.values())


def _c_store_archive(name: str, table: Table) -> CStoreArchive:
    return CStoreArchive(
        name, table.ae_title("ae_title"), table.host("host"), table.port("port"), _tls(table)
    )


def _stow_archive(name: str, table: Table) -> StowArchive:
    url = table.text("url").rstrip("/")
    if not _is_http(url):
        raise table.error("url", "write it as https://HOST or http://HOST, with :PORT and a path if need be")
    return StowArchive(
        name,
        url,
        table.existing_file("authorization") if "authorization" in table else None,
        table.existing_file("authorities") if "authorities" in table else None,
    )


def _is_http(url: str) -> bool:
    try:
        parts = urlsplit(url)
        # Looked at, a port that is none raises an error.
        return parts.scheme in ("https", "http") and is_host(parts.hostname or "") and parts.port != 0
    except ValueError:
        return False


def _audit(table: Table) -> AuditFile | AuditSyslog:
    audit: AuditFile | AuditSyslog
    if "syslog" in table:
        audit = AuditSyslog(
            table.host("syslog"), table.port("port", 6514), table.existing_file("authorities")
        )
    else:
        audit = AuditFile(table.path("file", "audit.log"))
    table.finish()
    return audit

"""Tables of a TOML file, read with errors that name the key and say what to write instead."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Any, Self

Network = IPv4Network | IPv6Network


class ConfigError(ValueError):
    """The configuration cannot be used; the message names the file, the key and the remedy."""


class Table:
    """A table whose keys are taken one by one; what nobody takes is unknown, and an error."""

    def __init__(self, values: dict[str, Any], file: Path, name: str = "") -> None:
        self._values = dict(values)
        self._file = file
        self._name = name

    def __contains__(self, key: str) -> bool:
        return key in self._values

    def text(self, key: str, default: str | None = None) -> str:
        """Take a text that is not empty."""
        value = self._take(key, default)
        if not isinstance(value, str) or not value.strip():
            raise self.error(key, "write a text in quotes")
        return value

    def ae_title(self, key: str, default: str | None = None) -> str:
        """Take an application entity's title (DICOM PS3.5, VR AE)."""
        value = self.text(key, default).strip()
        if len(value) > 16 or not value.isascii() or not value.isprintable() or "\\" in value:
            raise self.error(key, "an AE title has at most 16 ASCII characters and no backslash")
        return value

    def host(self, key: str, default: str | None = None) -> str:
        """Take the name or address of a machine."""
        value = self.text(key, default).strip()
        if not is_host(value):
            raise self.error(key, "write the name of a machine, or its IP address")
        return value

    def number(self, key: str, default: int | None = None, least: int = 1, most: int = 2**31 - 1) -> int:
        """Take a whole number."""
        value = self._take(key, default)
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise self.error(key, f"write a whole number from {least} to {most}")
        return value

    def port(self, key: str, default: int | None = None) -> int:
        """Take a TCP port."""
        return self.number(key, default, most=65535)

    def flag(self, key: str, default: bool) -> bool:
        """Take true or false."""
        value = self._take(key, default)
        if not isinstance(value, bool):
            raise self.error(key, "write true or false, without quotes")
        return value

    def path(self, key: str, default: str | None = None) -> Path:
        """Take a path; a relative one is below the folder of the file."""
        return self._file.parent / Path(self.text(key, default)).expanduser()

    def existing_file(self, key: str) -> Path:
        """Take the path of a file that is there."""
        path = self.path(key)
        try:
            there = path.is_file()
        except PermissionError:
            there = False
        if not there:
            raise self.error(key, f"there is no file {path} that can be read")
        return path

    def networks(self, key: str) -> tuple[Network, ...]:
        """Take a list of addresses and networks, at least one."""
        values = self._take(key, None)
        try:
            networks = tuple(ip_network(value, strict=False) for value in values if isinstance(value, str))
        except (TypeError, ValueError):
            networks = ()
        if not networks or len(networks) != len(values):
            raise self.error(key, 'write a list such as ["10.0.3.17", "10.0.4.0/24"]')
        return networks

    def names(self, key: str) -> frozenset[str]:
        """Take a list of names, none where there is none."""
        values = self._take(key, [])
        if not isinstance(values, list) or not all(isinstance(value, str) and value for value in values):
            raise self.error(key, 'write a list such as ["radiology"]')
        return frozenset(values)

    def table(self, key: str) -> Self:
        """Take a table, empty where there is none."""
        return self._sub(key, self._take(key, {}), self._named(key))

    def tables(self, key: str) -> list[Self]:
        """Take an array of tables, none where there is none."""
        values = self._take(key, [])
        if not isinstance(values, list):
            raise self.error(key, f"write it as an array of tables, [[{self._named(key)}]]")
        return [
            self._sub(key, value, f"{self._named(key)}[{number}]") for number, value in enumerate(values, 1)
        ]

    def finish(self) -> None:
        """Make sure that every key was taken."""
        for key in self._values:
            raise self.error(key, "there is no such key; look for a misspelling")

    def error(self, key: str, remedy: str) -> ConfigError:
        """Return an error about a key."""
        return ConfigError(f"{self._file}: {self._named(key)}: {remedy}")

    def _take(self, key: str, default: Any) -> Any:
        value = self._values.pop(key, default)
        if value is None:
            raise self.error(key, "it is missing, and has no default")
        return value

    def _sub(self, key: str, value: Any, name: str) -> Self:
        if not isinstance(value, dict):
            raise self.error(key, f"write it as a table, [{self._named(key)}]")
        return type(self)(value, self._file, name)

    def _named(self, key: str) -> str:
        return f"{self._name}.{key}" if self._name else key


def is_host(name: str) -> bool:
    """Return whether a name can be one of a machine: sockets raise other errors than theirs at one that cannot."""
    try:
        name.encode("idna")
    except UnicodeError:
        return False
    return bool(name) and name.isprintable() and " " not in name

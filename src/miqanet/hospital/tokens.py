"""Who may ask, and for what: access tokens, told once and kept as hashes in a file.

A line of the file is a user: name, permissions apart by commas, and SHA-256 of the token. The file is read again when
it has changed, so that a token is withdrawn at once.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from filelock import FileLock

from miqanet.hospital.settings_table import ConfigError
from miqanet.web.tokens import new_token, token_hash

_HEADER: Final = "# name permissions sha256-of-token; `miqanet token` writes this file\n"
MOST_NAME_CHARACTERS: Final = 64


class Permission(StrEnum):
    """What a user may do."""

    READ = "read"
    """See series, verdicts and pictures, without names of patients."""

    ADMIN = "admin"
    """Hand in images and let results be sent again at once, beside all that `READ` allows."""

    SEND = "send"
    """Hand in images, and nothing else: for scanners."""

    NAMES = "names"
    """See names of patients where series may be seen."""


class TokenError(ConfigError):
    """The file of tokens cannot be used; the message says which line and why."""


@dataclass(frozen=True, slots=True)
class User:
    """Who asks."""

    name: str
    permissions: frozenset[Permission]

    @property
    def may_read(self) -> bool:
        """Whether series may be shown."""
        return bool(self.permissions & {Permission.READ, Permission.ADMIN})

    @property
    def may_send(self) -> bool:
        """Whether images are taken from this user."""
        return bool(self.permissions & {Permission.SEND, Permission.ADMIN})

    @property
    def is_admin(self) -> bool:
        """Whether this user may change what the node does."""
        return Permission.ADMIN in self.permissions

    @property
    def sees_names(self) -> bool:
        """Whether names of patients may be shown."""
        return self.may_read and Permission.NAMES in self.permissions


class Tokens:
    """The users of a file.

    Args:
        path: a file that is not there has no users.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._state: tuple[int, int] | None = None
        self._users: dict[str, User] = {}

    def user(self, token: str) -> User | None:
        """Return whose token it is, None where it is nobody's.

        Raises:
            TokenError: the file is malformed.
        """
        self._reread()
        # What is looked up is a hash: how long that takes says nothing of the token.
        return self._users.get(token_hash(token))

    def users(self) -> list[User]:
        """Return all users, by name."""
        self._reread()
        return sorted(self._users.values(), key=lambda user: user.name)

    def add(self, name: str, permissions: Iterable[Permission]) -> str:
        """Add a user and return the token, which nobody can find out again.

        Raises:
            TokenError: the name is taken or has characters that the file cannot hold.
        """
        user = User(name, frozenset(permissions))
        if (
            len(name) > MOST_NAME_CHARACTERS
            or not name.isprintable()
            or name.split() != [name]
            or "#" in name
        ):
            raise TokenError(f"a name has 1 to {MOST_NAME_CHARACTERS} characters, and neither spaces nor #")
        with self._alone():
            self._reread()
            if any(each.name == name for each in self._users.values()):
                raise TokenError(f"there is a token of {name} already; remove that first")
            token = new_token()
            self._write(self._users | {token_hash(token): user})
        return token

    def remove(self, name: str) -> None:
        """Withdraw a user's token.

        Raises:
            TokenError: there is none.
        """
        with self._alone():
            self._reread()
            rest = {digest: user for digest, user in self._users.items() if user.name != name}
            if len(rest) == len(self._users):
                raise TokenError(f"there is no token of {name}")
            self._write(rest)

    def _alone(self) -> FileLock:
        """Return what keeps others from changing the file meanwhile: what they had read would come back."""
        return FileLock(self._path.with_name(f".{self._path.name}.lock"), mode=0o600)

    def _reread(self) -> None:
        try:
            status = self._path.stat()
            state = (status.st_mtime_ns, status.st_ino)
            if state != self._state:
                self._users = _parse(self._path)
                self._state = state
        except FileNotFoundError:
            self._state, self._users = None, {}

    def _write(self, users: dict[str, User]) -> None:
        lines = [
            f"{user.name} {','.join(sorted(user.permissions))} {digest}\n" for digest, user in users.items()
        ]
        partial = self._path.with_name(f".{self._path.name}.part")
        partial.unlink(missing_ok=True)
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.writelines([_HEADER, *lines])
            file.flush()
            os.fsync(file.fileno())
        partial.replace(self._path)


def _parse(path: Path) -> dict[str, User]:
    users: dict[str, User] = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        fields = line.partition("#")[0].split()
        if not fields:
            continue
        try:
            name, permissions, digest = fields
            users[digest.lower()] = User(name, frozenset(map(Permission, permissions.split(","))))
        except ValueError:
            raise TokenError(
                f"{path}, line {number}: write a name, permissions such as read,names, and a SHA-256"
            ) from None
    return users

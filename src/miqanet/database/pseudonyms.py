"""Pseudonyms by keyed hash: the same person has the same one at every import, and without the key nobody can tell.

HMAC-SHA256 (RFC 2104), cut to 128 bits for UIDs and to 64 for names. A plain hash would not do: patients' numbers
are few enough to be tried one after the other. The key lies in a file of its own, never beside the images.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from pathlib import Path

_KEY_BYTES = 32


class Pseudonyms:
    """Replaces what identifies by what only the holder of the key could trace back."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def name(self, kind: str, identity: str) -> str:
        """Return a name such as `subject-5f0c...`; the same identity has another in each kind."""
        return f"{kind}-{self._digest(kind, identity)[:8].hex()}"

    def uid(self, uid: str) -> str:
        """Return a UID under the root 2.25 (PS3.5, section B.2) for another UID."""
        return f"2.25.{int.from_bytes(self._digest('uid', uid)[:16])}"

    @property
    def fingerprint(self) -> str:
        """What tells this key from another one without giving it away."""
        return self._digest("fingerprint", "")[:8].hex()

    def _digest(self, kind: str, identity: str) -> bytes:
        return hmac.digest(self._key, f"{kind}\0{identity}".encode(errors="surrogateescape"), hashlib.sha256)


def read_key(path: Path) -> bytes:
    """Return the key in a file that `create_key` made.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file holds no key.
    """
    try:
        key = bytes.fromhex(path.read_text(encoding="ascii"))
    except FileNotFoundError:
        raise FileNotFoundError(f"there is no key {path}; --create-key makes one") from None
    except ValueError:
        key = b""
    if len(key) != _KEY_BYTES:
        raise ValueError(f"{path} holds no key: that is {2 * _KEY_BYTES} hexadecimal digits")
    return key


def create_key(path: Path) -> None:
    """Write a new key into a new file that only its owner may read, in a folder such as that where there is none.

    Raises:
        FileExistsError: the file is there already; a key that is lost cannot be made again.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        path.touch(mode=0o600, exist_ok=False)
    except FileExistsError:
        raise FileExistsError(
            f"{path} is there already, and a key is not overwritten; without --create-key it is used"
        ) from None
    path.write_text(secrets.token_hex(_KEY_BYTES) + "\n", encoding="ascii")


def keep_apart(key: Path, *folders: Path) -> None:
    """Make sure that a key lies in none of the folders, where it would travel with what it protects.

    Raises:
        ValueError: it does.
    """
    for folder in folders:
        if key.resolve().is_relative_to(folder.resolve()):
            raise ValueError(f"the key {key} lies in {folder}: keep it elsewhere, apart from the images")

"""Who takes part: a name a line, or a CSV with the columns name and role."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

_ADMINISTRATOR = "admin"
_ROLES = ("", "rater", _ADMINISTRATOR)
_MOST_CHARACTERS = 80


@dataclass(frozen=True, slots=True)
class Invitee:
    """Someone to invite."""

    name: str
    """Best a pseudonym: it is kept with every vote."""

    administrator: bool
    """Watches and does not rate."""


def read_raters(path: Path) -> list[Invitee]:
    """Return who is in a file: a name a line, with `,admin` behind the administrator's.

    A first line `name,role` may say so; empty lines and those that begin with # are left out.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: a line is something else, or a name is there twice; or there is no rater.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise ValueError(f"{path}: not a text file in UTF-8") from None
    invitees: list[Invitee] = []
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        cells = [cell.strip() for cell in next(csv.reader([line]))]
        name, role, *rest = *cells, *([""] * (2 - len(cells)))
        if number == 1 and name.lower() == "name":
            continue
        if any(rest) or role.lower() not in _ROLES:
            raise ValueError(
                f"{path}, line {number}: a line is a name, and `,admin` behind the administrator's"
            )
        if not name or len(name) > _MOST_CHARACTERS or not name.isprintable():
            raise ValueError(
                f"{path}, line {number}: a name has 1 to {_MOST_CHARACTERS} printable characters"
            )
        if name in (each.name for each in invitees):
            raise ValueError(f"{path}, line {number}: {name} is there twice")
        invitees.append(Invitee(name, role.lower() == _ADMINISTRATOR))
    if all(each.administrator for each in invitees):
        raise ValueError(f"{path} names no rater")
    return invitees

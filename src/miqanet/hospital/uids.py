"""Unique identifiers that need no registered root: a UUID as a decimal number below 2.25 (DICOM PS3.5, B.2)."""

from __future__ import annotations

import uuid


def random_uid() -> str:
    """Return an identifier that nobody has had before."""
    return f"2.25.{uuid.uuid4().int}"


def derived_uid(uid: str, name: str) -> str:
    """Return the identifier of what is named `name` within the object `uid`: the same one each time."""
    return f"2.25.{uuid.uuid5(uuid.uuid5(uuid.NAMESPACE_OID, uid), name).int}"

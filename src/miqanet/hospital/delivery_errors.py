"""Why an archive does not have a document yet."""

from __future__ import annotations


class UnreachableError(Exception):
    """The archive takes nothing at present: it cannot be reached, is overloaded or does not let us in."""


class RefusedError(Exception):
    """The archive answers, and does not take this document."""

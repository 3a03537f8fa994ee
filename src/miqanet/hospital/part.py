"""The names of a node's processes."""

from __future__ import annotations

from enum import StrEnum


class Part(StrEnum):
    """A process of a node."""

    RECEIVER = "receiver"
    JUDGE = "judge"
    SENDER = "sender"
    WEB = "web"

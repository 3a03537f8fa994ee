"""pynetdicom without its own logs: they hold what messages hold, and what is wrong is said by those who use it."""

from __future__ import annotations

import logging

from pynetdicom import _config


def silence() -> None:
    """Let pynetdicom be silent from now on."""
    _config.LOG_HANDLER_LEVEL = "none"
    # Above CRITICAL: it logs errors of its users' handlers, too.
    logging.getLogger("pynetdicom").setLevel(logging.CRITICAL + 1)

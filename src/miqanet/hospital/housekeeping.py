"""Deleting what the node need not keep: old pixels, and files that a kill has left behind."""

from __future__ import annotations

import logging
from itertools import islice
from typing import Final

from miqanet.hospital.pictures import Pictures
from miqanet.hospital.spool import Spool
from miqanet.hospital.store import NodeStore

DAY_SECONDS: Final = 86_400.0
STRAY_SECONDS: Final = 3600.0
"""Age from which a file without a row is nobody's: far longer than it takes to write the row."""

_AT_ONCE: Final = 500

log = logging.getLogger(__name__)


def tidy(store: NodeStore, spool: Spool, pictures: Pictures, retention_days: int, now: float) -> int:
    """Delete what is too old or nobody's; return the number of objects deleted.

    Verdicts stay, and so do images that have none yet, however old.
    """
    oldest = now - retention_days * DAY_SECONDS
    deleted = 0
    while paths := store.expired_paths(oldest, _AT_ONCE):
        for path in paths:
            spool.delete(path)
        # After the files: a kill in between leaves rows whose files are deleted once more.
        store.forget_paths(paths)
        deleted += len(paths)
    pictures.expire(oldest)
    strays = spool.written_before(now - STRAY_SECONDS)
    while paths := list(islice(strays, _AT_ONCE)):
        for path in store.unknown_paths(paths):
            spool.delete(path)
            deleted += 1
    spool.drop_empty_days(now)
    if deleted:
        log.info("%d objects deleted", deleted)
    return deleted

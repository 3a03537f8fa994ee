"""How many processors a command may use."""

from __future__ import annotations

import os


def processors() -> int:
    """Return the number of processors that this process may run on, which a container may bound."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1

"""Memory that is freed, kept for what is asked for next."""

from __future__ import annotations

import ctypes
import platform

_M_TRIM_THRESHOLD, _M_MMAP_MAX = -1, -4
"""Parameters of mallopt(3), from glibc's malloc.h."""


def keep_freed_memory() -> None:
    """Let this process keep what it frees rather than give it back to the system; where glibc is its C library.

    A step of training on a processor frees gigabytes and asks for them again. By default, glibc gives blocks as large
    as feature maps back at once, and the system clears each anew, page by page (benchmarks/training_rate.py).
    """
    if platform.libc_ver()[0] == "glibc":
        library = ctypes.CDLL(None)
        library.mallopt(_M_MMAP_MAX, 0)
        library.mallopt(_M_TRIM_THRESHOLD, -1)

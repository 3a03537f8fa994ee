"""A limit to how often someone may ask: token buckets, in memory."""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable

_MOST_KEYS = 10_000
"""Callers remembered; those who were not heard of for longest are forgotten first."""


class RateLimit:
    """Lets every caller do `burst` things at once and `per_second` in the long run.

    Args:
        per_second: how fast a bucket refills.
        burst: how many tokens it holds.
        clock: seconds that never go back.
    """

    def __init__(self, per_second: float, burst: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_second, self._burst, self._clock = per_second, burst, clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait(self, caller: str) -> int:
        """Return for how many whole seconds a caller has to wait; 0 if there is a token left."""
        missing = 1 - self._tokens(caller)
        return math.ceil(missing / self._per_second) if missing > 0 else 0

    def spend(self, caller: str) -> None:
        """Take a token from a caller, if there is one."""
        self._buckets[caller] = (max(self._tokens(caller) - 1, 0.0), self._clock())
        self._buckets.move_to_end(caller)
        if len(self._buckets) > _MOST_KEYS:
            self._buckets.popitem(last=False)

    def _tokens(self, caller: str) -> float:
        tokens, since = self._buckets.get(caller, (self._burst, self._clock()))
        return min(self._burst, tokens + (self._clock() - since) * self._per_second)

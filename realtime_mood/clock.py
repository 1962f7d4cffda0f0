"""The program's monotonic clock (s), and its offset to the clocks that devices stamp with."""

from __future__ import annotations

import time
from collections.abc import Callable

Clock = Callable[[], float]

now: Clock = time.monotonic


def offset_to(foreign: Clock, tries: int = 5) -> float:
    """Offset (s) from the clock `foreign` to ours: the most precise of `tries` measurements."""
    best = (float("inf"), 0.0)
    for _ in range(tries):
        before = now()
        stamp = foreign()
        after = now()
        best = min(best, (after - before, (before + after) / 2 - stamp))
    return best[1]

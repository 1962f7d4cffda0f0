"""The program's monotonic clock (s), and its offset to the clocks that devices stamp with."""

from __future__ import annotations

import time
from collections.abc import Callable

Clock = Callable[[], float]

now: Clock = time.monotonic


def offset_to(foreign: Clock, tries: int = 5) -> float:
    """Offset (s) from the clock `foreign` to ours: the most precise of `tries` measurements."""
    measured = [(now(), foreign(), now()) for _ in range(tries)]
    before, stamp, after = min(measured, key=lambda times: times[2] - times[0])
    return (before + after) / 2 - stamp

"""Summary of measured delays: median, 5 to 95 %, and the one farthest from the median."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class Spread(NamedTuple):
    """Delays of `n` events (ms)."""

    n: int
    median_ms: float
    p5_ms: float
    p95_ms: float
    max_ms: float  # largest distance from the median

    @property
    def jitter_ms(self) -> float:
        """The range of the middle 90 % (ms)."""
        return self.p95_ms - self.p5_ms


def spread_of(delays_s: np.ndarray) -> Spread | None:
    """The summary of delays, (n,) in seconds; None where there are none."""
    if not len(delays_s):
        return None
    ms = 1e3 * np.asarray(delays_s, np.float64)
    low, median, high = np.percentile(ms, (5, 50, 95)).tolist()
    return Spread(len(ms), median, low, high, float(np.abs(ms - median).max()))

"""Arrival times of chunks, and from them latency, how long to wait for samples, and which data are old."""

from __future__ import annotations

from collections import deque

import numpy as np

from ..types import Chunk, StreamInfo

STALE_S = 1.0  # readings are stale after this long without data, and after
STALE_CHUNKS = 3  # chunk intervals, whichever is longer


class Arrivals:
    """Written by the acquisition thread, read by the processing thread; every step is one atomic deque operation."""

    def __init__(self, info: StreamInfo) -> None:
        self._info = info
        self._ends: deque[tuple[int, float]] = deque(maxlen=4096)  # (index after the chunk, its arrival time)
        self._intervals: deque[float] = deque(maxlen=100)  # between chunks, s
        self._ages: deque[float] = deque(maxlen=100)  # of the newest sample when its chunk arrived, s

    def note(self, chunk: Chunk, now: float) -> None:
        """Note that a chunk arrived at `now` (s, our clock)."""
        if self._ends:
            self._intervals.append(now - self._ends[-1][1])
        self._ages.append(now - chunk.t_last)
        self._ends.append((chunk.end, now))

    def of(self, end: int, default: float) -> float:
        """Arrival time of the chunk with sample ``end - 1``. Forgets earlier ones."""
        while len(self._ends) > 1 and self._ends[0][0] < end:
            self._ends.popleft()
        return self._ends[0][1] if self._ends else default

    def patience(self) -> float:
        """Time without samples after which readings are stale (s). Chunks may be rare, or arrive in bursts."""
        intervals = tuple(self._intervals)
        usual = float(np.percentile(intervals, 90)) if len(intervals) >= 10 else 0.0
        return max(STALE_S, STALE_CHUNKS * max(self._info.chunk_s, usual))

    def is_old(self, age: float) -> bool:
        """Whether a newest sample of that `age` (s) exceeds the device's usual delay, as in a backlog."""
        usual = float(np.median(tuple(self._ages))) if self._ages else 0.0
        return age - usual > self.patience()

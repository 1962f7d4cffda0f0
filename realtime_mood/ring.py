"""Ring buffer of the newest samples, addressed by absolute sample index."""

from __future__ import annotations

import threading
from collections import deque

import numpy as np

from .errors import Overrun
from .types import Chunk, Impedance, StreamInfo


class RingBuffer:
    """One writer, many readers; readers get copies.

    Sample ``i`` of the last `capacity` is in row ``i % capacity`` and is readable while ``oldest <= i < end``.
    Samples known to be lost are rows of NaN, so an index is always stream time.
    """

    def __init__(self, info: StreamInfo, capacity: int) -> None:
        if capacity < 1:
            raise ValueError(f"capacity must be at least 1 sample, got {capacity}")
        self.info, self.capacity, self.end = info, capacity, 0
        self.t_last, self.arrived = 0.0, 0.0
        """When the newest sample was taken, and when its chunk reached us (s, our clock)."""
        self._rows = np.full((capacity, info.n_chans), np.nan, np.float32)
        self._impedances: deque[Impedance] = deque(maxlen=256)
        self._new = threading.Condition()

    @property
    def oldest(self) -> int:
        return max(0, self.end - self.capacity)

    def write(self, chunk: Chunk, arrived: float = 0.0) -> None:
        """Append `chunk` at its index, NaN for the samples before it; `arrived` is when it reached us (s)."""
        with self._new:
            lost = chunk.first - self.end
            if lost < 0:
                raise ValueError(f"sample {chunk.first} is written already: the ring ends at {self.end}")
            self.t_last, self.arrived = chunk.t_last, arrived
            self._put(np.broadcast_to(np.float32(np.nan), (min(lost, self.capacity), self.info.n_chans)), lost)
            self._put(chunk.data, len(chunk))
            self._impedances.extend(chunk.impedances)
            self._new.notify_all()

    def _put(self, rows: np.ndarray, n: int) -> None:
        tail = rows[-self.capacity :] if n else rows[:0]
        at = (self.end + n - len(tail)) % self.capacity
        head = min(len(tail), self.capacity - at)
        self._rows[at : at + head] = tail[:head]
        self._rows[: len(tail) - head] = tail[head:]
        self.end += n

    def read(self, start: int, stop: int) -> Chunk:
        """A copy of samples ``[start, stop)``.

        Raises `Overrun` if some of them are overwritten or not yet written.
        """
        with self._new:
            if not self.oldest <= start <= stop <= self.end:
                raise Overrun(f"samples [{start}, {stop})", f"the ring holds [{self.oldest}, {self.end})")
            n, at = stop - start, start % self.capacity
            head = min(n, self.capacity - at)
            data = np.concatenate((self._rows[at : at + head], self._rows[: n - head]))
            measured = tuple(it for it in self._impedances if start <= it.index < stop)
            return Chunk(data, start, self.t_last - (self.end - stop) / self.info.sfreq, impedances=measured)

    def copy_older(self, other: RingBuffer, stop: int) -> None:
        """Take the samples before `stop` from another ring of the same stream and size, as far as it has them."""
        with self._new:
            start = max(other.oldest, self.end - self.capacity, 0)
            if start < stop <= self.end:
                self._rows[np.arange(start, stop) % self.capacity] = other.read(start, stop).data

    def latest(self, n: int) -> Chunk:
        """A copy of the newest `n` samples, or as many as there are."""
        with self._new:
            return self.read(max(self.oldest, self.end - n), self.end)

    @property
    def impedance(self) -> Impedance | None:
        """The newest impedances, if the board measures any."""
        with self._new:
            return self._impedances[-1] if self._impedances else None

    def wait_beyond(self, index: int, timeout: float) -> bool:
        """Block until a sample after `index` is written; False on timeout."""
        with self._new:
            return self._new.wait_for(lambda: self.end > index, timeout)

    def wake(self) -> None:
        """Wake every waiting reader."""
        with self._new:
            self._new.notify_all()

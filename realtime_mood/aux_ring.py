"""Ring of the newest samples of a stream beside the EEG, for whatever uses the stream live."""

from __future__ import annotations

import threading
from collections import deque
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .auxiliary import AuxChunk, AuxInfo
from .types import read_only

KEPT_S = 60.0  # seconds that are kept
MOST_BYTES = 32 * 2**20  # and at most so much of it, for streams that send senselessly much
BLOCK_S = 0.5  # chunks are joined to blocks of this length (s), so that reading is cheap


class AuxSamples(NamedTuple):
    """Consecutive samples of one stream."""

    stamps: NDArray[np.float64]
    """(n_times,), s, our clock; they increase, except where the sender's run backwards."""
    values: np.ndarray
    """(n_times, n_chans), in the units of `AuxRing.info`."""


class AuxRing:
    """The last minute of one stream; written by one thread, read by any."""

    def __init__(self, info: AuxInfo) -> None:
        self.info = info
        self._lock = threading.Lock()
        self._blocks: deque[AuxSamples] = deque()
        self._n_bytes = 0

    @property
    def t_last(self) -> float | None:
        """Stamp of the newest sample (s, our clock); None before the first."""
        with self._lock:
            return float(self._blocks[-1].stamps[-1]) if self._blocks else None

    def write(self, chunk: AuxChunk) -> None:
        """Append a chunk; an empty one changes nothing."""
        if not len(chunk):
            return
        new = AuxSamples(chunk.stamps, chunk.values)
        with self._lock:
            if self._blocks and new.stamps[-1] - self._blocks[-1].stamps[0] < BLOCK_S:
                last = self._blocks.pop()
                self._n_bytes -= last.values.nbytes
                new = _joined([last, new])
            self._blocks.append(new)
            self._n_bytes += new.values.nbytes
            while len(self._blocks) > 1 and (
                new.stamps[-1] - self._blocks[0].stamps[-1] > KEPT_S or self._n_bytes > MOST_BYTES
            ):
                self._n_bytes -= self._blocks.popleft().values.nbytes

    def since(self, t: float) -> AuxSamples:
        """Samples taken after `t` (s, our clock), oldest first; none of them where there are none."""
        with self._lock:
            blocks = [block for block in self._blocks if block.stamps[-1] > t]
        if not blocks:
            return AuxSamples(np.empty(0), np.empty((0, self.info.n_chans), np.float32))
        stamps, values = _joined(blocks)
        later = stamps > t
        return AuxSamples(read_only(stamps[later], np.float64), read_only(values[later], values.dtype))


def _joined(blocks: list[AuxSamples]) -> AuxSamples:
    stamps, values = (np.concatenate(parts) for parts in zip(*blocks, strict=True))
    return AuxSamples(read_only(stamps, np.float64), read_only(values, values.dtype))

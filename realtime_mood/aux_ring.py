"""Ring of the newest samples of a stream beside the EEG, for whatever uses it live, and for recordings that begin."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import replace
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
        self._blocks: deque[AuxChunk] = deque()
        self._n_bytes = 0
        self._newest: AuxChunk | None = None

    @property
    def t_last(self) -> float | None:
        """Stamp of the newest sample (s, our clock); None before the first."""
        with self._lock:
            return float(self._blocks[-1].stamps[-1]) if self._blocks else None

    def as_sent(self) -> AuxRing:
        """A copy with the sender's stamps in place of ours: of what a recording at another speed carries, its own."""
        copy = AuxRing(self.info)
        with self._lock:
            copy._blocks = deque(replace(block, stamps=block.sent) for block in self._blocks)
        return copy

    def write(self, chunk: AuxChunk) -> None:
        """Append a chunk; an empty one brings a measurement of the sender's clock."""
        with self._lock:
            self._newest = chunk
            if not len(chunk):
                return
            new, last = chunk, self._blocks[-1] if self._blocks else None
            if last is not None and not new.lost and new.stamps[-1] - last.stamps[0] < BLOCK_S:
                self._n_bytes -= _n_bytes(self._blocks.pop())
                new = AuxChunk(
                    np.concatenate([last.values, new.values]), np.concatenate([last.stamps, new.stamps]),
                    np.concatenate([last.sent, new.sent]), last.first, new.clock, last.lost,
                )  # fmt: skip
            self._blocks.append(new)
            self._n_bytes += _n_bytes(new)
            while len(self._blocks) > 1 and (
                new.stamps[-1] - self._blocks[0].stamps[-1] > KEPT_S or self._n_bytes > MOST_BYTES
            ):
                self._n_bytes -= _n_bytes(self._blocks.popleft())

    def since(self, t: float) -> AuxSamples:
        """Samples taken after `t` (s, our clock), oldest first; none of them where there are none."""
        with self._lock:
            blocks = [block for block in self._blocks if block.stamps[-1] > t]
        if not blocks:
            return AuxSamples(np.empty(0), np.empty((0, self.info.n_chans), np.float32))
        stamps = np.concatenate([block.stamps for block in blocks])
        values = np.concatenate([block.values for block in blocks])
        later = stamps > t
        return AuxSamples(read_only(stamps[later], np.float64), read_only(values[later], values.dtype))

    def chunks(self, t: float) -> list[AuxChunk]:
        """All that came from the first sample at or after `t` (s, our clock) on, as it was sent.

        Without such a sample, an empty chunk with the newest measurement of the clock; nothing before there was one.
        """
        with self._lock:
            blocks, newest = list(self._blocks), self._newest
        first = next((k for k, it in enumerate(blocks) if (it.stamps >= t).any()), len(blocks))
        if first < len(blocks):
            return [_from(blocks[first], int(np.argmax(blocks[first].stamps >= t))), *blocks[first + 1 :]]
        return [] if newest is None else [_from(newest, len(newest))]


def _n_bytes(chunk: AuxChunk) -> int:
    return chunk.n_bytes + chunk.stamps.nbytes + chunk.sent.nbytes


def _from(chunk: AuxChunk, at: int) -> AuxChunk:
    """The samples of a chunk from the one at `at` on."""
    lost = 0 if at else chunk.lost
    return AuxChunk(chunk.values[at:], chunk.stamps[at:], chunk.sent[at:], chunk.first + at, chunk.clock, lost)

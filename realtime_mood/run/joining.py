"""A recording that begins in the middle of a run: what the recorder gets of the time before, and a second pipeline.

A replay of the file has to give the readings of the run, and can only begin with the first sample of the file. So a
second pipeline reads the stream from that sample on beside the first one, and takes its place once it has caught up;
what the first one has learnt about the subject goes into the file. See docs/decisions/0038-recording-in-mid-run.md.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from ..contracts import Joining
from ..pipeline import Pipeline
from ..ring import RingBuffer
from ..types import Chunk, Marker

BEFORE_S = 30.0  # seconds before the request that are recorded; filters, windows and quality need about 15 of them
PIECE_S = 1.0


@dataclass
class Succession:
    """A pipeline that has read samples ``[first, at)`` and is to take the present one's place, and the recorder."""

    pipeline: Pipeline
    first: int
    at: int
    tap: Joining
    done: threading.Event = field(default_factory=threading.Event)

    @classmethod
    def begin(cls, pipeline: Pipeline, raw: RingBuffer, taken: int, tap: Joining) -> Succession:
        """Read the stream up to sample `taken`, which the present pipeline has read, with a new `pipeline`."""
        first = max(raw.oldest, taken - round(BEFORE_S * raw.info.sfreq))
        pipeline.eyes = None  # the state of the eyes goes on with the present pipeline until it is succeeded
        found = cls(pipeline, first, first, tap)
        found.catch_up(raw, taken)
        return found

    def catch_up(self, raw: RingBuffer, taken: int) -> None:
        """Read up to sample `taken`."""
        step = round(PIECE_S * raw.info.sfreq)
        while self.at < taken:
            chunk = raw.read(self.at, min(taken, self.at + step))
            self.pipeline.push(chunk)
            self.at = chunk.end

    def succeed(self, old: Pipeline, raw: RingBuffer, taken: int) -> Pipeline:
        """Take the place of `old`, which has read up to sample `taken`; called by the thread that reads."""
        self.catch_up(raw, taken)
        self.tap.join(self.first, old.begun(self.first, taken))
        self.pipeline.succeed(old, taken)
        return self.pipeline


def before(
    raw: RingBuffer, first: int, markers: Sequence[Marker], zero: float
) -> tuple[list[Chunk], list[tuple[Marker, float]]]:
    """The chunks from sample `first` on that are in the ring, with their markers; and the markers of samples to come.

    Where the source is not in real time, stamps are those of a recording at its pace: `zero` is that of sample 0 (s).
    """
    sfreq = raw.info.sfreq
    whole = raw.read(max(first, raw.oldest), raw.end)
    t_last = whole.t_last if raw.info.speed == 1 else zero + (raw.end - 1) / sfreq
    there = np.isfinite(whole.data).any(axis=1)
    edges = np.flatnonzero(np.diff(there, prepend=False, append=False)).reshape(-1, 2).tolist()
    chunks, end = list[Chunk](), whole.first
    for start, stop in edges:
        begin, past = whole.first + start, whole.first + stop
        chunks.append(
            Chunk(
                whole.data[start:stop], begin, t_last - (whole.end - past) / sfreq, begin - end,
                tuple(marker for marker in markers if end <= marker.index < past),
                tuple(it for it in whole.impedances if end <= it.index < past),
            )
        )  # fmt: skip
        end = past
    ahead = [(it, t_last + (it.index + 1 - whole.end) / sfreq) for it in markers if it.index >= whole.end]
    return chunks, ahead

"""Acquisition thread: source → ring buffer, recording and other taps; and the times at which chunks arrived."""

from __future__ import annotations

import math
import sys
import threading
from collections import deque
from collections.abc import Callable
from contextlib import closing
from functools import partial
from typing import TypeVar

import numpy as np

from .. import clock
from ..auxiliary import AuxChunk, AuxInfo, Carrying
from ..contracts import Director, Joining, Source, Stream
from ..errors import StreamEnded
from ..guard import words_of
from ..health import State, Vitals
from ..pipeline import Pipeline
from ..ring import RingBuffer
from ..sources.timing.reconnect import ReconnectingStream
from ..types import Chunk, Marker, StreamInfo
from .aux_intake import CarriedIntakes
from .continuity import Continuity
from .delivery import Delivery, TimedMarker
from .gaze import GazeIntake
from .joining import before

POLL_S = 0.1  # longest wait of a thread between checks of whether to stop
AHEAD_S = 2.0  # how far an unpaced source may run ahead of the pipeline
STALE_S = 1.0  # readings are stale after this long without data, and after
STALE_CHUNKS = 3  # chunk intervals, whichever is longer

MOST_MARKERS = 10_000  # newest ones that are kept, for recordings that begin in the middle of the run

Item = TypeVar("Item")
Build = Callable[[StreamInfo], Pipeline]


class Acquisition:
    """Acquisition of one run: `run` is the body of the thread ``mood-acquire``. For parameters see `Engine`."""

    def __init__(
        self,
        source: Source,
        build: Build,
        delivery: Delivery,
        vitals: Vitals,
        seconds: float | None,
        now: clock.Clock,
        director: Director | None,
        n_also: int,
    ) -> None:
        self._source, self._seconds, self._director = source, seconds, director
        self.delivery, self.vitals, self.now = delivery, vitals, now
        # set when the stream is open or has failed to open, and when nothing writes to the ring any more
        self.ready, self.ended = threading.Event(), threading.Event()
        self.stop = threading.Event()
        self.deadline = math.inf  # deadline for everything once the run is to stop (s, our clock)
        self.raw: RingBuffer | None = None
        self.pipeline: Pipeline | None = None
        self.arrivals: Arrivals
        self.opened = 0.0
        self.taken = 0  # index up to which the processing thread has pushed: an unpaced source waits for it
        self.markers: deque[Marker] = deque(maxlen=MOST_MARKERS)
        self.zero = 0.0  # stamp of sample 0 at the pace of the recording (s, our clock)
        self.joining: deque[tuple[Joining, int]] = deque()  # taps to add before the next chunk, and their first sample
        self.gaze = GazeIntake(vitals)
        self.build = lambda info: self.gaze.equip(build(info))
        self.carried = CarriedIntakes(n_also, partial(self.take_aux, is_carried=True), vitals)

    def run(self) -> None:
        """Open, read and close. An error that ends it for good is the run's fault."""
        try:
            with closing(self._source.open()) as stream:
                self._read(stream)
        except StreamEnded:
            pass
        except Exception as fault:
            if not self.stop.is_set():  # a source that is being stopped may fail
                self.vitals.change(state=State.FAILED, fault=fault)
        finally:
            self.ended.set()
            self.ready.set()
            if self.raw:
                self.raw.wake()

    def _read(self, stream: Stream) -> None:
        info = stream.info
        self.pipeline = self.build(info)
        self.arrivals, self.opened = Arrivals(info), self.now()
        self.delivery.open(info)
        if self._director:
            self._director.open(info)
        self.vitals.change(state=State.LIVE, info=info)
        self.vitals.note(*info.notes)
        self.raw = raw = RingBuffer(info, self.pipeline.clean.capacity)
        self.ready.set()
        end, last = 0, round(self._seconds * info.sfreq) if self._seconds else sys.maxsize
        place = Continuity(info)
        try:
            while not self.stop.is_set() and end < last:
                chunk = stream.read(POLL_S)
                if isinstance(stream, ReconnectingStream):
                    self.vitals.note(*stream.notes)
                    if stream.away_since is not None:
                        self.vitals.move(State.RECONNECTING, State.LIVE, State.STALLED)
                self.delivery.follow()
                whole = None if chunk is None else place(chunk)
                if whole is not None:
                    end = whole.end
                    self.gaze.follow(whole, info)
                self._take_carried(stream)  # first, so that they are there for the readings of these samples
                if whole is not None:
                    self._take(whole.before(last, info.sfreq), raw)
        finally:
            self.vitals.count(lost=place.pending)
            self._take_carried(stream)  # the last of them came with the last sample
            self.carried.end()

    def _before(self, raw: RingBuffer, first: int) -> tuple[list[Chunk], list[TimedMarker]]:
        return before(raw, first, snapshot(self.markers), self.zero)

    def take_aux(self, info: AuxInfo, chunk: AuxChunk, *, is_carried: bool = False) -> None:
        """Take a chunk of a stream beside the EEG, from its thread."""
        self.delivery.take_aux(info, chunk)
        self.gaze.take(info, chunk, is_carried=is_carried)

    def mark(self, marker: Marker, t: float) -> None:
        """Keep a marker from outside the stream, and give it to the taps, with its time `t` (s, our clock)."""
        self.markers.append(marker)
        self.delivery.mark(marker, t)

    def _take_carried(self, stream: Stream) -> None:
        """Take what the device carries beside the EEG; a failure costs these streams only."""
        if not isinstance(stream, Carrying):
            return
        try:
            for info, chunk in stream.beside():
                self.carried.take(info, chunk)
            self.carried.show(not (isinstance(stream, ReconnectingStream) and stream.away_since is not None))
        except Exception as error:
            self.vitals.fault(f"a stream beside the EEG failed: {words_of(error)}")

    def _take(self, chunk: Chunk, raw: RingBuffer) -> None:
        if not len(chunk):
            return
        if self._director:
            chunk = self._director.direct(chunk)
        ahead = round(AHEAD_S * raw.info.sfreq)
        # Wait no longer once everything is taken: a chunk, or the gap before it, may exceed the limit.
        while not raw.info.paced and self.taken < raw.end and chunk.end - self.taken > ahead:
            if self.stop.wait(0.005):
                break
        while self.joining:
            tap, first = self.joining.popleft()
            t = raw.t_last - (raw.end - 0.5 - first) / raw.info.sfreq / raw.info.speed
            self.delivery.add(tap, raw.info, t, partial(self._before, raw, first))
        if not raw.end:
            self.zero = chunk.t_last - (chunk.end - 1) / raw.info.sfreq
        self.delivery.take(chunk)
        arrived = self.now()
        self.arrivals.note(chunk, arrived)
        self.markers.extend(chunk.markers)
        raw.write(chunk, arrived)
        self.vitals.count(samples=len(chunk), lost=chunk.lost)


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


def snapshot(items: deque[Item]) -> tuple[Item, ...]:
    """A copy of a deque that another thread appends to."""
    while True:
        try:
            return tuple(items)
        except RuntimeError:  # it grew meanwhile
            continue

"""Turns a source into a living run: one thread listens, one thinks; everybody else looks at snapshots."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from . import clock
from .arrivals import Arrivals
from .errors import EngineError, EngineStuck, StreamEnded
from .health import Emission, Health, Latency, Sink, State
from .pipeline import MEMORY_S, Pipeline
from .ring import RingBuffer
from .types import Abstained, Chunk, Estimate, Marker, Reading, Source, StreamInfo, Why, Window

__all__ = ["Engine", "Health", "Latency", "State"]

POLL_S = 0.1  # no thread sleeps longer without looking at whether to stop
MAX_LAG_S = 1.0  # a window older than this is skipped when a newer one is there
AHEAD_S = 2.0  # how far an unpaced source may run ahead of the pipeline


class Engine:
    """Run `source` through a pipeline and hand the readings to `sinks`.

    `start` returns at once. Only a source's final fault, or a pipeline that cannot be built, ends a run; it shows in
    `health.fault` and is raised by `stop`, nowhere else. A reading that fails, or a sink, is counted and noted, and
    the run goes on.

    Parameters
    ----------
    source : Source
    build : callable
        Makes the `Pipeline` once the stream's info is known. Called before the first sample is read.
    sinks : sequence of Sink
        Fed from the processing thread.
    max_lag_s : float
        A window older than this is skipped when a newer one is waiting.
    """

    def __init__(
        self,
        source: Source,
        build: Callable[[StreamInfo], Pipeline],
        sinks: Sequence[Sink] = (),
        *,
        max_lag_s: float = MAX_LAG_S,
        now: clock.Clock = clock.now,
    ) -> None:
        self._source, self._build, self._sinks = source, build, list(sinks)
        self._max_lag_s, self._now = max_lag_s, now
        self._lock, self._stop = threading.Lock(), threading.Event()
        self._threads: list[threading.Thread] = []
        self.done = threading.Event()
        self._reset()

    def _reset(self) -> None:
        self._stop.clear()
        self.done.clear()
        self.health = Health()
        self.raw: RingBuffer | None = None
        self.clean: RingBuffer | None = None
        self.latest: Reading | None = None
        self._pipeline: Pipeline | None = None
        self._ended = False  # the source has no more samples
        self._opened = 0.0
        self._arrivals: Arrivals
        self._taken = 0  # index up to which the pipeline has pushed
        self._readings: deque[Reading] = deque(maxlen=round(MEMORY_S / 0.25))
        self._markers: deque[Marker] = deque(maxlen=1000)
        self._latencies: deque[float] = deque(maxlen=4096)

    # -- what others may do -------------------------------------------------------------------------------------

    def start(self) -> None:
        """Begin; raises `EngineError` when already running."""
        if self._threads:
            raise EngineError(
                "start() needs an idle engine", f"this one is {self.health.state.value}", "stop() it first"
            )
        self._reset()
        self._note(state=State.CONNECTING)
        ready = threading.Event()
        self._threads = [
            threading.Thread(target=self._acquire, args=(ready,), name="mood-acquire"),
            threading.Thread(target=self._process, args=(ready,), name="mood-process"),
        ]
        for thread in self._threads:
            thread.start()

    def stop(self, timeout: float = 2.0) -> None:
        """End the run; raises its fault if it had one, or `EngineStuck` naming the threads that did not stop."""
        self._stop.set()
        if self.raw:
            self.raw.wake()
        deadline = clock.now() + timeout
        for thread in self._threads:
            thread.join(max(0.0, deadline - clock.now()))
        if stuck := [thread.name for thread in self._threads if thread.is_alive()]:
            raise EngineStuck(f"stop within {timeout:g} s", f"still running: {', '.join(stuck)}")
        self._threads = []
        if fault := self.health.fault:
            raise fault
        if self.health.state is not State.ENDED:
            self._note(state=State.IDLE)

    def readings(self) -> tuple[Reading, ...]:
        """The readings of the last minute, oldest first."""
        with self._lock:
            return tuple(self._readings)

    @property
    def markers(self) -> tuple[Marker, ...]:
        """The newest markers, oldest first."""
        with self._lock:
            return tuple(self._markers)

    # -- acquisition thread -------------------------------------------------------------------------------------

    def _acquire(self, ready: threading.Event) -> None:
        try:
            stream = self._source.open()
            try:
                # The network is loaded and warmed here, before the first sample is asked for.
                self._pipeline = self._build(stream.info)
                self.clean = self._pipeline.clean
                self.raw = RingBuffer(stream.info, self.clean.capacity)
                self._opened, self._arrivals = self._now(), Arrivals(stream.info)
                self._note(state=State.LIVE, info=stream.info)
                ready.set()
                while not self._stop.is_set():
                    if (chunk := stream.read(POLL_S)) is not None and len(chunk):
                        self._take(chunk, stream.info)
            finally:
                stream.close()
        except StreamEnded:
            pass
        except Exception as fault:
            self._note(state=State.FAILED, fault=fault)
        finally:
            self._ended = True
            ready.set()
            if self.raw:
                self.raw.wake()

    def _take(self, chunk: Chunk, info: StreamInfo) -> None:
        assert self.raw is not None
        ahead = round(AHEAD_S * info.sfreq)
        while not info.paced and chunk.end - self._taken > max(ahead, len(chunk)) and not self._stop.is_set():
            self.raw.wait_beyond(self.raw.end, 0.001)  # nothing is written meanwhile: a short nap
        arrived = self._now()
        self._arrivals.note(chunk, arrived)
        self.raw.write(chunk, arrived)
        with self._lock:
            self._markers.extend(chunk.markers)
            self.health = replace(
                self.health, samples=self.health.samples + len(chunk), lost=self.health.lost + chunk.lost
            )

    # -- processing thread --------------------------------------------------------------------------------------

    def _process(self, ready: threading.Event) -> None:
        try:
            while not ready.wait(POLL_S) and not self._stop.is_set():
                pass
            if (raw := self.raw) is not None and (pipeline := self._pipeline) is not None:
                self._run(raw, pipeline)
        except Exception as fault:  # a bug of ours: say so rather than stand still
            self._note(state=State.FAILED, fault=fault)
            self._stop.set()
        finally:
            if self.health.fault is None and self._ended:
                self._note(state=State.ENDED)
            for sink in self._sinks:
                self._try(f"closing {type(sink).__name__}", partial(sink.close, self.health))
            self.done.set()

    def _run(self, raw: RingBuffer, pipeline: Pipeline) -> None:
        info = raw.info
        next_stale = None
        while not self._stop.is_set():
            if raw.wait_beyond(self._taken, pipeline.spec.hop_s / 5):
                next_stale = None
                if self.health.state is State.STALLED:
                    self._note(state=State.LIVE)
                self._advance(raw, pipeline)
            elif self._ended:
                return
            elif info.paced:
                due = next_stale or (raw.arrived or self._opened) + self._arrivals.patience()
                if self._now() >= due:
                    next_stale = due + pipeline.spec.hop_s
                    self._note(state=State.STALLED)
                    self._stale(raw, pipeline)

    def _advance(self, raw: RingBuffer, pipeline: Pipeline) -> None:
        """Push all that has come, a second at a time, and read the windows it completes."""
        second = round(raw.info.sfreq)
        windows: list[Window] = []
        while self._taken < raw.end and not self._stop.is_set():
            if self._taken < raw.oldest:  # the pipeline stood still for a whole minute; what is gone shows as a hole
                self._note_skip(0, f"{raw.oldest - self._taken} samples were never filtered")
                self._taken = raw.oldest
            chunk = raw.read(self._taken, min(raw.end, self._taken + second))
            windows += pipeline.push(chunk)
            self._taken = chunk.end
            if not raw.info.paced:
                self._read_all(windows, pipeline, raw)
                windows = []
        self._read_all(windows, pipeline, raw)

    def _read_all(self, windows: list[Window], pipeline: Pipeline, raw: RingBuffer) -> None:
        for window in windows:
            if self._stop.is_set():
                return
            old = raw.info.paced and self._now() - window.t_last > self._max_lag_s
            if old and window is not windows[-1]:
                self._note_skip(1)
                continue
            if raw.info.paced and self._arrivals.is_old(self._now() - raw.latest(1).t_last):
                self._stale(raw, pipeline)
                continue
            try:
                reading = pipeline.read(window)
            except Exception as error:
                self._note_skip(1, f"a reading failed: {error}")
                continue
            self._emit(reading, raw)

    def _stale(self, raw: RingBuffer, pipeline: Pipeline) -> None:
        last = self.latest
        readout = last.readout if last else pipeline.readout
        end = raw.end
        quality, calibrated = (last.quality, last.calibrated) if last else (None, False)
        first = last.first if last else 0
        self._emit(Abstained(Why.STALE, first, end, self._now(), readout, None, quality, 0.0, calibrated), raw)

    def _emit(self, reading: Reading, raw: RingBuffer) -> None:
        now = self._now()
        age_ms = 1e3 * (now - raw.latest(1).t_last) if raw.end else None
        waited = max(0.0, now - self._arrivals.of(reading.end, now))
        latency_ms = 1e3 * waited if isinstance(reading, Estimate) else None
        self.latest = reading
        with self._lock:
            self._readings.append(reading)
            if latency_ms is not None:
                self._latencies.append(latency_ms)
            p = np.percentile(self._latencies, (50, 95, 99)).round(2).tolist() if self._latencies else None
            latency = Latency(*p) if p else None
            self.health = replace(self.health, readings=self.health.readings + 1, sample_age_ms=age_ms, latency=latency)
        emission = Emission(reading, raw.info, age_ms, latency_ms)
        for sink in tuple(self._sinks):
            if not self._try(type(sink).__name__, partial(sink.put, emission)):
                self._sinks.remove(sink)

    # -- bookkeeping --------------------------------------------------------------------------------------------

    def _note(self, **changes: object) -> None:
        with self._lock:
            if not (self.health.fault and "fault" in changes):  # the first fault is the one that counts
                self.health = replace(self.health, **changes)  # type: ignore[arg-type]

    def _note_skip(self, n: int, note: str = "") -> None:
        with self._lock:
            notes = self.health.notes
            if note and note not in notes:
                notes = (*notes, note)[-20:]
            self.health = replace(self.health, skipped=self.health.skipped + n, notes=notes)

    def _try(self, what: str, work: Callable[[], None]) -> bool:
        try:
            work()
        except Exception as error:
            self._note_skip(0, f"{what} failed and was let go: {error}")
            return False
        return True

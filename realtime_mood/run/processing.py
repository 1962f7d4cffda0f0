"""Processing thread: ring buffer → pipeline → sinks."""

from __future__ import annotations

import math
import threading
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from .. import clock
from ..aux_ring import AuxRing
from ..body.measure import BodyReading
from ..health import Emission, State
from ..pipeline import DRIFT, MEMORY_S, Pipeline
from ..ring import RingBuffer
from ..types import Abstained, Estimate, Marker, Reading, Why, Window
from .acquisition import AHEAD_S, POLL_S, STALE_S, Acquisition
from .batches import Batch, Batches
from .body import BodyMeasuring
from .joining import Succession
from .shaking import mark_shaken

MAX_LAG_S = 1.0  # an older window is skipped when a newer one is available
ENDED_S = 1.0  # how long the sinks wait for the last sample of a source that is being closed
CLOSE_S = 3.0  # how long closing the sinks may take at the end of a source; twice what one output waits for
REBUILDS = 5  # times a failing pipeline is rebuilt before a run continues without readings


class Processing:
    """Processing of one run: `run` is the work of the thread ``mood-process``. `rings`: the streams beside the EEG."""

    def __init__(self, acquisition: Acquisition, rings: Callable[[], Sequence[AuxRing]] = tuple) -> None:
        self._acquisition, self._delivery, self._vitals = acquisition, acquisition.delivery, acquisition.vitals
        self._now = acquisition.now
        self._stop = acquisition.stop
        self.body = BodyMeasuring(rings, self._delivery, self._vitals, acquisition.carried.rings)
        self._rebuilt = 0
        self._next_stale: float | None = None
        self._emitted, self._t = 0.0, -math.inf  # when the newest reading left, and its stream time (s)
        self.pipeline: Pipeline | None = None
        self._batches: Batches | None = None
        self.latest: Reading | None = None
        self.readings: deque[Reading] = deque(maxlen=round(MEMORY_S / 0.25))
        self.done = threading.Event()
        self.successions: deque[Succession] = deque()

    def run(self) -> None:
        """Read until the source has ended or the run is stopped; then close the sinks."""
        acquisition = self._acquisition
        try:
            while not acquisition.ready.wait(POLL_S) and not self._stop.is_set():
                pass
            if acquisition.raw is not None and (pipeline := acquisition.pipeline) is not None:
                self._readout, self._hop_s = pipeline.readout, pipeline.spec.hop_s
                self._begin(pipeline, acquisition.raw)
                self._run(acquisition.raw)
        finally:
            self._drop_batches()
            left = max(0.0, acquisition.deadline - clock.now())
            if acquisition.ended.wait(min(ENDED_S, left / 2)) and not self._stop.is_set():
                self._vitals.move(State.ENDED, State.LIVE, State.STALLED, State.RECONNECTING)
            latest = clock.now() + CLOSE_S
            self._delivery.close(lambda: min(latest, acquisition.deadline))
            self.done.set()

    def _begin(self, pipeline: Pipeline | None, raw: RingBuffer) -> None:
        """Read with `pipeline` from here on."""
        self._drop_batches()
        self.pipeline = pipeline
        if pipeline is not None and pipeline.batches and not raw.info.paced:
            self._batches = Batches(pipeline)

    def _drop_batches(self) -> None:
        if self._batches:
            self._batches.close()
        self._batches = None

    def _run(self, raw: RingBuffer) -> None:
        while not self._stop.is_set():
            try:
                if self._turn(raw):
                    return
            except Exception as error:  # a bug of ours, or no memory: what was filtered so far is gone
                self._acquisition.taken = raw.end
                self._begin(self._rebuild(raw, error), raw)
            for reading in self.body.step(raw, self._now(), self._acquisition.zero):
                self._leave_out_shaken(reading, raw)

    def _succeed(self, raw: RingBuffer) -> None:
        """Go on with the pipelines of recordings that begin now."""
        while self.successions and self.pipeline is not None:
            it = self.successions.popleft()
            self.pipeline = it.succeed(self.pipeline, raw, self._acquisition.taken)
            self._acquisition.joining.append((it.tap, it.first))
            it.done.set()

    def _turn(self, raw: RingBuffer) -> bool:
        """Wait for samples and read the windows they complete, or emit a stale one; True at the source's end."""
        self._succeed(raw)
        acquisition, pipeline = self._acquisition, self.pipeline
        if pipeline is None:
            if acquisition.ended.is_set():
                return True
            acquisition.taken = raw.end
            self._stop.wait(self._hop_s)
            self._stale(raw)
        elif raw.wait_beyond(acquisition.taken, self._hop_s / 5):
            self._next_stale = None
            self._vitals.move(State.LIVE, State.STALLED, State.RECONNECTING)
            self._advance(raw, pipeline)
        elif acquisition.ended.is_set():
            self._read_rest(raw)
            return True
        elif self._batches and self._now() - raw.arrived >= STALE_S:  # a source that waits for its readings
            self._read_rest(raw)
        elif raw.info.paced:
            due = self._next_stale or (raw.arrived or acquisition.opened) + acquisition.arrivals.patience()
            if self._now() >= due:
                self._next_stale = due + self._hop_s
                self._vitals.move(State.STALLED, State.LIVE)
                self._stale(raw)
        return False

    def _rebuild(self, raw: RingBuffer, error: Exception) -> Pipeline | None:
        """A new pipeline in place of one that failed; None after too many failures."""
        self._rebuilt += 1
        if self._rebuilt <= REBUILDS:
            self._vitals.fault(f"the pipeline failed and was rebuilt: {error}")
            try:
                again = self._acquisition.build(raw.info)
                if self.pipeline:
                    again.take_over(self.pipeline)
                return again
            except Exception as worse:
                error = worse
        self._vitals.fault(f"readings stopped, the stream and its recording continue: {error}")
        return None

    def _advance(self, raw: RingBuffer, pipeline: Pipeline) -> None:
        """Push all new samples, a second or two at a time, and read the windows they complete."""
        acquisition, step = self._acquisition, round((1.0 if raw.info.paced else AHEAD_S) * raw.info.sfreq)
        windows: list[Window] = []
        while acquisition.taken < raw.end and not self._stop.is_set():
            if acquisition.taken < raw.oldest:  # stalled for a minute: overwritten samples become a gap
                self._vitals.note(f"{raw.oldest - acquisition.taken} samples were never filtered")
                acquisition.taken = raw.oldest
            chunk = raw.read(acquisition.taken, min(raw.end, acquisition.taken + step))
            windows += pipeline.push(chunk)
            acquisition.taken = chunk.end
            if self._batches:
                self._take(self._batches.add(windows), pipeline, raw)
            elif not raw.info.paced:
                self._read_all(windows, pipeline, raw)
            else:
                continue
            windows = []
        self._read_all(windows, pipeline, raw)

    def _read_rest(self, raw: RingBuffer) -> None:
        """Read all windows of batches that are not complete yet."""
        if self._batches and self.pipeline:
            self._take(self._batches.rest(), self.pipeline, raw)

    def _take(self, batches: Iterable[Batch], pipeline: Pipeline, raw: RingBuffer) -> None:
        """Emit the readings of `batches`; where one has failed, its windows are read one by one."""
        for windows, future in batches:
            if self._stop.is_set():
                return
            try:
                readings = future.result()
            except Exception:
                self._read_all(windows, pipeline, raw)
                continue
            for reading in readings:
                if not self._stop.is_set():
                    self._check_and_emit(reading, pipeline, raw)

    def _read_all(self, windows: list[Window], pipeline: Pipeline, raw: RingBuffer) -> None:
        for window in windows:
            if self._stop.is_set():
                return
            old = raw.info.paced and self._now() - window.t_last > MAX_LAG_S
            # Readings leave in order of time: windows of a late burst, already reported as stale, are not emitted.
            if (old and window is not windows[-1]) or self._is_past(window, raw):
                self._vitals.count(skipped=1)
                continue
            if raw.info.paced and self._acquisition.arrivals.is_old(self._now() - raw.t_last):
                self._stale(raw)
                continue
            try:
                reading = pipeline.read(window)
            except Exception as error:
                self._vitals.count(skipped=1)
                self._vitals.fault(f"a reading failed: {error}")
                self._stale(raw)  # no screen may keep showing the previous one
                continue
            self._check_and_emit(reading, pipeline, raw)

    def _check_and_emit(self, reading: Reading, pipeline: Pipeline, raw: RingBuffer) -> None:
        self._vitals.note(*pipeline.notes)
        if not all(map(math.isfinite, reading.probs or ())):
            self._vitals.fault("the network's output was not a number; no estimate is shown")
        self._emit(reading, raw)

    def _leave_out_shaken(self, reading: BodyReading, raw: RingBuffer) -> None:
        if self.pipeline and (found := mark_shaken(reading, raw, self.pipeline, self._acquisition.taken)):
            self._acquisition.mark(*found)

    def _is_past(self, window: Window, raw: RingBuffer) -> bool:
        """Whether a window ends before the newest reading, both in stream time and by the clock."""
        past = raw.info.paced and window.end / raw.info.sfreq <= self._t
        return past and self.latest is not None and window.t_last <= self.latest.t_last

    def _stale(self, raw: RingBuffer) -> None:
        """Emit a stale reading, at the time the stream would have reached by now at its usual delay."""
        last, now = self.latest, self._now()
        t_last = raw.t_last + now - raw.arrived if raw.end else now
        stale = Abstained(Why.STALE, 0, raw.end, t_last, self._readout)
        if last is not None:
            if isinstance(last, Abstained) and last.why is Why.STALE:
                if now - self._emitted < self._hop_s / 2:
                    return  # reported just now
                t_last = max(t_last, last.t_last + now - self._emitted)
            stale = replace(
                stale, first=last.first, t_last=max(t_last, math.nextafter(last.t_last, math.inf)),
                readout=last.readout, quality=last.quality, calibrated=last.calibrated, drift=last.drift,
                corrections=last.corrections,
            )  # fmt: skip
        self._emit(stale, raw)

    def _emit(self, reading: Reading, raw: RingBuffer) -> None:
        now, t = self._now(), reading.end / raw.info.sfreq
        age_ms = 1e3 * (now - raw.t_last) if raw.end else None
        if raw.end and isinstance(reading, Abstained) and reading.why is Why.STALE:
            t += max(0.0, reading.t_last - raw.t_last)
        t = max(t, self._t)  # it was ahead where the device paused without loss
        waited = max(0.0, now - self._acquisition.arrivals.of(reading.end, now))
        latency_ms = 1e3 * waited if isinstance(reading, Estimate) else None
        had_moved = self.latest is not None and self.latest.drift is not None and self.latest.drift.moved
        if reading.drift and reading.drift.moved and not had_moved:
            drift = reading.drift  # the marker is at the sample at which the alarm began
            text = f"{DRIFT}{drift.what} {drift.change_sd:+.2f} SD"
            self._acquisition.mark(Marker(reading.end, text), reading.t_last)
        self.latest = reading = replace(reading, time=t)
        self.readings.append(reading)
        self._vitals.emitted(age_ms, latency_ms)
        self._emitted, self._t = now, t
        emission = Emission(reading, raw.info, self._vitals.health.state, age_ms, latency_ms)
        self._delivery.put(emission, self._hop_s)

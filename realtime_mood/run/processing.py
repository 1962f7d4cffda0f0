"""Turns a ring that fills into readings for the sinks: the thread that thinks."""

from __future__ import annotations

import math
import threading
from collections import deque
from dataclasses import replace

from .. import clock
from ..health import Emission, State, Vitals
from ..pipeline import MEMORY_S, Pipeline
from ..ring import RingBuffer
from ..types import Abstained, Estimate, Reading, Why, Window
from .acquisition import POLL_S, Acquisition, Build
from .delivery import Delivery

ENDED_S = 1.0  # how long the sinks wait for the last sample of a source that is being closed
CLOSE_S = 1.5  # how long closing the sinks may take where nobody waits for it
REBUILDS = 5  # times a failing pipeline is made anew before a run goes on without readings


class Processing:
    """One run's thinking half. `run` is the body of the thread ``mood-process``.

    Parameters
    ----------
    acquisition : Acquisition
        Whose ring it reads.
    build : callable
        Makes the pipeline anew when it has failed.
    delivery : Delivery
        Given every reading, and closed at the end.
    vitals : Vitals
    max_lag_s : float
        A window older than this is skipped when a newer one is waiting.
    """

    def __init__(
        self,
        acquisition: Acquisition,
        build: Build,
        delivery: Delivery,
        vitals: Vitals,
        max_lag_s: float,
        now: clock.Clock,
    ) -> None:
        self._acquisition, self._build, self._delivery, self._vitals = acquisition, build, delivery, vitals
        self._max_lag_s, self._now = max_lag_s, now
        self._stop = acquisition.stop
        self._rebuilt = 0
        self._next_stale: float | None = None
        self._emitted, self._t = 0.0, -math.inf  # when the newest reading left, and its stream time (s)
        self.pipeline: Pipeline | None = None
        self.latest: Reading | None = None
        self.readings: deque[Reading] = deque(maxlen=round(MEMORY_S / 0.25))
        self.done = threading.Event()

    def run(self) -> None:
        """Read until the source has ended or the run is stopped; then close the sinks."""
        it = self._acquisition
        try:
            while not it.ready.wait(POLL_S) and not self._stop.is_set():
                pass
            if it.raw is not None and it.pipeline is not None:
                self.pipeline = it.pipeline
                self._run(it.raw)
        finally:
            left = max(0.0, it.deadline - clock.now())
            if it.ended.wait(min(ENDED_S, left / 2)) and not self._stop.is_set():
                self._vitals.move(State.ENDED, State.LIVE, State.STALLED, State.RECONNECTING)
            latest = clock.now() + CLOSE_S
            self._delivery.close(lambda: min(latest, it.deadline))
            self.done.set()

    def _run(self, raw: RingBuffer) -> None:
        while not self._stop.is_set():
            try:
                if self._turn(raw):
                    return
            except Exception as error:  # a bug of ours, or no memory: what was filtered so far is gone
                self._acquisition.taken = raw.end
                self.pipeline = self._rebuild(raw, error)

    def _turn(self, raw: RingBuffer) -> bool:
        """Wait for samples and read what they complete, or say that there are none; True once there will be none."""
        it, pipeline = self._acquisition, self.pipeline
        if pipeline is None:
            if it.ended.is_set():
                return True
            it.taken = raw.end
            self._stop.wait(self._hop_s)
            self._stale(raw)
        elif raw.wait_beyond(it.taken, self._hop_s / 5):
            self._next_stale = None
            self._vitals.move(State.LIVE, State.STALLED, State.RECONNECTING)
            self._advance(raw, pipeline)
        elif it.ended.is_set():
            return True
        elif raw.info.paced:
            due = self._next_stale or (raw.arrived or it.opened) + it.arrivals.patience()
            if self._now() >= due:
                self._next_stale = due + self._hop_s
                self._vitals.move(State.STALLED, State.LIVE)
                self._stale(raw)
        return False

    def _rebuild(self, raw: RingBuffer, error: Exception) -> Pipeline | None:
        """Another pipeline in place of one that failed; None when that does not help."""
        self._rebuilt += 1
        if self._rebuilt <= REBUILDS:
            self._vitals.fault(f"the pipeline failed and was made anew: {error}")
            try:
                again = self._build(raw.info)
                again.left_out = self.pipeline.left_out if self.pipeline else []
                return again
            except Exception as worse:
                error = worse
        self._vitals.fault(f"there are no readings any more, the stream and its recording go on: {error}")
        return None

    def _advance(self, raw: RingBuffer, pipeline: Pipeline) -> None:
        """Push all that has come, a second at a time, and read the windows it completes."""
        it, second = self._acquisition, round(raw.info.sfreq)
        windows: list[Window] = []
        while it.taken < raw.end and not self._stop.is_set():
            if it.taken < raw.oldest:  # the pipeline stood still for a whole minute; what is gone shows as a hole
                self._vitals.note(f"{raw.oldest - it.taken} samples were never filtered")
                it.taken = raw.oldest
            chunk = raw.read(it.taken, min(raw.end, it.taken + second))
            windows += pipeline.push(chunk)
            it.taken = chunk.end
            if not raw.info.paced:
                self._read_all(windows, pipeline, raw)
                windows = []
        self._read_all(windows, pipeline, raw)

    def _read_all(self, windows: list[Window], pipeline: Pipeline, raw: RingBuffer) -> None:
        for window in windows:
            if self._stop.is_set():
                return
            old = raw.info.paced and self._now() - window.t_last > self._max_lag_s
            # Readings leave in order of time: what a late burst tells of a time already said to be stale is history.
            if (old and window is not windows[-1]) or self._is_past(window, raw):
                self._vitals.skip(1)
                continue
            if raw.info.paced and self._acquisition.arrivals.is_old(self._now() - raw.latest(1).t_last):
                self._stale(raw)
                continue
            try:
                reading = pipeline.read(window)
            except Exception as error:
                self._vitals.skip(1)
                self._vitals.fault(f"a reading failed: {error}")
                self._stale(raw)  # no screen may go on showing the one before
                continue
            self._vitals.note(*pipeline.notes)
            if not all(map(math.isfinite, reading.probs or ())):
                self._vitals.fault("the network gave something that is no number: shown as none")
            self._emit(reading, raw)

    def _is_past(self, window: Window, raw: RingBuffer) -> bool:
        """Whether a window lies before the newest reading, in the stream's time and in ours."""
        past = raw.info.paced and window.end / raw.info.sfreq <= self._t
        return past and self.latest is not None and window.t_last <= self.latest.t_last

    def _stale(self, raw: RingBuffer) -> None:
        """Say that there is no reading, at the time the stream would have reached by now at its usual delay."""
        last, pipeline, now = self.latest, self.pipeline or self._acquisition.pipeline, self._now()
        assert pipeline is not None
        t_last = raw.latest(1).t_last + now - raw.arrived if raw.end else now
        if last is not None:
            if isinstance(last, Abstained) and last.why is Why.STALE:
                if now - self._emitted < pipeline.spec.hop_s / 2:
                    return  # said just now
                t_last = max(t_last, last.t_last + now - self._emitted)
            t_last = max(t_last, math.nextafter(last.t_last, math.inf))
        readout = last.readout if last else pipeline.readout
        quality, calibrated = (last.quality, last.calibrated) if last else (None, False)
        first = last.first if last else 0
        self._emit(Abstained(Why.STALE, first, raw.end, t_last, readout, None, quality, 0.0, calibrated), raw)

    def _emit(self, reading: Reading, raw: RingBuffer) -> None:
        now, t, newest = self._now(), reading.end / raw.info.sfreq, raw.latest(1).t_last if raw.end else None
        age_ms = None if newest is None else 1e3 * (now - newest)
        if isinstance(reading, Abstained) and reading.why is Why.STALE:
            t += max(0.0, reading.t_last - newest) if newest is not None else 0.0
        t = max(t, self._t)  # it ran ahead where the device paused and nothing was lost
        waited = max(0.0, now - self._acquisition.arrivals.of(reading.end, now))
        latency_ms = 1e3 * waited if isinstance(reading, Estimate) else None
        self.latest = reading = replace(reading, time=t)
        self.readings.append(reading)
        self._vitals.emitted(age_ms, latency_ms)
        self._emitted, self._t = now, t
        ahead_s = t - reading.end / raw.info.sfreq
        emission = Emission(reading, raw.info, self._vitals.health.state, age_ms, latency_ms, ahead_s)
        self._delivery.put(emission, self._hop_s)

    @property
    def _hop_s(self) -> float:
        pipeline = self.pipeline or self._acquisition.pipeline
        assert pipeline is not None
        return pipeline.spec.hop_s

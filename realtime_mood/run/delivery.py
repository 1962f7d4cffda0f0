"""The sinks of one run: opening, feeding, supervision, removal after failures, and closing within one deadline."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from .. import clock
from ..aux_ring import AuxRing
from ..auxiliary import AuxChunk, AuxInfo, AuxTap
from ..body.measure import BodyReading, BodySink
from ..contracts import BeforeJoining, Joining, Outgoing, Prepared, Reporting, Sink, Tap
from ..guard import Closings, Guarded
from ..health import Emission, Output, RecordingState, Vitals
from ..types import Chunk, Marker, StreamInfo

OUTPUTS_SHARE = 0.7  # of the time for closing, for outputs and recordings; the rest is for sinks that report on them
EARLY_S = 10.0  # of the streams beside the EEG, before its first samples, which are some seconds old then
BODY_KEPT = 60  # newest measures of the body, for recordings that begin
LAST_S = 0.05  # reserve of that time, so that waiting threads still see the closing finished
ENDING_S = 1.5  # how long the end of a recording in the middle of a run may take
TimedMarker = tuple[Marker, float]  # with its time (s, our clock)
JUDGED = 8  # readings over which a sink's duration is averaged
LEAST_JUDGED = 3  # of these, before a sink is reported as slow


class Delivery:
    """Delivers to `sinks`; none of them can end the run, and `vitals` counts and notes their faults and troubles.

    `rings` has the newest samples of the streams beside the EEG, which are written before they are delivered here.
    """

    def __init__(
        self, sinks: Sequence[Sink], vitals: Vitals, now: clock.Clock, rings: Callable[[], Iterable[AuxRing]] = tuple
    ) -> None:
        self._vitals, self._now, self._rings = vitals, now, rings
        self._closings = Closings(vitals.fault)
        self._fed = [_Fed(sink, vitals, self._closings) for sink in sinks]
        self._taps = [(fed, fed.sink) for fed in self._fed if isinstance(fed.sink, Tap)]
        self._lock, self._opened, self._closing = threading.Lock(), False, False
        self._body: deque[BodyReading] = deque(maxlen=BODY_KEPT)

    def prepare(self) -> None:
        """Open the sinks that are opened before the source."""
        for fed in self._fed:
            if isinstance(fed.sink, Reporting):
                fed.sink.on_fault = self._vitals.fault
            if isinstance(fed.sink, Prepared) and not fed.call(fed.sink.prepare):
                fed.drop()
        self._show()

    def open(self, info: StreamInfo) -> None:
        """Open the taps for the stream, before its first chunk."""
        for fed, tap in self._taps:
            if not fed.call(tap.open, info):
                fed.drop()
            fed.hold()
        self._opened = True
        beside = self._beside(self._now() - EARLY_S)
        for fed, tap in self._taps:
            if isinstance(tap, AuxTap):
                for it in beside:
                    fed.call(tap.take_aux, *it)
            fed.release(beside)

    def _beside(self, t: float) -> list[tuple[AuxInfo, AuxChunk]]:
        """What came of the streams beside the EEG since `t` (s, our clock)."""
        return [(ring.info, chunk) for ring in self._rings() for chunk in ring.chunks(t)]

    def add(
        self, tap: Joining, info: StreamInfo, t: float, eeg: Callable[[], tuple[Sequence[Chunk], Sequence[TimedMarker]]]
    ) -> None:
        """Add a tap in the middle of a run, from the acquisition thread, with all that came since `t` (s, our clock).

        `eeg` gives the chunks of that time, with their markers, and the markers of samples to come. The tap gets
        everything once, whichever thread it comes from; the other taps have all of it already.
        """
        fed = _Fed(tap, self._vitals, self._closings)
        if isinstance(tap, Reporting):
            tap.on_fault = self._vitals.fault
        if self._closing or not fed.call(tap.open, info):
            fed.drop()
            return
        fed.hold()
        self._fed, self._taps = [*self._fed, fed], [*self._taps, (fed, tap)]
        (chunks, ahead), beside = eeg(), self._beside(t)
        body = [reading for reading in tuple(self._body) if reading.t >= t]
        fed.call(tap.begin, BeforeJoining(chunks, ahead, beside))
        if isinstance(tap, BodySink):
            for reading in body:
                fed.call(tap.put_body, reading)
        markers = [marker for chunk in chunks for marker in chunk.markers] + [marker for marker, _ in ahead]
        fed.release(beside, [*markers, *body])

    def end_recording(self) -> RecordingState | None:
        """Complete the recording that was requested; return its last state. All other sinks go on."""
        ended = [(fed, tap) for fed, tap in self._taps if tap.recording and not tap.recording.automatic]
        gone = [fed for fed, _tap in ended]
        self._fed = [fed for fed in self._fed if fed not in gone]
        self._taps = [(fed, tap) for fed, tap in self._taps if fed not in gone]
        for fed in gone:
            fed.drop()
        began = clock.now()
        self._closings.wait(lambda: began + ENDING_S)
        self._vitals.change(recording=None)
        return ended[-1][1].recording if ended else None  # its path is known once the file has been started

    def take(self, chunk: Chunk) -> None:
        """Give a chunk to the taps."""
        for fed, tap in () if self._closing else self._taps:
            fed.give(tap.take, chunk)

    def take_aux(self, info: AuxInfo, chunk: AuxChunk) -> None:
        """Give the recording a chunk of a stream beside the EEG that is in its ring; from the thread of that stream."""
        for fed, tap in self._taps if self._opened and not self._closing else ():
            if isinstance(tap, AuxTap):
                fed.give(tap.take_aux, info, chunk)

    def mark(self, marker: Marker, t: float) -> None:
        """Give the taps a marker from outside the stream, at `t` (s, our clock)."""
        for fed, tap in self._taps:
            fed.give(tap.mark, marker, t)

    def follow(self) -> None:
        """Update the state of the recording."""
        for fed, tap in self._taps:
            fed.call(lambda tap=tap: self._vitals.watch(tap.recording))

    def put(self, emission: Emission, hop_s: float) -> None:
        """Give a reading to every sink; report sinks that take longer than `hop_s`, the time between readings."""
        self._show()
        for fed in self._fed:
            if self._closing:
                return
            began = self._now()
            if fed.give(fed.sink.put, emission):
                fed.took(self._now() - began)
        if emission.info.paced:
            self._judge(hop_s)

    def put_body(self, reading: BodyReading) -> None:
        """Give the measures of the body to the sinks that take them."""
        self._body.append(reading)
        for fed in () if self._closing else self._fed:
            if isinstance(fed.sink, BodySink):
                fed.give(fed.sink.put_body, reading)

    def inside(self, thread: str) -> str:
        """Name of the sink that the named thread is executing now; empty if none."""
        return next((fed.name for fed in self._fed if thread in fed.inside), "")

    def close(self, deadline: Callable[[], float]) -> None:
        """Close all open sinks concurrently, and give up at the deadline (s, our clock). Later calls do nothing."""
        with self._lock:
            if self._closing:
                return
            self._closing = True
        began = clock.now()
        first = {id(fed) for fed in self._fed if isinstance(fed.sink, (Tap, Outgoing))}
        for in_first, share in ((True, OUTPUTS_SHARE), (False, 1.0)):
            for fed in self._fed:
                if (id(fed) in first) is in_first:
                    fed.close()
            self._closings.wait(lambda share=share: began + share * (deadline() - LAST_S - began))  # type: ignore[misc]
            self._show()
            self.follow()

    def _show(self) -> None:
        self._vitals.sending(tuple(output for fed in self._fed for output in fed.outputs))

    def _judge(self, hop_s: float) -> None:
        """Report the sink that causes readings to be skipped, while there is one."""
        total = sum(fed.mean_s for fed in self._fed)
        slowest = max(self._fed, key=lambda fed: fed.mean_s, default=None)
        for fed in self._fed:
            if fed is slowest and total > hop_s and not fed.slow:
                took_ms, hop_ms = 1e3 * fed.mean_s, 1e3 * hop_s
                fed.slow = f"takes {took_ms:.0f} ms of the {hop_ms:.0f} ms between readings: some are skipped"
            elif total < hop_s / 2:
                fed.slow = ""


class _Fed(Guarded):
    """One sink of a run."""

    def __init__(self, sink: Sink, vitals: Vitals, closings: Closings) -> None:
        outputs = sink.outputs if isinstance(sink, Outgoing) else ()
        super().__init__(outputs[0].name if outputs else type(sink).__name__, vitals.fault, self.close)
        self.sink, self._vitals, self._closings = sink, vitals, closings
        self._took: deque[float] = deque(maxlen=JUDGED)
        self._n, self._is_closed, self._once = 0, False, threading.Lock()
        self._order = threading.RLock()
        self._held: list[tuple[Callable[..., object], tuple[Any, ...]]] | None = None
        self._ends, self._others = dict[AuxInfo, int](), dict[int, object]()  # what it was given before `release`
        self.slow = ""

    def hold(self) -> None:
        """Keep what it is given until `release`."""
        self._held = []

    def give(self, work: Callable[..., object], *args: Any) -> bool:
        """Call a method of it as `call` does, or keep that until it has been given what came before."""
        if self._held is not None:
            with self._order:
                if self._held is not None:
                    self._held.append((work, args))
                    return False
        return not self._has(*args) and self.call(work, *args)

    def release(self, beside: Iterable[tuple[AuxInfo, AuxChunk]], others: Iterable[object] = ()) -> None:
        """Give it what was kept, except what it has been given: these chunks, and these `others`.

        Nor are they given later, by a thread that was about to: what it gives is in a ring or list before.
        """
        with self._order:
            self._ends, self._others = {info: chunk.end for info, chunk in beside}, {id(it): it for it in others}
            for work, args in self._held or ():
                if not self._has(*args):
                    self.call(work, *args)
            self._held = None

    def _has(self, first: object, *rest: Any) -> bool:
        """Whether it has been given this already; of a stream, one chunk at most is on its way at the release."""
        if not isinstance(first, AuxInfo):
            return self._others.pop(id(first), None) is not None
        is_old = bool(rest[0].end <= self._ends.get(first, 0))
        if self._held is None or not is_old:
            self._ends.pop(first, None)
        return is_old

    def took(self, seconds: float) -> None:
        """Record how long a reading took."""
        self._took.append(seconds)
        self._n += 1

    @property
    def mean_s(self) -> float:
        """Average duration per reading; 0 while there are too few."""
        return sum(self._took) / len(self._took) if len(self._took) >= LEAST_JUDGED else 0.0

    @property
    def outputs(self) -> tuple[Output, ...]:
        """Its state, if it sends to other programs or is too slow."""
        if isinstance(self.sink, Outgoing):
            return self.sink.outputs
        return (Output(self.name, self._n, trouble=self.slow),) if self.slow else ()

    def drop(self) -> None:
        """Stop feeding it, and close it."""
        self.is_gone = True
        self.close()

    def close(self) -> None:
        """Start closing it; later calls do nothing."""
        with self._once:
            first, self._is_closed = not self._is_closed, True
        if first:
            self._closings.add(self.name, lambda: self.sink.close(self._vitals.health))

"""The sinks of one run: opened before it, fed, watched, let go of when they fail, and closed within one deadline."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial

from .. import clock
from ..contracts import Outgoing, Prepared, Reporting, Sink, Tap
from ..guard import Closings, Guarded
from ..health import Emission, Output, Vitals
from ..types import Chunk, Marker, StreamInfo

OUTPUTS_SHARE = 0.7
"""Of the time there is for closing: what outputs and recordings may take. The rest is for those that write last words
about them."""
LAST_S = 0.05
"""Kept of that time, so that whoever waits for the closing still sees it done."""
JUDGED = 8
"""Readings over which a sink's time is averaged,"""
LEAST_JUDGED = 3
"""and how many it takes to say anything."""


class Delivery:
    """Feeds `sinks`, none of which can end the run.

    Parameters
    ----------
    sinks : sequence of Sink
    vitals : Vitals
        Where their faults and troubles are counted and noted.
    now : callable
    """

    def __init__(self, sinks: Sequence[Sink], vitals: Vitals, now: clock.Clock) -> None:
        self._vitals, self._now = vitals, now
        self._closings = Closings(vitals.fault)
        self._fed = [_Fed(sink, vitals, self._closings) for sink in sinks]
        self._taps = [(fed, fed.sink) for fed in self._fed if isinstance(fed.sink, Tap)]
        self._lock, self._closing = threading.Lock(), False

    def prepare(self) -> None:
        """Open what is opened before the source."""
        for fed in self._fed:
            if isinstance(fed.sink, Reporting):
                fed.sink.on_fault = self._vitals.fault
            if isinstance(fed.sink, Prepared) and not fed.call(fed.sink.prepare):
                fed.let_go()
        self._show()

    def open(self, info: StreamInfo) -> None:
        """Tell taps of the stream, before its first chunk."""
        for fed, tap in self._taps:
            if not fed.call(tap.open, info):
                fed.let_go()

    def take(self, chunk: Chunk) -> None:
        """Give taps a chunk."""
        for fed, tap in () if self._closing else self._taps:
            fed.call(tap.take, chunk)

    def mark(self, marker: Marker, t: float) -> None:
        """Give taps a marker that came beside the stream, at `t` (s, our clock)."""
        for fed, tap in self._taps:
            fed.call(tap.mark, marker, t)

    def follow(self) -> None:
        """Show how the recording is getting on."""
        for fed, tap in self._taps:
            fed.call(lambda tap=tap: self._vitals.watch(tap.recording))

    def put(self, emission: Emission, hop_s: float) -> None:
        """Give every sink a reading; one that takes longer than the `hop_s` between two is said to."""
        self._show()
        for fed in self._fed:
            if self._closing:
                return
            began = self._now()
            if fed.call(fed.sink.put, emission):
                fed.took(self._now() - began)
        if emission.info.paced:
            self._judge(hop_s)

    def inside(self, thread: str) -> str:
        """Name of the sink that the thread of this name is inside now; empty where it is in none."""
        return next((fed.name for fed in self._fed if thread in fed.inside), "")

    def close(self, deadline: Callable[[], float]) -> None:
        """Close all that is open, at once, and give up at the deadline (s, our clock). Only the first time counts."""
        with self._lock:
            if self._closing:
                return
            self._closing = True
        began = clock.now()
        last = {id(fed) for fed in self._fed if not isinstance(fed.sink, (Tap, Outgoing))}
        for group, share in ((False, OUTPUTS_SHARE), (True, 1.0)):
            for fed in self._fed:
                if (id(fed) in last) is group:
                    fed.close()
            self._closings.wait(partial(_until, began, share, deadline))
            self._show()
            self.follow()

    # -- what is shown ------------------------------------------------------------------------------------------

    def _show(self) -> None:
        self._vitals.sending(tuple(output for fed in self._fed for output in fed.outputs))

    def _judge(self, hop_s: float) -> None:
        """Say which sink is the reason that readings are skipped, while one is."""
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
        super().__init__(_name_of(sink), vitals.fault, self.close)
        self.sink, self._vitals, self._closings = sink, vitals, closings
        self._took: deque[float] = deque(maxlen=JUDGED)
        self._n, self._is_closed, self._once = 0, False, threading.Lock()
        self.slow = ""

    def took(self, seconds: float) -> None:
        """Remember how long a reading took it."""
        self._took.append(seconds)
        self._n += 1

    @property
    def mean_s(self) -> float:
        """How long a reading takes it, on average; 0 before that can be said."""
        return sum(self._took) / len(self._took) if len(self._took) >= LEAST_JUDGED else 0.0

    @property
    def outputs(self) -> tuple[Output, ...]:
        """How it is getting on, where it sends elsewhere or is too slow."""
        if isinstance(self.sink, Outgoing):
            return self.sink.outputs
        return (Output(self.name, self._n, trouble=self.slow),) if self.slow else ()

    def let_go(self) -> None:
        """Give it nothing more, and close it."""
        self.is_gone = True
        self.close()

    def close(self) -> None:
        """Begin to close it, the first time."""
        with self._once:
            first, self._is_closed = not self._is_closed, True
        if first:
            self._closings.add(self.name, lambda: self.sink.close(self._vitals.health))


def _name_of(sink: Sink) -> str:
    outputs = sink.outputs if isinstance(sink, Outgoing) else ()
    return outputs[0].name if outputs else type(sink).__name__


def _until(began: float, share: float, deadline: Callable[[], float]) -> float:
    return began + share * (deadline() - LAST_S - began)

"""Engine: runs a source through a pipeline with an acquisition and a processing thread; others read snapshots."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Self

from .. import clock
from ..aux_ring import AuxRing
from ..auxiliary import AuxSource
from ..body.history import BodyHistory
from ..contracts import Director, Reporting, Returning, Sink, Source
from ..errors import EngineError, EngineStuck
from ..guard import Closings, GuardedThread
from ..health import Health, State, Vitals
from ..ring import RingBuffer
from ..sources.timing.reconnect import Reconnecting
from ..types import Features, Marker, Reading
from .acquisition import Acquisition, Build, snapshot
from .aux_intake import AuxIntake
from .auxiliary import AuxAcquisition
from .delivery import Delivery
from .processing import Processing
from .requests import RunRequests

SHOWN_MARKERS = 1000
PATIENCE = 0.5  # share of the stop timeout after which a thread held by a sink is abandoned


class Engine(RunRequests):
    """Run `source` through a pipeline and deliver the readings to `sinks`.

    `start` returns at once. Only a source's final fault, or a pipeline that cannot be built, ends a run; it is shown in
    `health.fault` and raised by `stop` only. Failures of a reading, the pipeline or a sink are counted and noted, and
    the run continues: acquisition and recording do not depend on processing. The same engine may be started again
    after `stop`.

    Parameters
    ----------
    source : Source
        Reconnected when it disappears, if it is a `Returning` source.
    build : callable
        Makes the `Pipeline` once the stream's info is known. Called before the first sample is read, and again when
        the pipeline has failed.
    sinks : sequence of Sink
        Opened before the source, and fed from the processing thread; a `Tap` also gets every chunk, from the
        acquisition thread. All are closed concurrently after the run; one that hangs is abandoned and named.
    also : sequence of AuxSource
        Streams beside the EEG: recorded, and passed to `mark` where they are markers. None of them can end the run.
    director : Director, optional
        Receives the stream's info and every chunk first, and may add markers to it.
    seconds : float, optional
        End after this much stream time, to the sample.
    give_up_s : float, optional
        How long to try to reconnect a lost source; None means without limit.
    leaving : sequence of str
        What other computers can receive: noted at the start, and in the health of the run.
    notes : sequence of str
        Other notes that every run begins with.
    """

    def __init__(
        self,
        source: Source,
        build: Build,
        sinks: Sequence[Sink] = (),
        *,
        also: Sequence[AuxSource] = (),
        director: Director | None = None,
        seconds: float | None = None,
        give_up_s: float | None = None,
        leaving: Sequence[str] = (),
        notes: Sequence[str] = (),
        now: clock.Clock = clock.now,
    ) -> None:
        self.source = source
        self._source = Reconnecting(source, give_up_s) if isinstance(source, Returning) else source
        self.build, self._sinks = build, list(sinks)
        self._also_sources, self._also = tuple(also), list[AuxAcquisition]()
        self._director, self._seconds, self._now = director, seconds, now
        self._leaving, self._notes = tuple(leaving), tuple(notes)
        self._threads: list[GuardedThread] = []
        self._prepare()

    def _prepare(self) -> None:
        self._vitals = Vitals(self._now)
        self._delivery = Delivery(self._sinks, self._vitals, self._now, self._rings)
        self._acquisition = Acquisition(
            self._source, self.build, self._delivery, self._vitals, self._seconds, self._now, self._director,
            len(self._also_sources),
        )  # fmt: skip
        self._processing = Processing(self._acquisition, lambda: self.streams)

    @property
    def health(self) -> Health:
        """Snapshot of the run's state."""
        return self._vitals.health

    @property
    def done(self) -> threading.Event:
        """Set once the run is over and its sinks are closed."""
        return self._processing.done

    @property
    def clean(self) -> RingBuffer | None:
        """The filtered signal of the last minute; None before the source is open."""
        return pipeline.clean if (pipeline := self._processing.pipeline) else None

    @property
    def repair(self) -> str:
        """Repair of the filtered signal: ``none``, or that of `FeatureSpec.repair`."""
        return pipeline.spec.repair if (pipeline := self._processing.pipeline) else "none"

    @property
    def normal(self) -> Features | None:
        """The newest features, in standard deviations of this subject; None before the first."""
        return pipeline.normal if (pipeline := self._processing.pipeline) else None

    def readings(self) -> tuple[Reading, ...]:
        """The readings of the last minute, oldest first."""
        return snapshot(self._processing.readings)

    @property
    def markers(self) -> tuple[Marker, ...]:
        """The newest markers, oldest first."""
        return snapshot(self._acquisition.markers)[-SHOWN_MARKERS:]

    @property
    def streams(self) -> tuple[AuxRing, ...]:
        """The newest samples of the streams beside the EEG that are or were there."""
        return tuple(intake.ring for intake in self._intakes if intake.ring is not None)

    @property
    def _intakes(self) -> tuple[AuxIntake, ...]:
        return (*(aux.intake for aux in self._also), *self._acquisition.carried.intakes.values())

    def _rings(self) -> list[AuxRing]:
        """Those and the ones of streams that were there before, in their places."""
        return [ring for it in self._intakes for ring in (*it.earlier, it.ring) if ring is not None]

    @property
    def body(self) -> BodyHistory:
        """The measures of the body so far, one reading a second."""
        return self._processing.body.history

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start the run; raises `EngineError` when already running."""
        if self._threads:
            found = f"this one is {self.health.state.value}"
            raise EngineError("start() needs an idle engine", found, "stop() it first")
        self._prepare()
        self._vitals.change(state=State.CONNECTING, leaving=self._leaving)
        self._vitals.note(*self._leaving, *self._notes)
        if isinstance(self._source, Reporting):
            self._source.on_fault = self._vitals.fault
        self._delivery.prepare()
        self._also = [
            AuxAcquisition(source, k, self._acquisition.take_aux, self.mark, self._vitals)
            for k, source in enumerate(self._also_sources)
        ]
        # Daemons: `stop` waits for them and names a stuck one, which must not keep the process from exiting.
        self._threads = [
            GuardedThread(self._acquisition.run, "mood-acquire", self._vitals.fault),
            GuardedThread(self._processing.run, "mood-process", self._vitals.fault),
        ]
        for thread in self._threads:
            thread.start()
        for aux in self._also:
            aux.start()

    def stop(self, timeout: float = 2.0) -> None:
        """End the run within `timeout` s, outputs included.

        A sink or stream that hangs is abandoned, and named in the notes.

        Raises
        ------
        MoodError
            The run's fault, if it had one.
        EngineStuck
            Names the threads that did not stop.
        """
        began = clock.now()
        deadline = self._acquisition.deadline = began + timeout
        self._acquisition.stop.set()
        if isinstance(self._source, Reconnecting):
            self._source.cancel()
        if self.raw:
            self.raw.wake()
        closings = Closings(self._vitals.fault)
        for aux in self._also:
            closings.add(aux.name, aux.close)
        self._join(began + PATIENCE * timeout)
        if self._delivery.inside("mood-process"):  # it would have closed the sinks
            self._delivery.close(lambda: deadline)
            self._processing.done.set()
        self._join(deadline)
        closings.wait(lambda: deadline)
        if stuck := [thread.name for thread in self._threads if thread.is_alive() and not self._abandon(thread)]:
            raise EngineStuck(f"stop within {timeout:g} s", f"still running: {', '.join(stuck)}")
        self._threads = []
        if fault := self.health.fault:
            raise fault
        if self.health.state is not State.ENDED:
            self._vitals.change(state=State.IDLE)

    def _join(self, deadline: float) -> None:
        for thread in self._threads:
            thread.join(max(0.0, deadline - clock.now()))

    def _abandon(self, thread: threading.Thread) -> bool:
        """Abandon a thread that is held by a sink; False when no sink is the reason."""
        if sink := self._delivery.inside(thread.name):
            self._vitals.fault(f"{sink} did not return, and {thread.name} was abandoned in it")
        return bool(sink)

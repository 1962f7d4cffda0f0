"""Advances a calibration session with the samples of a stream, and adds its events to the chunks as markers.

`CalibrationDirector.direct` runs in the acquisition thread, which sees every sample once and in order, so that each
event has its exact sample. Actions come from other threads and take effect from the newest sample on.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace

from realtime_mood.language import N_
from realtime_mood.types import Chunk, Marker, StreamInfo

from .progress import CalibrationProgress, Change, Event
from .protocol import BlockPlan

OnEvent = Callable[[Event, CalibrationProgress, float], None]
"""Called with an event, the progress after it, and the time of the event (s, our clock)."""


class CalibrationDirector:
    """Holds the progress of a session.

    `follow` is called with the state that a virtual subject should be in, before the samples that need it are made;
    `on_event` for each event, on the thread on which it happened, and must return at once. Where `held`, the first step
    waits for `begin`.
    """

    def __init__(
        self,
        plan: BlockPlan,
        follow: Callable[[str], None] | None = None,
        on_event: OnEvent = lambda *_: None,
        *,
        held: bool = False,
    ) -> None:
        self.plan, self.held = plan, held
        self._follow, self._on_event = follow, on_event
        self._lock = threading.Lock()
        self._progress: CalibrationProgress | None = None
        self._end, self._t_last = 0, 0.0
        self._waiting: list[Event] = []

    @property
    def progress(self) -> CalibrationProgress | None:
        """The current state; None before the stream is open."""
        return self._progress

    def open(self, info: StreamInfo) -> None:
        """The stream is open: begin with its first sample, unless held."""
        with self._lock:
            self._progress, self._end = CalibrationProgress.of(self.plan, info.sfreq), 0
        self._set_state()

    def direct(self, chunk: Chunk) -> Chunk:
        """The chunk, with the events in it as markers."""
        with self._lock:
            assert self._progress is not None
            before = [Event(max(event.index, chunk.first), event.text) for event in self._waiting]
            self._waiting, self._end = [], chunk.end
            events: tuple[Event, ...] = ()
            if not self.held:
                self._progress, events = self._progress.advance(chunk.first, chunk.end, chunk.lost)
            self._t_last = chunk.t_last
            happened = [(event, self._progress, self._when(event.index)) for event in events]
        self._report(happened)
        markers = [Marker(min(event.index, chunk.end - 1), event.text) for event in (*before, *events)]
        return replace(chunk, markers=(*chunk.markers, *markers))

    def undelivered(self) -> tuple[Event, ...]:
        """Events since the last chunk, once: without another chunk they would not reach the recording."""
        with self._lock:
            events, self._waiting = tuple(self._waiting), []
        return events

    # -- actions ------------------------------------------------------------------------------------------------

    def begin(self) -> None:
        """Begin the first step with the next sample."""
        with self._lock:
            self.held = False

    def pause(self, why: str = N_("paused")) -> None:
        self._apply(lambda progress, index: progress.pause(why, index))

    def resume(self) -> None:
        self._apply(lambda progress, index: progress.resume(index))

    def repeat(self, why: str = N_("requested")) -> None:
        """Repeat the current step."""
        self._apply(lambda progress, index: progress.invalidate(why, index))

    def answer(self, valence: float | None, arousal: float | None) -> None:
        self._apply(lambda progress, index: progress.answer(valence, arousal, index))

    def stop(self) -> None:
        self._apply(lambda progress, index: progress.stop(index))

    def shown(self, late: int, text: str) -> None:
        """Note that a cue was on the screen `late` samples before the newest, or after it where `late` is negative.

        `text` names its step.
        """
        self._apply(lambda progress, index: (progress, (Event(max(0, index - late), text),)))

    def _apply(self, change: Callable[[CalibrationProgress, int], Change]) -> None:
        with self._lock:
            if self._progress is None:
                return
            self._progress, events = change(self._progress, self._end)
            self._waiting += events
            happened = [(event, self._progress, self._when(event.index)) for event in events]
        self._report(happened)

    def _when(self, index: int) -> float:
        """Time of a sample, past or future (s, our clock); called with the lock held, so that its parts agree."""
        assert self._progress is not None
        return self._t_last + (index + 1 - self._end) / self._progress.sfreq

    def _report(self, happened: Sequence[tuple[Event, CalibrationProgress, float]]) -> None:
        """Lead the virtual subject, and pass on events, with the lock released."""
        self._set_state()
        for event in happened:
            self._on_event(*event)

    def _set_state(self) -> None:
        if self._follow is not None and self._progress is not None:
            self._follow(self._progress.virtual)

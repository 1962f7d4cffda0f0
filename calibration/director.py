"""Leads a person through a plan while their stream comes in: the one place where the sitting moves.

Its `direct` stands in the acquisition thread, where every sample passes once and in order, so that an event has the
very sample it happened at. Wishes come from other threads and count from the newest sample on.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace

from realtime_mood.types import Chunk, Marker, StreamInfo

from .progress import CalibrationProgress, Event
from .protocol import BlockPlan

Hear = Callable[[Event, CalibrationProgress, float], None]
"""Told of an event, the sitting after it, and when it happened (s, our clock)."""


class CalibrationDirector:
    """Holds the sitting.

    Parameters
    ----------
    plan : BlockPlan
    follow : callable, optional
        Told the state that a virtual person should be in, before the samples that need it are made.
    hear : callable, optional
        Told of each event with the sitting after it, on whichever thread it happened; must return at once.
    held : bool
        Whether the first step waits for `begin`, however many samples come before.
    """

    def __init__(
        self,
        plan: BlockPlan,
        follow: Callable[[str], None] | None = None,
        hear: Hear = lambda *_: None,
        *,
        held: bool = False,
    ) -> None:
        self.plan, self.held = plan, held
        self._follow, self._hear = follow, hear
        self._lock = threading.Lock()
        self._sitting: CalibrationProgress | None = None
        self._end, self._t_last, self._sfreq = 0, 0.0, 1.0
        self._waiting: list[Event] = []

    @property
    def sitting(self) -> CalibrationProgress | None:
        """Where it stands; None before the stream is open."""
        return self._sitting

    def open(self, info: StreamInfo) -> None:
        """The stream is there: begin with its first sample, unless held."""
        with self._lock:
            self._sitting, self._end = CalibrationProgress.of(self.plan, info.sfreq), 0
        self._lead()

    def direct(self, chunk: Chunk) -> Chunk:
        """The chunk, with what happened in it as markers."""
        with self._lock:
            assert self._sitting is not None
            before = [Event(max(event.index, chunk.first), event.text) for event in self._waiting]
            self._waiting, self._end = [], chunk.end
            events: tuple[Event, ...] = ()
            if not self.held:
                self._sitting, events = self._sitting.advance(chunk.first, chunk.end, chunk.lost)
            happened = [(event, self._sitting) for event in events]
            self._t_last, self._sfreq = chunk.t_last, self._sitting.sfreq
        self._lead()
        for event, sitting in happened:
            self._hear(event, sitting, self._when(event.index))
        markers = [Marker(min(event.index, chunk.end - 1), event.text) for event in (*before, *events)]
        return replace(chunk, markers=(*chunk.markers, *markers))

    def untold(self) -> tuple[Event, ...]:
        """What happened after the last chunk, once: when no other comes, nothing would carry it to the recording."""
        with self._lock:
            events, self._waiting = tuple(self._waiting), []
        return events

    # -- wishes -------------------------------------------------------------------------------------------------

    def begin(self) -> None:
        """Go on to the first step, from the next sample on."""
        with self._lock:
            self.held = False

    def pause(self, why: str = "paused") -> None:
        self._wish(lambda it, index: it.pause(why, index))

    def resume(self) -> None:
        self._wish(lambda it, index: it.resume(index))

    def repeat(self, why: str = "asked for") -> None:
        """Do anew what is being done."""
        self._wish(lambda it, index: it.spoil(why, index))

    def answer(self, valence: float | None, arousal: float | None) -> None:
        self._wish(lambda it, index: it.answer(valence, arousal, index))

    def stop(self) -> None:
        self._wish(lambda it, index: it.stop(index))

    def shown(self, late: int, text: str) -> None:
        """Say that a cue was on the screen `late` samples before the newest, or after it where `late` is negative.

        `text` names its step.
        """
        with self._lock:
            event, sitting = Event(max(0, self._end - late), text), self._sitting
            self._waiting.append(event)
        if sitting is not None:
            self._hear(event, sitting, self._when(event.index))

    def _wish(
        self, change: Callable[[CalibrationProgress, int], tuple[CalibrationProgress, tuple[Event, ...]]]
    ) -> None:
        with self._lock:
            if self._sitting is None:
                return
            self._sitting, events = change(self._sitting, self._end)
            self._waiting += events
            sitting = self._sitting
        self._lead()
        for event in events:
            self._hear(event, sitting, self._when(event.index))

    def _when(self, index: int) -> float:
        """When a sample was taken, or will be (s, our clock)."""
        return self._t_last + (index + 1 - self._end) / self._sfreq

    def _lead(self) -> None:
        if self._follow is not None and self._sitting is not None:
            self._follow(self._sitting.virtual)

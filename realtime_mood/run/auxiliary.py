"""Acquisition of the streams beside the EEG: each has its own thread, which waits for it to appear and to return."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from functools import partial

from .. import clock
from ..auxiliary import STRING, AuxChunk, AuxInfo, AuxSource, AuxStream
from ..errors import MoodError, SourceLost, SourceNotFound
from ..guard import GuardedThread
from ..health import AuxState, State, Vitals
from ..sources.marker_words import texts_of

READ_S = 0.1  # longest wait between two looks at whether to stop (s)
SHOW_S = 0.25  # interval (s) of updates of its state
RATE_S = 10.0  # seconds of stamps that its rate is measured over
MISSING_S = 5.0  # a stream that has not appeared after this long is reported (s)
STALLED_S = 3.0  # a regular stream without a sample for this long, or three samples, is stalled (s)
CLOSE_S = 1.0  # how long closing may take (s)


class AuxAcquisition:
    """Acquisition of one stream beside the EEG. Nothing that happens to it ends or delays the run.

    Parameters
    ----------
    source : AuxSource
        Opened again whenever it is lost.
    k : int
        Its number, for its state in `Health.streams`.
    deliver : callable
        Receives its description and every chunk, on its thread. The index continues while the stream is the same.
    mark : callable
        Receives text and time (s, our clock) of each sample that is a marker; returns False before the EEG has begun.
    vitals : Vitals
        Receives its state, notes and faults.
    """

    def __init__(
        self, source: AuxSource, k: int, deliver: Callable[[AuxInfo, AuxChunk], object],
        mark: Callable[[str, float], bool], vitals: Vitals,
    ) -> None:  # fmt: skip
        self._source, self._k, self._deliver, self._mark, self._vitals = source, k, deliver, mark, vitals
        source.report = vitals.note
        self._info: AuxInfo | None = None
        self._end = self._early = 0
        self._last: float | None = None  # stamp of the newest sample (s, our clock)
        self._recent: deque[tuple[int, float]] = deque()  # (samples so far, stamp) of the last chunks
        self._state = AuxState(source.url)
        self._shown, self._arrived = 0.0, clock.now()
        self._off = threading.Event()
        work = partial(self._run, self._off)
        self._thread = GuardedThread(work, f"mood-also-{k}", vitals.fault, restart_until=self._off)
        vitals.beside(k, self._state)

    @property
    def name(self) -> str:
        """The URL of the stream."""
        return self._source.url

    def start(self) -> None:
        """Start its thread; returns at once."""
        self._thread.start()

    def close(self) -> None:
        """Stop it. May be called twice."""
        self._off.set()
        self._thread.join(CLOSE_S)

    def _run(self, off: threading.Event) -> None:
        began = clock.now()
        try:
            while not off.is_set():
                try:
                    with closing(self._source.open(off)) as stream:
                        self._read(stream, off)
                except SourceLost as error:
                    self._vitals.note(f"{error} · the run goes on without it")
                    self._show(State.RECONNECTING)
                except MoodError as error:
                    is_late = self._info is None and clock.now() - began > MISSING_S
                    if is_late or not isinstance(error, SourceNotFound):
                        self._vitals.note(f"{error} · the run goes on without it")
                        began = clock.now()
                    self._show()
        finally:
            self._source.close()

    def _read(self, stream: AuxStream, off: threading.Event) -> None:
        """Pass on the chunks of one stream until it is gone."""
        info = stream.info
        self._vitals.note(*info.notes)
        is_back = info == self._info
        if not is_back:
            self._info, self._end, self._last = info, 0, None
            self._recent.clear()
        base = self._end
        while not off.is_set():
            if (chunk := stream.read(READ_S)) is not None:
                if is_back and len(chunk):
                    missed, is_back = self._missed(info, float(chunk.stamps[0])), False
                    base, chunk = base + missed, replace(chunk, lost=chunk.lost + missed)
                self._take(info, replace(chunk, first=chunk.first + base))
            silent_s = clock.now() - self._arrived
            stalled = info.sfreq and info.format != STRING and silent_s > max(STALLED_S, 3 / info.sfreq)
            self._show(State.STALLED if stalled else State.LIVE)

    def _missed(self, info: AuxInfo, stamp: float) -> int:
        """Samples that a stream which returned with this stamp (s) has missed; reports them."""
        missed = 0 if self._last is None else max(0, round((stamp - self._last) * info.sfreq) - 1)
        lost = f"{missed:,} samples" if missed else "nothing"
        self._vitals.note(f"{info.url}: came back after {clock.now() - self._arrived:.1f} s, {lost} lost")
        return missed

    def _take(self, info: AuxInfo, chunk: AuxChunk) -> None:
        self._deliver(info, chunk)
        if not len(chunk):
            return
        state, self._end, self._last = self._state, chunk.end, float(chunk.stamps[-1])
        self._arrived = clock.now()
        self._state = replace(
            state, name=info.name, kind=info.kind, samples=state.samples + len(chunk), lost=state.lost + chunk.lost
        )
        self._recent.append((self._state.samples, self._last))
        while self._last - self._recent[0][1] > RATE_S:
            self._recent.popleft()
        if info.in_markers:
            for row, t in zip(chunk.values, chunk.stamps.tolist(), strict=True):
                for text in texts_of(row, info.type, info.ch_names):
                    self._pass_on(text, t)

    def _pass_on(self, text: str, t: float) -> None:
        if not self._mark(text, t):
            self._early += 1
        elif self._early:
            self._vitals.note(f"{self._source.url}: {self._early} came before the signal and were left out")
            self._early = 0

    def _show(self, state: State | None = None) -> None:
        """Update its state for others, at once where its phase has changed."""
        now, phase = clock.now(), state or self._state.state
        if phase is self._state.state and now - self._shown < SHOW_S:
            return
        (before, begin), (count, end) = (self._recent[0], self._recent[-1]) if self._recent else ((0, 0.0), (0, 0.0))
        self._shown, self._state = now, replace(
            self._state, state=phase, age_s=None if self._last is None else round(max(0.0, now - self._last), 3),
            rate_hz=round((count - before) / (end - begin), 3) if end > begin else None,
        )  # fmt: skip
        self._vitals.beside(self._k, self._state)

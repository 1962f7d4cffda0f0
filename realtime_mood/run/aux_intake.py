"""Intake of one stream beside the EEG: its count, state and ring, whatever thread its chunks come from."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import replace

from .. import clock
from ..aux_ring import AuxRing
from ..auxiliary import STRING, AuxChunk, AuxInfo
from ..health import AuxState, State, Vitals
from ..sources.marker_words import texts_of

SHOW_S = 0.25  # interval (s) of updates of its state
MOST_EARLIER = 2
RATE_S = 10.0  # seconds of stamps that its rate is measured over
STALLED_S = 3.0  # a regular stream without a sample for this long, or three samples, is stalled (s)

Deliver = Callable[[AuxInfo, AuxChunk], object]
Mark = Callable[[str, float], bool]


class AuxIntake:
    """Counts, measures and passes on the chunks of one stream. Used by one thread at a time.

    Parameters
    ----------
    url : str
        Names it until it is there.
    k : int
        Its number, for its state in `Health.streams`.
    deliver : callable
        Receives its description and every chunk. The index continues while the stream is the same.
    mark : callable
        Receives text and time (s, our clock) of each sample that is a marker; returns False before the EEG has begun.
    vitals : Vitals
        Receives its state and notes.
    is_carried : bool
        Its device reports a return for it.
    """

    def __init__(
        self, url: str, k: int, deliver: Deliver, mark: Mark, vitals: Vitals, *, is_carried: bool = False
    ) -> None:
        self._is_carried = is_carried
        self.url, self._k, self._deliver, self._mark, self._vitals = url, k, deliver, mark, vitals
        self.ring: AuxRing | None = None  # None before it was first there
        self.earlier: list[AuxRing] = []  # of other streams in its place, for recordings that begin now
        self._base = self._end = self._early = 0
        self._is_back = False  # it was opened again, and no sample has arrived since
        self._last: float | None = None  # stamp of the newest sample (s, our clock)
        self._recent: deque[tuple[int, float]] = deque()  # (samples so far, stamp) of the last chunks
        self._state = AuxState(url)
        self._shown, self._arrived = 0.0, clock.now()
        vitals.beside(k, self._state)

    @property
    def info(self) -> AuxInfo | None:
        """Description of the stream; None before it was first there."""
        return self.ring.info if self.ring else None

    @property
    def n_taken(self) -> int:
        """How many samples there were since it was opened last."""
        return self._end - self._base

    def begin(self, info: AuxInfo) -> None:
        """Begin with a stream that counts from 0, or count on where it is the same as before."""
        self._vitals.note(*info.notes)
        self._is_back = info == self.info
        if not self._is_back:
            if self.ring is not None:
                self.earlier = [*self.earlier[1 - MOST_EARLIER :], self.ring]
            self.ring, self._end, self._last = AuxRing(info), 0, None
            self._recent.clear()
            self._state = replace(self._state, name=info.name, kind=info.kind)
        self._base = self._end

    def take(self, chunk: AuxChunk) -> None:
        """Take the next chunk of the stream that has begun."""
        ring = self.ring
        assert ring is not None
        if self._is_back and len(chunk):
            missed, self._is_back = self._missed(ring.info, float(chunk.stamps[0])), False
            self._base, chunk = self._base + missed, replace(chunk, lost=chunk.lost + missed)
        chunk = replace(chunk, first=chunk.first + self._base)
        ring.write(chunk)  # first, so that a recording which begins now finds it there or receives it
        self._deliver(ring.info, chunk)
        if not len(chunk):
            return
        self._count(chunk)
        if ring.info.in_markers:
            for row, t in zip(chunk.values, chunk.stamps.tolist(), strict=True):
                for text in texts_of(row, ring.info.type, ring.info.ch_names):
                    self._pass_on(text, t)

    def _missed(self, info: AuxInfo, stamp: float) -> int:
        """Samples that a stream which returned with this stamp (s) has missed; reports them."""
        missed = 0 if self._last is None else max(0, round((stamp - self._last) * info.sfreq) - 1)
        lost = f"{missed:,} samples" if missed else "nothing"
        if not self._is_carried:
            self._vitals.note(f"{info.url}: came back after {clock.now() - self._arrived:.1f} s, {lost} lost")
        return missed

    def _count(self, chunk: AuxChunk) -> None:
        state, self._end, self._last = self._state, chunk.end, float(chunk.stamps[-1])
        self._arrived = clock.now()
        self._state = replace(state, samples=state.samples + len(chunk), lost=state.lost + chunk.lost)
        self._recent.append((self._state.samples, self._last))
        while self._last - self._recent[0][1] > RATE_S:
            self._recent.popleft()

    def _pass_on(self, text: str, t: float) -> None:
        if not self._mark(text, t):
            self._early += 1
        elif self._early:
            self._vitals.note(f"{self.url}: {self._early} came before the signal and were left out")
            self._early = 0

    def show_presence(self) -> None:
        """Update its state while it is there: live, or stalled."""
        info, silent_s = self.info, clock.now() - self._arrived
        regular = info is not None and info.sfreq and info.format != STRING
        stalled = regular and info is not None and silent_s > max(STALLED_S, 3 / info.sfreq)
        self.show(State.STALLED if stalled else State.LIVE)

    def show(self, state: State | None = None, *, at_once: bool = False) -> None:
        """Update its state for others, at once where its phase has changed."""
        now, phase = clock.now(), state or self._state.state
        if phase is self._state.state and now - self._shown < SHOW_S and not at_once:
            return
        (before, begin), (count, end) = (self._recent[0], self._recent[-1]) if self._recent else ((0, 0.0), (0, 0.0))
        self._shown, self._state = now, replace(
            self._state, state=phase, age_s=None if self._last is None else round(max(0.0, now - self._last), 3),
            rate_hz=round((count - before) / (end - begin), 3) if end > begin else None,
        )  # fmt: skip
        self._vitals.beside(self._k, self._state)


class CarriedIntakes:
    """Intakes of the streams that the EEG's own device or file carries; they are numbered from `n_before`."""

    def __init__(self, n_before: int, deliver: Deliver, vitals: Vitals) -> None:
        self._n_before, self._deliver, self._vitals = n_before, deliver, vitals
        self.intakes: dict[str, AuxIntake] = {}

    def take(self, info: AuxInfo, chunk: AuxChunk) -> None:
        """Take a chunk of one of them; one whose count starts again was opened again."""
        intake = self.intakes.get(info.url)
        if intake is None:
            k = self._n_before + len(self.intakes)
            # the markers of a file or a board come with its EEG
            intake = AuxIntake(info.url, k, self._deliver, lambda text, t: True, self._vitals, is_carried=True)
            self.intakes = {**self.intakes, info.url: intake}
        if intake.info != info or (intake.n_taken and chunk.first == chunk.lost):
            intake.begin(info)
        intake.take(chunk)

    def rings(self) -> list[AuxRing]:
        """Their newest samples."""
        return [it.ring for it in self.intakes.values() if it.ring is not None]

    def show(self, is_there: bool) -> None:
        """Update the states of all, which are there while their device is."""
        for intake in self.intakes.values():
            if is_there:
                intake.show_presence()
            else:
                intake.show(State.RECONNECTING)

    def end(self) -> None:
        """Show the last counts."""
        for intake in self.intakes.values():
            intake.show(at_once=True)

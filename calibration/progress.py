"""Progress of a calibration session: a pure state machine in samples of the stream, without clock, thread or screen.

Time is stream time. While a headset is disconnected no sample arrives and nothing advances; the samples that were
missed appear as a gap, and the step in which it occurred is repeated after a lead-in. Fitting uses the events, which
are written to the recording as markers:

    block/7/1/begin/positive            the first attempt at block 7 begins at this sample
    block/7/1/end                       it was completed: this is its last sample
    block/7/1/cancelled/samples lost    or it was not, and will be repeated
    report/7/1/answer/0.5,-0.2          the subject's rating: valence, arousal

`CalibrationProgress` is frozen: every method returns the next state, and the events that happened.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum

from realtime_mood.language import N_

from .protocol import LEAD_S, BlockPlan, Step

GAP_LEAD_S = 8.0  # lead-in after a gap: the filters settle, and the context of a reading fills
MOST_ATTEMPTS = 3  # at one step; then the session continues without it
LONGEST_GAP_S = 0.25  # the gap filler bridges gaps up to this length


class Mode(Enum):
    """Whether the session advances."""

    RUNNING = "running"
    PAUSED = "paused"
    DONE = "done"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class Event:
    """An event at a sample of the stream."""

    index: int
    text: str


Change = tuple["CalibrationProgress", tuple[Event, ...]]  # the next state, and the events that happened


@dataclass(frozen=True, slots=True)
class CalibrationProgress:
    """State of a session of `plan`. Begin with `CalibrationProgress.of`."""

    plan: BlockPlan
    sfreq: float
    at: int = 0  # index of the step
    left: int = 0  # remaining samples of the step
    lead: int = 0  # samples until the step begins, where it is repeated
    attempt: int = 1
    begun: bool = False
    mode: Mode = Mode.RUNNING
    why: str = ""  # why the session is paused, or why the step is repeated
    skipped: tuple[int, ...] = ()  # indices of the steps that were skipped after `MOST_ATTEMPTS`

    @classmethod
    def of(cls, plan: BlockPlan, sfreq: float) -> CalibrationProgress:
        """The state before the first sample."""
        return cls(plan, sfreq)._to(0)

    @property
    def step(self) -> Step | None:
        """The current step, or the one about to begin; None when the session is over."""
        return self.plan.steps[self.at] if self.at < len(self.plan.steps) and not self.over else None

    @property
    def over(self) -> bool:
        return self.mode in (Mode.DONE, Mode.STOPPED)

    @property
    def left_s(self) -> float:
        """Remaining seconds of the step, or of its lead-in."""
        return (self.lead or self.left) / self.sfreq

    @property
    def fraction(self) -> float:
        """Share of the plan that is completed, 0 to 1."""
        behind = sum(step.seconds for step in self.plan.steps[: self.at])
        if self.step is not None and self.begun:
            behind += self.step.seconds - self.left / self.sfreq
        return behind / self.plan.seconds if self.plan.seconds else 1.0

    @property
    def virtual(self) -> str:
        """The state that a virtual subject should be in now."""
        step = self.step
        return step.virtual if step is not None and step.kind == "block" and self.begun else "rest"

    # -- samples and actions ------------------------------------------------------------------------------------

    def advance(self, first: int, end: int, lost: int = 0) -> Change:
        """Samples ``[first, end)`` arrived, after `lost` that were not received."""
        state, events = self, list[Event]()
        if lost > LONGEST_GAP_S * self.sfreq:
            state, more = state.invalidate(N_("samples lost"), first, GAP_LEAD_S)
            events += more
        at = first
        while not state.over and state.mode is Mode.RUNNING:
            if state.lead:
                used = min(state.lead, end - at)
                state, at = replace(state, lead=state.lead - used), at + used
                if state.lead:
                    break
            if not state.begun:
                if at >= end:
                    break
                state = replace(state, begun=True, why="")
                events.append(Event(at, state._marker("begin", state._step.label)))
            if state._step.kind == "report":
                break
            used = min(state.left, end - at)
            state, at = replace(state, left=state.left - used), at + used
            if state.left:
                break
            events.append(Event(at - 1, state._marker("end")))
            state = state._to(state.at + 1)
        return state, tuple(events)

    def invalidate(self, why: str, index: int, lead_s: float = LEAD_S) -> Change:
        """The data of the current step cannot be used: repeat it, or skip it after `MOST_ATTEMPTS`."""
        state, events = self._restarted(why, index, lead_s)
        if events and self.attempt >= MOST_ATTEMPTS:
            return replace(self, skipped=(*self.skipped, self.at))._to(self.at + 1), events
        return (replace(state, attempt=self.attempt + 1) if events else state), events

    def pause(self, why: str, index: int) -> Change:
        """Pause until `resume`. The current step will be repeated, which does not count as an attempt."""
        if self.over or self.mode is Mode.PAUSED:
            return self, ()
        state, events = self._restarted(why, index, LEAD_S)
        return replace(state, mode=Mode.PAUSED, why=why), (*events, Event(index, f"pause/{why.replace('/', ' ')}"))

    def resume(self, index: int) -> Change:
        """Continue after a pause."""
        if self.mode is not Mode.PAUSED:
            return self, ()
        return replace(self, mode=Mode.RUNNING), (Event(index, "resume"),)

    def answer(self, valence: float | None, arousal: float | None, index: int) -> Change:
        """The subject's rating of the block; None where they prefer not to answer."""
        if self.over or not self.begun or self._step.kind != "report":
            return self, ()
        rating = "none" if valence is None or arousal is None else f"{valence:.2f},{arousal:.2f}"
        return self._to(self.at + 1), (Event(index, self._marker("answer", rating)),)

    def stop(self, index: int) -> Change:
        """Stop the session for good, at the subject's request."""
        if self.over:
            return self, ()
        return replace(self, mode=Mode.STOPPED), (Event(index, "stop"),)

    # -- inside -------------------------------------------------------------------------------------------------

    @property
    def _step(self) -> Step:
        return self.plan.steps[self.at]

    def _restarted(self, why: str, index: int, lead_s: float) -> Change:
        """The step cancelled and not yet begun again, if it had begun and its data are used."""
        if not self.begun or self.over or not self._step.counts:
            return self, ()
        lead, left = round(lead_s * self.sfreq), round(self._step.seconds * self.sfreq)
        cancelled = Event(index, self._marker("cancelled", why.replace("/", " ")))
        return replace(self, begun=False, lead=lead, left=left, why=why), (cancelled,)

    def _to(self, at: int) -> CalibrationProgress:
        if at >= len(self.plan.steps):
            return replace(self, at=at, left=0, begun=False, mode=Mode.DONE, why="")
        left = round(self.plan.steps[at].seconds * self.sfreq)
        return replace(self, at=at, left=left, lead=0, attempt=1, begun=False, why="")

    def _marker(self, *parts: str) -> str:
        step = self._step
        return "/".join([step.kind, str(step.number), str(self.attempt), *filter(None, parts)])

"""Where a person stands in a plan: a pure state machine, in samples of the stream, with no clock, thread or screen.

Stream time is the only time there is. While a headset is away no sample comes and nothing moves; what it missed shows
as a hole, and the step it fell into is done anew, after some seconds to get ready. Whatever is learnt from rests on
the events, which are written to the recording as markers:

    block/7/1/begin/positive    the first try of block 7 begins at this sample
    block/7/1/end               and was gone through to its end: this is its last one
    block/7/1/cancelled/hole    or was not, and will be done anew
    report/7/1/answer/0.5,-0.2  what the person said of it: valence, arousal

`CalibrationProgress` is frozen: every method gives the sitting that follows, and what happened.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum

from .protocol import LEAD_S, BlockPlan, Step

HOLE_LEAD_S = 8.0  # after a hole the filters settle, and a context has to fill
MOST_TRIES = 3  # of one step; then the sitting goes on without it
LONGEST_HOLE_S = 0.25  # what the filters bridge


class Mode(Enum):
    """Whether the sitting moves on."""

    RUNNING = "running"
    PAUSED = "paused"
    DONE = "done"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened at a sample."""

    index: int
    text: str


@dataclass(frozen=True, slots=True)
class CalibrationProgress:
    """One moment of a plan being gone through. Begin with `CalibrationProgress.of`."""

    plan: BlockPlan
    sfreq: float
    at: int = 0
    """Which step."""
    left: int = 0
    """Samples of the step that are still to come."""
    lead: int = 0
    """Samples until the step begins: it is being done anew."""
    attempt: int = 1
    begun: bool = False
    mode: Mode = Mode.RUNNING
    why: str = ""
    """Why it is paused, or what is done anew."""
    skipped: int = 0
    """Blocks that were given up after `MOST_TRIES`."""

    @classmethod
    def of(cls, plan: BlockPlan, sfreq: float) -> CalibrationProgress:
        """Before the first sample."""
        return cls(plan, sfreq)._to(0)

    @property
    def step(self) -> Step | None:
        """What is being done, or got ready for; None when all is over."""
        return self.plan.steps[self.at] if self.at < len(self.plan.steps) and not self.over else None

    @property
    def over(self) -> bool:
        return self.mode in (Mode.DONE, Mode.STOPPED)

    @property
    def left_s(self) -> float:
        """Seconds until what is shown now is over."""
        return (self.lead or self.left) / self.sfreq

    @property
    def progress(self) -> float:
        """How much of the plan lies behind, 0 to 1."""
        behind = sum(step.seconds for step in self.plan.steps[: self.at])
        step = self.step
        if step is not None and self.begun:
            behind += step.seconds - self.left / self.sfreq
        return behind / self.plan.seconds if self.plan.seconds else 1.0

    @property
    def virtual(self) -> str:
        """The state a virtual person is in now."""
        step = self.step
        return step.virtual if step is not None and step.kind == "block" and self.begun else "rest"

    # -- what happens to it -------------------------------------------------------------------------------------

    def advance(self, first: int, end: int, lost: int = 0) -> tuple[CalibrationProgress, tuple[Event, ...]]:
        """Samples ``[first, end)`` came, after `lost` that did not."""
        it, events = self, list[Event]()
        if lost > LONGEST_HOLE_S * self.sfreq:
            it, more = it.spoil("samples lost", first, HOLE_LEAD_S)
            events += more
        at = first
        while not it.over and it.mode is Mode.RUNNING:
            if it.lead:
                used = min(it.lead, end - at)
                it, at = replace(it, lead=it.lead - used), at + used
                if it.lead:
                    break
            if not it.begun:
                if at >= end:
                    break
                it = replace(it, begun=True, why="")
                events.append(Event(at, it._said("begin", it._step.label)))
            if it._step.kind == "report":
                break
            used = min(it.left, end - at)
            it, at = replace(it, left=it.left - used), at + used
            if it.left:
                break
            events.append(Event(at - 1, it._said("end")))
            it = it._to(it.at + 1)
        return it, tuple(events)

    def spoil(self, why: str, index: int, lead_s: float = LEAD_S) -> tuple[CalibrationProgress, tuple[Event, ...]]:
        """What is being done is no use any more: it is done anew, or given up when that was tried before."""
        it, events = self._anew(why, index, lead_s)
        if events and self.attempt >= MOST_TRIES:
            return replace(self, skipped=self.skipped + 1)._to(self.at + 1), events
        return (replace(it, attempt=self.attempt + 1) if events else it), events

    def pause(self, why: str, index: int) -> tuple[CalibrationProgress, tuple[Event, ...]]:
        """Stand still until `resume`; what was being done will be done anew, and that is no try the less."""
        if self.over or self.mode is Mode.PAUSED:
            return self, ()
        it, events = self._anew(why, index, LEAD_S)
        return replace(it, mode=Mode.PAUSED, why=why), (*events, Event(index, f"pause/{why.replace('/', ' ')}"))

    def resume(self, index: int) -> tuple[CalibrationProgress, tuple[Event, ...]]:
        """Go on."""
        if self.mode is not Mode.PAUSED:
            return self, ()
        return replace(self, mode=Mode.RUNNING), (Event(index, "resume"),)

    def answer(
        self, valence: float | None, arousal: float | None, index: int
    ) -> tuple[CalibrationProgress, tuple[Event, ...]]:
        """What the person says of the block; None where they would rather not."""
        if self.over or not self.begun or self._step.kind != "report":
            return self, ()
        said = "none" if valence is None or arousal is None else f"{valence:.2f},{arousal:.2f}"
        return self._to(self.at + 1), (Event(index, self._said("answer", said)),)

    def stop(self, index: int) -> tuple[CalibrationProgress, tuple[Event, ...]]:
        """The person has had enough; that is final."""
        if self.over:
            return self, ()
        return replace(self, mode=Mode.STOPPED, why="stopped"), (Event(index, "stop"),)

    # -- inside -------------------------------------------------------------------------------------------------

    @property
    def _step(self) -> Step:
        return self.plan.steps[self.at]

    def _anew(self, why: str, index: int, lead_s: float) -> tuple[CalibrationProgress, tuple[Event, ...]]:
        """The step cancelled and not begun, if it had begun and counts."""
        if not self.begun or self.over or not self._step.counts:
            return self, ()
        lead, left = round(lead_s * self.sfreq), round(self._step.seconds * self.sfreq)
        cancelled = Event(index, self._said("cancelled", why.replace("/", " ")))
        return replace(self, begun=False, lead=lead, left=left, why=why), (cancelled,)

    def _to(self, at: int) -> CalibrationProgress:
        if at >= len(self.plan.steps):
            return replace(self, at=at, left=0, begun=False, mode=Mode.DONE, why="")
        left = round(self.plan.steps[at].seconds * self.sfreq)
        return replace(self, at=at, left=left, lead=0, attempt=1, begun=False, why="")

    def _said(self, *words: str) -> str:
        step = self._step
        return "/".join([step.kind, str(step.number), str(self.attempt), *filter(None, words)])

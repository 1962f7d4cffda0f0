"""Turns one look at a session into everything the window says and allows. Knows no toolkit."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from realtime_mood.health import State
from realtime_mood.types import Abstained, Reading, Why
from realtime_mood.viewmodel.state import ViewState
from realtime_mood.viewmodel.words import StyledText

from ..progress import CalibrationProgress, Mode
from ..protocol import PICTURES, BlockPlan, Step, clock_words
from ..session import Look
from . import words
from .words import Ending

GOOD_S = 2.0  # how long all electrodes have to be good before one may begin
UNSURE = (Why.SETTLING, Why.STALE, Why.GAP)  # readings whose quality says nothing about the electrodes


class Stage(Enum):
    """How far the window is."""

    WELCOME = "welcome"
    OPENING = "opening"
    SITTING = "sitting"
    STOPPING = "stopping"
    FITTING = "fitting"
    OVER = "over"


class Page(Enum):
    """What the window shows."""

    WELCOME = "welcome"
    GATE = "gate"
    CUE = "cue"
    REPORT = "report"
    BUSY = "busy"
    ENDING = "ending"


@dataclass(frozen=True, slots=True)
class Gate:
    """The page before the first step."""

    sentence: StyledText
    hint: str
    may_begin: bool
    offers_anyway: bool
    """Whether there is something to overlook; the cost is `words.COST`."""


@dataclass(frozen=True, slots=True)
class CueView:
    """The page of a step."""

    where: str
    """Which step of how many."""
    text: str
    note: str
    """Below the text: why something is done anew, how to go on."""
    role: str
    clock: str
    progress: float
    """0 to 1."""
    dot: bool
    eyes_closed: bool
    media: tuple[str, ...]
    seconds: float
    """Of the step."""
    gone_s: float
    """Of the step so far."""
    key: str
    """``block/3/1`` while something is learnt from what is shown; empty otherwise."""
    paused: bool
    may_pause: bool
    may_repeat: bool
    trouble: StyledText
    """What is wrong with the signal or the recording; empty when nothing is."""


@dataclass(frozen=True, slots=True)
class RatingRequest:
    """The page that asks how a block felt."""

    text: str
    where: str
    progress: float
    open: bool
    """Whether an answer is taken already."""


@dataclass(frozen=True, slots=True)
class Busy:
    """The page of waiting."""

    text: str
    done: float | None
    """0 to 1; None while nobody knows."""


@dataclass(frozen=True, slots=True, eq=False)
class CalibrationPage:
    """All that the window shows."""

    page: Page
    badges: tuple[StyledText, ...] = ()
    view: ViewState | None = None
    gate: Gate | None = None
    cue: CueView | None = None
    report: RatingRequest | None = None
    busy: Busy | None = None
    ending: Ending | None = None


def page_of(stage: Stage, look: Look | None) -> Page:
    """Which page is up."""
    match stage:
        case Stage.WELCOME:
            return Page.WELCOME
        case Stage.STOPPING | Stage.FITTING:
            return Page.BUSY
        case Stage.OVER:
            return Page.ENDING
        case Stage.OPENING:
            return Page.GATE
    if look is None or look.sitting is None or look.held:
        return Page.GATE
    step, paused = look.sitting.step, look.sitting.mode is Mode.PAUSED
    if step is not None and step.kind == "report" and not paused and not look.away:
        return Page.REPORT
    return Page.CUE


# -- before the first step --------------------------------------------------------------------------------------


def good_s(readings: Sequence[Reading], sfreq: float) -> float:
    """For how long every electrode has been good, up to the newest reading."""
    began = None
    for reading in reversed(readings):
        why = reading.why if isinstance(reading, Abstained) else None
        if why in UNSURE or reading.quality is None or not reading.quality.good.all():
            break
        began = reading.end
    return 0.0 if began is None else (readings[-1].end - began) / sfreq


def gate_of(look: Look | None, view: ViewState | None, readings: Sequence[Reading], anyway: bool) -> Gate:
    """Whether one may begin, and what to mend before.

    Parameters
    ----------
    look : Look or None
        None while the source is being opened.
    view : ViewState or None
        What the electrodes say.
    readings : sequence of Reading
        The newest ones, oldest first.
    anyway : bool
        Whether the person would rather not mend anything.
    """
    if look is None or view is None or look.health.info is None or not readings:
        opened = look is not None and look.health.info is not None
        text = "Waiting for the first samples" if opened else "Connecting to the headset"
        return Gate(StyledText(text, "info"), "", False, False)
    if look.away or look.health.state is not State.LIVE:
        return Gate(StyledText(view.banner.text, "warn"), "", False, False)
    newest = readings[-1]
    if isinstance(newest, Abstained) and newest.why in UNSURE:
        return Gate(
            StyledText(view.banner.text, view.banner.role), "Sit still: the filters find their level.", False, False
        )
    if fix := words.to_fix(view.electrodes):
        return Gate(StyledText(fix, "bad"), words.remedy(view.electrodes), anyway, True)
    if good_s(readings, look.health.info.sfreq) >= GOOD_S:
        return Gate(
            StyledText(f"All {len(view.electrodes)} electrodes are good", "ok"),
            "Begin when you are ready.",
            True,
            False,
        )
    return Gate(StyledText("Good so far: a moment more", "info"), "", anyway, True)


# -- while it goes on -------------------------------------------------------------------------------------------


def cue_of(look: Look, plan: BlockPlan, trouble: str = "", view: ViewState | None = None) -> CueView:
    """What the page of a step says.

    Parameters
    ----------
    trouble : str
        Why the media of the step cannot be shown; it is paused then.
    view : ViewState, optional
        What the electrodes say.
    """
    sitting = look.sitting
    assert sitting is not None
    step = sitting.step or plan.steps[-1]
    paused, lead = sitting.mode is Mode.PAUSED, sitting.lead > 0
    running = sitting.begun and not paused and not look.away
    closed = step.kind == "rest" and step.label == "closed"
    text, note, role = _said(look, sitting, step, trouble)
    learnt = running and step.counts
    gone_s = step.seconds - sitting.left_s if sitting.begun else 0.0
    return CueView(
        where=_where(step, plan), text=text, note=note, role=role,
        clock="" if paused or look.away or step.kind == "report" else clock_words(math.ceil(sitting.left_s)),
        progress=sitting.progress, dot=learnt and not step.media and not closed, eyes_closed=running and closed,
        media=step.media if running else (), seconds=step.seconds, gone_s=gone_s,
        key=f"{step.kind}/{step.number}/{sitting.attempt}" if learnt else "",
        paused=paused, may_pause=not sitting.over, may_repeat=learnt and not lead,
        trouble=_trouble(look, view),
    )  # fmt: skip


def _said(look: Look, sitting: CalibrationProgress, step: Step, trouble: str) -> tuple[str, str, str]:
    """Text, note and role."""
    if look.away:
        return words.AWAY, "Keep the recording going: leave this window open.", "warn"
    if sitting.mode is Mode.PAUSED:
        what = "What you were doing will be done anew. " if sitting.lead or not sitting.begun else ""
        return "Paused", f"{trouble} {what}Space goes on.".strip(), "warn" if trouble else "text"
    if sitting.lead:
        return "Get ready", f"This will be done anew: {sitting.why}", "text"
    return step.text, "", "dim" if step.kind == "washout" else "text"


def _where(step: Step, plan: BlockPlan) -> str:
    kind = "rest" if step.kind == "rest" else "block"
    n_all = sum(other.kind == kind for other in plan.steps)
    return f"{kind.capitalize()} {step.number} of {n_all}"


def _trouble(look: Look, view: ViewState | None) -> StyledText:
    recording = look.health.recording
    if recording is not None and recording.trouble:
        return StyledText(recording.trouble[:1].upper() + recording.trouble[1:], "bad")
    if view is None or getattr(look.latest, "why", None) in UNSURE:
        return StyledText("")
    return StyledText(words.to_fix(view.electrodes), "warn")


def report_of(look: Look, plan: BlockPlan) -> RatingRequest:
    """The page that asks."""
    sitting = look.sitting
    assert sitting is not None
    assert sitting.step is not None
    return RatingRequest(sitting.step.text, _where(sitting.step, plan), sitting.progress, sitting.begun)


def rings(before: CueView | None, after: CueView | None) -> bool:
    """Whether a tone is due: somebody sits with closed eyes, and what they were doing is over, for whatever reason."""
    return before is not None and before.eyes_closed and (after is None or not after.eyes_closed)


# -- pictures ---------------------------------------------------------------------------------------------------


def is_picture(name: str) -> bool:
    """Whether a file is looked at, and not played."""
    return Path(name).suffix.lower() in PICTURES


def share_s(files: Sequence[str], seconds: float) -> float:
    """How long a picture stays: a block is divided evenly among its files."""
    return seconds / max(1, len(files))


def badges_of(virtual: bool, view: ViewState | None) -> tuple[StyledText, ...]:
    """Short words that must not be overlooked: those of every window, less what a calibration is there to mend."""
    badges = [badge for badge in (view.badges if view else ()) if badge.text != "not calibrated"]
    if virtual and not any(badge.role == "virtual" for badge in badges):
        badges.append(StyledText("VIRTUAL PERSON", "virtual", "This signal is made by a simulation, not by a person."))
    return tuple(badges)

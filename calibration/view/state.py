"""View model of the calibration window: what each page shows and allows, from one `Look` at a session. Without Qt."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import takewhile
from pathlib import Path

from realtime_mood.health import State
from realtime_mood.language import N_, _, ngettext
from realtime_mood.language.terms import SIMULATED
from realtime_mood.types import Abstained, Reading, Why
from realtime_mood.viewmodel.notes import translated
from realtime_mood.viewmodel.state import ViewState
from realtime_mood.viewmodel.words import StyledText, first_upper

from ..progress import CalibrationProgress, Mode
from ..protocol import PICTURES, BlockPlan, Step, clock_words
from ..session import Look
from . import words
from .words import Ending

GOOD_S = 2.0  # how long all electrodes must have been good before the session can begin
UNSURE = (Why.SETTLING, Why.STALE, Why.GAP)  # reasons for which a reading's quality says nothing about electrodes


Stage = Enum("Stage", ["WELCOME", "OPENING", "RUNNING", "STOPPING", "FITTING", "OVER"])  # stage of the window
Page = Enum("Page", ["WELCOME", "GATE", "CUE", "RATING", "BUSY", "ENDING"])  # page that the window shows
PAGES = {
    Stage.WELCOME: Page.WELCOME, Stage.OPENING: Page.GATE, Stage.STOPPING: Page.BUSY, Stage.FITTING: Page.BUSY,
    Stage.OVER: Page.ENDING,
}  # fmt: skip
"""Page of each stage; that of `Stage.RUNNING` depends on the step."""


@dataclass(frozen=True, slots=True)
class Gate:
    """The page before the first step."""

    sentence: StyledText
    hint: str = ""
    may_begin: bool = False
    # whether the session can be begun in spite of bad electrodes; `words.cost` says what that costs
    offers_anyway: bool = False


@dataclass(frozen=True, slots=True)
class CueView:
    """The page of a step."""

    where: str  # number of the step, and how many there are
    text: str
    note: str  # below the text: why a step is repeated, or how to continue
    role: str
    clock: str
    progress: float  # 0 to 1
    dot: bool
    eyes_closed: bool
    media: tuple[str, ...]
    seconds: float  # duration of the step
    elapsed_s: float  # elapsed time of the step
    key: str  # ``block/3/1`` while the step's data are used; empty otherwise
    paused: bool
    may_pause: bool
    may_repeat: bool
    trouble: StyledText  # problem of the signal or the recording; empty when there is none


@dataclass(frozen=True, slots=True)
class RatingRequest:
    """The self-rating page."""

    text: str
    where: str
    progress: float
    open: bool  # whether answers are accepted


@dataclass(frozen=True, slots=True)
class Busy:
    """The page shown while something is being done."""

    text: str
    done: float | None  # 0 to 1; None while that is not known


@dataclass(frozen=True, slots=True, eq=False)
class CalibrationPage:
    """Everything that the window shows."""

    page: Page
    badges: tuple[StyledText, ...] = ()
    view: ViewState | None = None
    gate: Gate | None = None
    cue: CueView | None = None
    rating: RatingRequest | None = None
    busy: Busy | None = None
    ending: Ending | None = None


def page_of(stage: Stage, look: Look | None) -> Page:
    """Page to show."""
    if stage in PAGES:
        return PAGES[stage]
    if look is None or look.progress is None or look.held:
        return Page.GATE
    step, paused = look.progress.step, look.progress.mode is Mode.PAUSED
    if step is not None and step.kind == "report" and not paused and not look.away:
        return Page.RATING
    return Page.CUE


# -- before the first step --------------------------------------------------------------------------------------


def good_s(readings: Sequence[Reading], sfreq: float) -> float:
    """Seconds for which every electrode has been good, up to the newest reading."""
    good = list(takewhile(_is_good, reversed(readings)))
    return (good[0].end - good[-1].end) / sfreq if good else 0.0


def _is_good(reading: Reading) -> bool:
    is_sure = getattr(reading, "why", None) not in UNSURE
    return is_sure and reading.quality is not None and bool(reading.quality.good.all())


def gate_of(look: Look | None, view: ViewState | None, readings: Sequence[Reading], anyway: bool) -> Gate:
    """Whether the session can begin, and what to fix before.

    `look` and `view` are None while the source is being opened; with `anyway`, the subject chose to begin with bad
    electrodes.
    """
    if look is None or view is None or look.health.info is None or not readings:
        opened = look is not None and look.health.info is not None
        text = _("Waiting for the first samples") if opened else _("Connecting to the headset")
        return Gate(StyledText(text, "info"))
    if look.away or look.health.state is not State.LIVE:
        return Gate(StyledText(view.banner.text, "warn"))
    newest = readings[-1]
    if isinstance(newest, Abstained) and newest.why in UNSURE:
        return Gate(view.banner, _("Please sit still while the filters settle."))
    if fix := words.to_fix(view.electrodes):
        return Gate(StyledText(fix, "bad"), words.remedy(view.electrodes), anyway, True)
    n = len(view.electrodes)
    if good_s(readings, look.health.info.sfreq) >= GOOD_S:
        text = ngettext("{n} electrode is good", "All {n} electrodes are good", n, n=n)
        return Gate(StyledText(text, "ok"), _("Begin when you are ready."), may_begin=True)
    return Gate(StyledText(_("Good so far. Please wait a moment."), "info"), "", anyway, True)


# -- while it goes on -------------------------------------------------------------------------------------------


def cue_of(look: Look, plan: BlockPlan, trouble: str = "", view: ViewState | None = None) -> CueView:
    """The page of a step; `trouble` is why its media cannot be shown, the session is paused then."""
    progress = look.progress
    assert progress is not None
    step = progress.step or plan.steps[-1]
    paused = progress.mode is Mode.PAUSED
    running = progress.begun and not paused and not look.away
    closed = step.kind == "rest" and step.label == "closed"
    text, note, role = _texts(look, progress, step, trouble)
    is_used = running and step.counts
    elapsed_s = step.seconds - progress.left_s if progress.begun else 0.0
    return CueView(
        where=_where(step, plan), text=text, note=note, role=role,
        clock="" if paused or look.away or step.kind == "report" else clock_words(math.ceil(progress.left_s)),
        progress=progress.fraction, dot=is_used and not step.media and not closed, eyes_closed=running and closed,
        media=step.media if running else (), seconds=step.seconds, elapsed_s=elapsed_s,
        key=f"{step.kind}/{step.number}/{progress.attempt}" if is_used else "",
        paused=paused, may_pause=not progress.over, may_repeat=is_used,
        trouble=_trouble(look, view),
    )  # fmt: skip


def _texts(look: Look, progress: CalibrationProgress, step: Step, trouble: str) -> tuple[str, str, str]:
    """Text, note and role."""
    if look.away:
        return _(words.AWAY), _("The recording continues. Please leave this window open."), "warn"
    if progress.mode is Mode.PAUSED:
        repeats = _("This step will be repeated.") if progress.lead or not progress.begun else ""
        note = " ".join(filter(None, (trouble, repeats, _("Press Space to continue."))))
        return _("Paused"), note, "warn" if trouble else "text"
    if progress.lead:
        return _("Get ready"), _("This step will be repeated: {why}", why=_(progress.why)), "text"
    return _(step.text), "", "dim" if step.kind == "washout" else "text"


def _where(step: Step, plan: BlockPlan) -> str:
    kind = "rest" if step.kind == "rest" else "block"
    n_all = sum(other.kind == kind for other in plan.steps)
    text = N_("Rest {n} of {all}") if kind == "rest" else N_("Block {n} of {all}")
    return _(text, n=step.number, all=n_all)


def _trouble(look: Look, view: ViewState | None) -> StyledText:
    recording = look.health.recording
    if recording is not None and recording.trouble:
        return StyledText(first_upper(translated(recording.trouble)), "bad")
    if view is None or getattr(look.latest, "why", None) in UNSURE:
        return StyledText("")
    return StyledText(words.to_fix(view.electrodes), "warn")


def rating_of(look: Look, plan: BlockPlan) -> RatingRequest:
    """The self-rating page."""
    progress = look.progress
    assert progress is not None
    assert progress.step is not None
    return RatingRequest(_(progress.step.text), _where(progress.step, plan), progress.fraction, progress.begun)


def rings(before: CueView | None, after: CueView | None) -> bool:
    """Whether a tone is due: a step with closed eyes has ended or was interrupted."""
    return before is not None and before.eyes_closed and (after is None or not after.eyes_closed)


# -- pictures ---------------------------------------------------------------------------------------------------


def is_picture(name: str) -> bool:
    """Whether a file is a picture, and is not played."""
    return Path(name).suffix.lower() in PICTURES


def share_s(files: Sequence[str], seconds: float) -> float:
    """Duration of each picture: a block is divided evenly among its files."""
    return seconds / max(1, len(files))


def badges_of(virtual: bool, view: ViewState | None) -> tuple[StyledText, ...]:
    """Badges of the main window, except the one that says that there is no calibration."""
    badges = [badge for badge in (view.badges if view else ()) if badge.role != "dim"]
    if virtual and not any(badge.role == "virtual" for badge in badges):
        badges.append(StyledText(_(SIMULATED), "virtual", _("This signal is simulated.")))
    return tuple(badges)

"""What each button of the window does in the present state of the run, and why it is disabled if it is."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..contracts import Tap
from ..health import Health, State
from ..language import N_, _

RUNNING = (State.CONNECTING, State.LIVE, State.STALLED, State.RECONNECTING)
STOPPING = N_("Waiting for the run to end")
IN_SESSION = N_("A feedback session is open. End it first: Esc on the subject's screen, or Stop here.")
TEXTS = {
    "connect": N_("Connect…"), "calibrate": N_("Calibrate"), "record": N_("Record"), "feedback": N_("Feedback"),
    "report": N_("Report"),
}  # fmt: skip
CALIBRATE = {
    True: N_("Record the subject's own baseline in one or two minutes. This restarts the run."),
    False: N_("Calibration is not available here; run `realtime-mood calibrate`."),
}
FEEDBACK = {
    True: N_("Start a neurofeedback session for the subject. This restarts the run."),
    False: N_("Neurofeedback is not available here; run `realtime-mood feedback`."),
}


@dataclass(frozen=True, slots=True)
class RunRequest:
    """What the next start of a run is made of."""

    url: str
    profile: Path | None = None
    record: Path | None = None  # a file, or a folder in which a file is created
    tap: Tap | None = None  # gets every sample beside the recorder: a feedback session
    also: tuple[str, ...] = ()  # URLs of streams beside the EEG
    markers: tuple[str, ...] = ()  # likewise, whose samples are markers of the run


@dataclass(frozen=True, slots=True)
class Action:
    """What one button does now."""

    text: str
    enabled: bool = True
    why: str = ""  # the tooltip; the reason if the button is disabled
    ends: bool = False  # whether the button ends something that is running


@dataclass(frozen=True, slots=True)
class Actions:
    """Every button of the window."""

    run: Action
    connect: Action
    calibrate: Action
    record: Action
    feedback: Action
    report: Action


def actions_of(
    health: Health, request: RunRequest, *, stopping: bool, can_calibrate: bool = False, can_feed_back: bool = False,
    report: Path | None = None, writing: bool = False, in_session: bool = False,
) -> Actions:  # fmt: skip
    """The actions available now; `request` is the present run or the next one, `report` the newest complete recording.

    The flags: a run is ending, a report is being written, a feedback session is open.
    """
    running = health.state in RUNNING
    if stopping:
        return _disabled(_(STOPPING), Action(_("Stopping"), False, _(STOPPING)))
    if in_session:
        why = _("End the feedback session and the run; you are asked first") if running else _(IN_SESSION)
        return _disabled(_(IN_SESSION), Action(_("Stop"), running, why, ends=True))
    start, stop = Action(_("Start"), True, _("Read from the source")), Action(_("Stop"), True, _("End the run"), True)
    return Actions(
        run=stop if running else start,
        connect=Action(_(TEXTS["connect"]), True, _("Choose another headset, stream or recording")),
        calibrate=Action(_(TEXTS["calibrate"]), can_calibrate, _(CALIBRATE[can_calibrate])),
        record=_record(running, request.record is not None),
        feedback=Action(_(TEXTS["feedback"]), can_feed_back, _(FEEDBACK[can_feed_back])),
        report=_report(running, request.record is not None, report, writing),
    )


def _disabled(why: str, run: Action) -> Actions:
    """Every button but the first disabled, for one reason."""
    return Actions(run=run, **{name: Action(_(text), False, why) for name, text in TEXTS.items()})


def _record(running: bool, recording: bool) -> Action:
    if recording and running:
        why = _("Completes the recording. The run goes on.")
        return Action(_("End recording"), True, why, ends=True)
    if recording:
        return Action(_("Cancel recording"), True, _("The next run will be recorded; press to cancel."))
    if running:
        return Action(_("Record"), True, _("Record from half a minute ago on. The run goes on."))
    return Action(_("Record"), True, _("Record the next run"))


def _report(running: bool, recording: bool, report: Path | None, writing: bool) -> Action:
    if writing:
        why = _("The report is being written")
    elif running and recording:
        why = _("End the recording first: a report needs a complete one")
    elif report is None:
        why = _("Record first: a report is made from a recording")
    else:
        return Action(_("Report"), True, _("Write and open the report of {name}", name=report.name))
    return Action(_("Report"), False, why)

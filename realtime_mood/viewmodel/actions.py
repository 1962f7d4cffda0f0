"""Turns where a run stands into what each button does now, and why it cannot when it cannot. Knows no toolkit."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..contracts import Tap
from ..health import Health, State

RUNNING = (State.CONNECTING, State.LIVE, State.STALLED, State.RECONNECTING)
STOPPING = "Waiting for the run's threads to end"
IN_SESSION = "A feedback session is open: end it first, on the subject's screen (Esc) or with Stop"


@dataclass(frozen=True, slots=True)
class RunRequest:
    """What is to be run: the next start is made of it."""

    url: str
    profile: Path | None = None
    record: Path | None = None
    """A file, or a folder in which one is made."""
    tap: Tap | None = None
    """Something that hears every sample beside the recorder: a session of feedback."""


@dataclass(frozen=True, slots=True)
class Action:
    """What one button does now; `why` is its tooltip, and the reason where it is not enabled."""

    text: str
    enabled: bool = True
    why: str = ""


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
    health: Health, wish: RunRequest, *, stopping: bool, can_calibrate: bool = False, can_feed_back: bool = False,
    report: Path | None = None, writing: bool = False, in_session: bool = False,
) -> Actions:  # fmt: skip
    """What can be done now.

    Parameters
    ----------
    health : Health
    wish : RunRequest
        What runs, or would.
    stopping : bool
        A run is ending: nothing else can begin.
    can_calibrate : bool
        Whether there is anybody who could lead through a calibration.
    can_feed_back : bool
        Whether there is a session of feedback.
    report : Path, optional
        The newest recording that is whole.
    writing : bool
        A report is being written.
    in_session : bool
        A feedback session is open: only Stop may end it, and the window asks first.
    """
    running = health.state in RUNNING
    if stopping:
        wait = {name: Action(text, False, STOPPING) for name, text in _TEXTS.items()}
        return Actions(run=Action("Stopping", False, STOPPING), **wait)
    if in_session:
        wait = {name: Action(text, False, IN_SESSION) for name, text in _TEXTS.items()}
        stop = Action(
            "Stop", running, "End the feedback session and the run; you are asked first" if running else IN_SESSION
        )
        return Actions(run=stop, **wait)
    return Actions(
        run=Action("Stop", True, "End the run") if running else Action("Start", True, "Read from the source"),
        connect=Action(_TEXTS["connect"], True, "Choose another headset, stream or recording"),
        calibrate=_calibrate(can_calibrate),
        record=_record(running, wish.record is not None),
        feedback=_feedback(can_feed_back),
        report=_report(running, wish.record is not None, report, writing),
    )


_TEXTS = {
    "connect": "Connect…", "calibrate": "Calibrate", "record": "Record", "feedback": "Feedback", "report": "Report",
}  # fmt: skip


def _feedback(can: bool) -> Action:
    if not can:
        return Action(_TEXTS["feedback"], False, "This window was opened without feedback: the verb feedback does it")
    return Action(_TEXTS["feedback"], True, "Feed a measure back to the person; ends the run and begins it anew")


def _calibrate(can: bool) -> Action:
    if not can:
        return Action(_TEXTS["calibrate"], False, "This window was opened without calibration: calibrate does it")
    return Action(_TEXTS["calibrate"], True, "A minute or two for your own baseline; ends the run and begins it anew")


def _record(running: bool, recording: bool) -> Action:
    if recording and running:
        return Action("End recording", True, "The run begins anew without a recording; this one is kept whole")
    if recording:
        return Action("Do not record", True, "The next start will be recorded: press to take that back")
    if running:
        return Action(
            "Record", True,
            "The run begins anew, so that the recording holds it from its first sample: readings are back in some 10 s",
        )  # fmt: skip
    return Action("Record", True, "Record the next start")


def _report(running: bool, recording: bool, report: Path | None, writing: bool) -> Action:
    if writing:
        return Action("Report", False, "It is being written")
    if running and recording:
        return Action("Report", False, "End the recording first: a report is made of a whole one")
    if report is None:
        return Action("Report", False, "Record first: a report is made of a recording")
    return Action("Report", True, f"Write and open the report of {report.name}")

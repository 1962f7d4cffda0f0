"""Turns a session into pages thirty times a second, and wishes from the window into what the director is told.

Opening, stopping and fitting take their time, so each runs on a thread of its own; the window's thread only looks.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from PyQt6.QtCore import QObject, QTimer, pyqtSignal

from realtime_mood import clock
from realtime_mood.errors import MoodError
from realtime_mood.guard import GuardedThread
from realtime_mood.viewmodel.state import view

from ..fit import CalibrationResult, Progress
from ..progress import Mode
from ..protocol import BlockPlan
from ..session import CalibrationSession, Look
from . import words
from .state import Busy, CalibrationPage, CueView, Page, Stage, badges_of, cue_of, gate_of, page_of, report_of, rings
from .words import Ending

FRAME_MS = 33
log = logging.getLogger(__name__)


class _Closed(Exception):
    """The window was closed while a profile was being fitted."""


class CalibrationBridge(QObject):
    """Polls the session and says what it sees. The parameters are those of `realtime_mood.calibration.view.run`."""

    changed = pyqtSignal(object)
    """A `CalibrationPage`, every frame."""
    tone_due = pyqtSignal()
    """Whoever sits with closed eyes may open them."""
    idle = pyqtSignal()
    """A thread has gone, and no other has been started."""

    def __init__(
        self,
        make_session: Callable[[], CalibrationSession],
        plan: BlockPlan,
        fit: Callable[[Path, Progress], CalibrationResult],
        on_fitted: Callable[[CalibrationResult], str],
    ) -> None:
        super().__init__()
        self.plan = plan
        self._make_session, self._fit, self._on_fitted = make_session, fit, on_fitted
        self.stage = Stage.WELCOME
        self.session: CalibrationSession | None = None
        self.anyway = False
        """Whether the person begins though an electrode is bad."""
        self.ending: Ending | None = None
        self._look: Look | None = None
        self._cue: CueView | None = None
        self._trouble, self._virtual, self._wish = "", False, ""
        self._busy = Busy("", None)
        self._work: GuardedThread | None = None
        self._outcome: tuple[Any, Exception | None] = (None, None)
        self._then: Callable[[Any, Exception | None], None] = lambda *_: None
        self._timer = QTimer(self)
        self._timer.timeout.connect(self.look)
        self._timer.start(FRAME_MS)

    @property
    def is_running(self) -> bool:
        """True while anything it started has not gone yet."""
        return self._work is not None or self.stage in (Stage.OPENING, Stage.SITTING, Stage.STOPPING, Stage.FITTING)

    @property
    def recording(self) -> Path | None:
        """Where the sitting lies."""
        return self.session.recording if self.session else None

    # -- wishes -------------------------------------------------------------------------------------------------

    def open(self) -> None:
        """Make the session and open its source."""
        if self.stage is Stage.WELCOME:
            self.stage = Stage.OPENING
            self._spawn("mood-start", self._open, self._opened)

    def begin(self) -> None:
        """Go on to the first step."""
        if self.session:
            self.session.director.begin()

    def pause_or_resume(self) -> None:
        """Stand still, or go on."""
        sitting = self.session.director.sitting if self.session else None
        if self.session is None or sitting is None or self.session.director.held:
            return
        if sitting.mode is Mode.PAUSED:
            self._trouble = ""
            self.session.director.resume()
        else:
            self.session.director.pause()

    def repeat(self) -> None:
        """Do anew what is being done."""
        if self.session:
            self.session.director.repeat()

    def answer(self, valence: float | None, arousal: float | None) -> None:
        """How the block felt; None where they would rather not say."""
        if self.session:
            self.session.director.answer(valence, arousal)

    def stop(self) -> None:
        """The person has had enough."""
        if self.stage in (Stage.OPENING, Stage.SITTING):
            self._wish = "stop"

    def close(self) -> None:
        """Bring whatever runs to its end, and do nothing afterwards; look no more once nothing runs."""
        self._wish = "close"
        if not self.is_running:
            self._timer.stop()

    def cannot_show(self, why: str) -> None:
        """A file of the step cannot be shown: what was being done is no use."""
        if self.session:
            self._trouble = f"{why[:1].upper()}{why[1:]}."
            self.session.director.repeat(why)
            self.session.director.pause(why)

    def shown(self, key: str, t: float) -> None:
        """The cue of a step was first on the screen at `t` (s, our clock)."""
        raw = self.session.engine.raw if self.session else None
        if self.session is None or raw is None or not raw.end:
            return
        late_s = raw.latest(1).t_last - t  # negative as a rule: the newest sample is a little older than the picture
        second = round(raw.info.sfreq)
        late = min(second, max(-second, round(late_s * raw.info.sfreq)))
        self.session.director.shown(late, f"{key}/shown")

    def fit(self) -> None:
        """Make a profile of what was recorded."""
        if self.session and self.stage in (Stage.STOPPING, Stage.OVER):
            path = self.session.recording
            self._fit_with(lambda: self._make_profile(path))

    # -- threads ------------------------------------------------------------------------------------------------

    def _spawn(self, name: str, work: Callable[[], Any], then: Callable[[Any, Exception | None], None]) -> None:
        """Do `work` on a thread, and `then` here with what it returned or raised."""

        def run() -> None:
            try:
                self._outcome = work(), None
            except Exception as fault:  # any fault at all belongs on the screen, not in a dead thread
                if not isinstance(fault, _Closed):
                    log.exception("%s failed", name)
                self._outcome = None, fault

        self._then = then
        self._work = GuardedThread(run, name)
        self._work.start()

    def _see_to_thread(self) -> None:
        if self._work is None or self._work.is_alive():
            return
        self._work.join()
        self._work = None
        self._then(*self._outcome)
        if self._work is None and not self.is_running:
            self.idle.emit()

    def _open(self) -> CalibrationSession:
        session = self._make_session()
        session.start()
        return session

    def _opened(self, session: CalibrationSession | None, fault: Exception | None) -> None:
        self.session = session
        if fault is None:
            self.stage = Stage.SITTING
        else:
            self._end(words.failed(fault, None, "The sitting could not begin"))

    def _stop(self, session: CalibrationSession) -> None:
        if self._wish:
            session.director.stop()
        session.stop()

    def _stopped(self, _: None, fault: Exception | None) -> None:
        assert self.session is not None
        sitting, recorded = self.session.director.sitting, self.session.recording
        if fault is not None:
            there = recorded if sitting else None
            fit_for = words.cut_short(sitting, there).may_fit
            self._end(replace(words.failed(fault, there, "The sitting has ended early"), may_fit=fit_for))
        elif sitting is not None and sitting.mode is Mode.DONE and self._wish != "close":
            self.fit()
        else:
            self._end(words.cut_short(sitting, recorded))

    def _fit_with(self, work: Callable[[], tuple[CalibrationResult, str]]) -> None:
        self.stage, self._busy = Stage.FITTING, Busy("Making your profile", 0.0)
        self._spawn("mood-fit", work, self._made)

    def _fit_meanwhile(self, session: CalibrationSession) -> tuple[CalibrationResult, str]:
        """Make the profile while the recording goes on."""
        try:
            session.settle()
            return self._make_profile(session.recording)
        finally:
            with suppress(MoodError):  # what has become of the headset since does not touch the profile
                session.stop()

    def _make_profile(self, path: Path) -> tuple[CalibrationResult, str]:
        def progress(text: str, done: float) -> None:
            if self._wish == "close":
                raise _Closed
            self._busy = Busy(f"{text[:1].upper()}{text[1:]}", done)

        fitted = self._fit(path, progress)
        return fitted, self._on_fitted(fitted)

    def _made(self, made: tuple[CalibrationResult, str] | None, fault: Exception | None) -> None:
        if made is None:
            assert fault is not None
            self._end(words.failed(fault, self.recording, "No profile could be made"))
            return
        fitted, message = made
        self._virtual = self._virtual or fitted.profile.virtual
        assert self.recording is not None
        self._end(words.fitted(fitted.profile, message, self.recording))

    def _end(self, ending: Ending) -> None:
        self.stage, self.ending = Stage.OVER, ending

    # -- frames -------------------------------------------------------------------------------------------------

    def look(self) -> None:
        """One frame: see to a thread that is done, then show what there is."""
        self._see_to_thread()
        session = self.session
        if self.stage is Stage.SITTING and session is not None:
            self._look = session.look()
            info = self._look.health.info
            self._virtual = self._virtual or bool(info and info.virtual)
            if session.over.is_set() and not self._wish and not session.engine.done.is_set():
                self._fit_with(lambda: self._fit_meanwhile(session))
            elif self._wish or session.engine.done.is_set():
                self.stage, self._busy = Stage.STOPPING, Busy("Finishing the recording", None)
                self._spawn("mood-stop", lambda: self._stop(session), self._stopped)
        before, self._cue = self._cue, None
        self.changed.emit(self._shown())
        if rings(before, self._cue) and not self._wish:
            self.tone_due.emit()

    def _shown(self) -> CalibrationPage:
        page, look, session = page_of(self.stage, self._look), self._look, self.session
        if session is None or look is None or self.stage is not Stage.SITTING:
            gate = gate_of(None, None, (), False) if page is Page.GATE else None
            badges = badges_of(self._virtual, None)
            return CalibrationPage(page, badges, None, gate, None, None, self._busy, self.ending)
        readings = session.engine.readings() if page is Page.GATE else ()
        seen = view(look.health, look.latest, readings, (), clock.now())
        shown = CalibrationPage(page, badges_of(self._virtual, seen), seen, busy=self._busy)
        if page is Page.GATE:
            return replace(shown, gate=gate_of(look, seen, readings, self.anyway))
        if page is Page.REPORT:
            return replace(shown, report=report_of(look, self.plan))
        self._cue = cue_of(look, self.plan, self._trouble, seen)
        return replace(shown, cue=self._cue)

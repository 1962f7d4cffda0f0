"""Connects a calibration session to its window: a page thirty times a second, and the user's actions.

Opening, stopping and fitting take time, so each runs on its own thread; the window's thread only polls.
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
from realtime_mood.language import _
from realtime_mood.viewmodel.state import view
from realtime_mood.viewmodel.words import first_upper

from ..fit import CalibrationResult, Progress
from ..progress import Mode
from ..protocol import BlockPlan
from ..session import CalibrationSession, Look
from . import words
from .state import Busy, CalibrationPage, CueView, Page, Stage, badges_of, cue_of, gate_of, page_of, rating_of, rings
from .words import Ending

FRAME_MS = 33
log = logging.getLogger(__name__)


class _Closed(Exception):
    """The window was closed while a profile was being fitted."""


class CalibrationBridge(QObject):
    """Polls the session and emits what to show. The parameters are those of `CalibrationWindow`."""

    changed = pyqtSignal(object)  # a `CalibrationPage`, every frame
    tone_due = pyqtSignal()  # the subject may open their eyes
    idle = pyqtSignal()  # a thread has ended, and no other was started

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
        self.anyway = False  # whether the subject chose to begin with bad electrodes
        self.ending: Ending | None = None
        self._look: Look | None = None
        self._cue: CueView | None = None
        self._trouble, self._virtual, self._requested = "", False, ""
        self._busy = Busy("", None)
        self._work: GuardedThread | None = None
        self._outcome: tuple[Any, Exception | None] = (None, None)
        self._then: Callable[[Any, Exception | None], None] = lambda *_: None
        self._timer = QTimer(self)
        self._timer.timeout.connect(self.look)
        self._timer.start(FRAME_MS)

    @property
    def is_running(self) -> bool:
        """True while a thread that it started is running."""
        return self._work is not None or self.stage in (Stage.OPENING, Stage.RUNNING, Stage.STOPPING, Stage.FITTING)

    # -- actions ------------------------------------------------------------------------------------------------

    def open(self) -> None:
        """Build the session and open its source."""
        if self.stage is Stage.WELCOME:
            self.stage = Stage.OPENING
            self._spawn("mood-start", self._open, self._opened)

    def begin(self) -> None:
        """Go on to the first step."""
        if self.session:
            self.session.director.begin()

    def pause_or_resume(self) -> None:
        """Pause, or continue."""
        progress = self.session.director.progress if self.session else None
        if self.session is None or progress is None or self.session.director.held:
            return
        if progress.mode is Mode.PAUSED:
            self._trouble = ""
            self.session.director.resume()
        else:
            self.session.director.pause()

    def repeat(self) -> None:
        """Repeat the current step."""
        if self.session:
            self.session.director.repeat()

    def answer(self, valence: float | None, arousal: float | None) -> None:
        """Rating of the block; None where the subject prefers not to answer."""
        if self.session:
            self.session.director.answer(valence, arousal)

    def stop(self) -> None:
        """Stop at the subject's request."""
        if self.stage in (Stage.OPENING, Stage.RUNNING):
            self._requested = "stop"

    def close(self) -> None:
        """End all threads and do nothing afterwards; stop polling once none runs."""
        self._requested = "close"
        if not self.is_running:
            self._timer.stop()

    def cannot_show(self, why: str) -> None:
        """A file of the step cannot be shown: pause, and repeat the step afterwards."""
        if self.session:
            self._trouble = f"{first_upper(why)}."
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
        """Fit a profile to the recording."""
        if self.session and self.stage in (Stage.STOPPING, Stage.OVER):
            path = self.session.recording
            self._fit_with(lambda: self._make_profile(path))

    # -- threads ------------------------------------------------------------------------------------------------

    def _spawn(self, name: str, work: Callable[[], Any], then: Callable[[Any, Exception | None], None]) -> None:
        """Call `work` on a thread, and `then` on this one with what it returned or raised."""

        def run() -> None:
            try:
                self._outcome = work(), None
            except Exception as fault:  # every error must reach the screen
                if not isinstance(fault, _Closed):
                    log.exception("%s failed", name)
                self._outcome = None, fault

        self._then = then
        self._work = GuardedThread(run, name)
        self._work.start()

    def _finish_thread(self) -> None:
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
            self.stage = Stage.RUNNING
        else:
            self._end(words.failed(fault, None, _("The session could not be started")))

    def _stop(self, session: CalibrationSession) -> None:
        if self._requested:
            session.director.stop()
        session.stop()

    def _stopped(self, result: None, fault: Exception | None) -> None:
        assert self.session is not None
        progress, recorded = self.session.director.progress, self.session.recording
        if fault is not None:
            there = recorded if progress else None
            may_fit = words.cut_short(progress, there).may_fit
            self._end(replace(words.failed(fault, there, _("The session ended early")), may_fit=may_fit))
        elif progress is not None and progress.mode is Mode.DONE and self._requested != "close":
            self.fit()
        else:
            self._end(words.cut_short(progress, recorded))

    def _fit_with(self, work: Callable[[], tuple[CalibrationResult, str]]) -> None:
        self.stage, self._busy = Stage.FITTING, Busy(_("Fitting your profile"), 0.0)
        self._spawn("mood-fit", work, self._made)

    def _fit_meanwhile(self, session: CalibrationSession) -> tuple[CalibrationResult, str]:
        """Fit the profile while the recording continues."""
        try:
            session.settle()
            return self._make_profile(session.recording)
        finally:
            with suppress(MoodError):  # a fault of the headset after the session does not affect the profile
                session.stop()

    def _make_profile(self, path: Path) -> tuple[CalibrationResult, str]:
        def progress(text: str, done: float) -> None:
            if self._requested == "close":
                raise _Closed
            self._busy = Busy(first_upper(_(text)), done)

        fitted = self._fit(path, progress)
        return fitted, self._on_fitted(fitted)

    def _made(self, made: tuple[CalibrationResult, str] | None, fault: Exception | None) -> None:
        assert self.session is not None
        recording = self.session.recording
        if made is None:
            assert fault is not None
            self._end(words.failed(fault, recording, _("No profile could be created")))
            return
        fitted, message = made
        self._virtual = self._virtual or fitted.profile.virtual
        self._end(words.fitted(fitted.profile, message, recording, self.plan.protocol.labels))

    def _end(self, ending: Ending) -> None:
        self.stage, self.ending = Stage.OVER, ending

    # -- frames -------------------------------------------------------------------------------------------------

    def look(self) -> None:
        """One frame: handle a thread that has ended, then show the current state."""
        self._finish_thread()
        session = self.session
        if self.stage is Stage.RUNNING and session is not None:
            self._look = session.look()
            info = self._look.health.info
            self._virtual = self._virtual or bool(info and info.virtual)
            if session.over.is_set() and not self._requested and not session.engine.done.is_set():
                self._fit_with(lambda: self._fit_meanwhile(session))
            elif self._requested or session.engine.done.is_set():
                self.stage, self._busy = Stage.STOPPING, Busy(_("Finishing the recording"), None)
                self._spawn("mood-stop", lambda: self._stop(session), self._stopped)
        before, self._cue = self._cue, None
        self.changed.emit(self._shown())
        if rings(before, self._cue) and not self._requested:
            self.tone_due.emit()

    def _shown(self) -> CalibrationPage:
        page, look, session = page_of(self.stage, self._look), self._look, self.session
        if session is None or look is None or self.stage is not Stage.RUNNING:
            gate = gate_of(None, None, (), False) if page is Page.GATE else None
            return CalibrationPage(page, badges_of(self._virtual, None), gate=gate, busy=self._busy, ending=self.ending)
        readings = session.engine.readings() if page is Page.GATE else ()
        seen = view(look.health, look.latest, readings, (), clock.now())
        shown = CalibrationPage(page, badges_of(self._virtual, seen), seen, busy=self._busy)
        if page is Page.GATE:
            return replace(shown, gate=gate_of(look, seen, readings, self.anyway))
        if page is Page.RATING:
            return replace(shown, rating=rating_of(look, self.plan))
        self._cue = cue_of(look, self.plan, self._trouble, seen)
        return replace(shown, cue=self._cue)

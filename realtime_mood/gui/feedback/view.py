"""The subject's screen of a feedback session: consent, display, and debriefing."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import replace
from time import perf_counter

from PyQt6.QtCore import Qt, QTimer
from PyQt6.QtWidgets import QLabel, QPushButton, QStackedLayout, QWidget

from ... import clock
from ...feedback.loop import FeedbackLoop
from ...feedback.measures import slowest
from ...feedback.plan import FeedbackPlan
from ...language import _, ngettext
from ...viewmodel.feedback import shown
from ..bridge import RunBridge
from ..labels import STRETCH, PlainLabel, ScrollText, button, column, row
from ..subject import Screen
from ..theme import style
from .displays import display_of

FRAME_MS = 16


class OperatorRun:
    """Restarts the run of a `bridge` with the feedback loop, and again without it afterwards. No method blocks."""

    def __init__(self, bridge: RunBridge, loop: FeedbackLoop) -> None:
        self._bridge, self._loop, self._begun = bridge, loop, False
        bridge.in_session = True

    def begin(self) -> None:
        """Called once the subject has agreed."""
        self._begun = True
        self._bridge.start(replace(self._bridge.request, tap=self._loop))

    def end(self) -> None:
        """Called once, also if the run never started."""
        self._bridge.in_session = False
        if self._is_ours:
            self._bridge.start(replace(self._bridge.request, tap=None))

    @property
    def _is_ours(self) -> bool:
        return self._begun and self._bridge.request.tap is self._loop

    @property
    def is_over(self) -> bool:
        """Whether everything that was started has ended."""
        return not self._is_ours

    @property
    def trouble(self) -> str:
        """Why it cannot continue; empty while it can."""
        state = self._bridge.state
        return state.banner.text if self._is_ours and state is not None and state.state.role == "bad" else ""


class FeedbackView(Screen):
    """The subject's screen. Esc stops the session, F11 fills the screen.

    `run` begins once the subject has agreed; `on_closed` is called once the screen is closed and its run is over.
    """

    def __init__(
        self, plan: FeedbackPlan, loop: FeedbackLoop, run: OperatorRun, on_closed: Callable[[], object] = lambda: None
    ) -> None:
        super().__init__(f"{_('Realtime mood')} · {_(plan.title)}")
        self.setStyleSheet(style())
        self.resize(1000, 720)
        self._loop, self._run, self._on_closed = loop, run, on_closed
        self._ending = self._closed = False
        self.yes, self.no, self.done = button(_("I agree")), button(_("I do not agree")), button(_("Close"))
        self.display, self.after = display_of(plan.display, lambda text: loop.on_fault(text)), PlainLabel("")
        self._plan = plan
        self._stop_sound: Callable[[], object] = lambda: None
        self.pages = QStackedLayout(self)
        seconds = slowest(plan.measures)
        lag = _("The display follows your brain activity with a delay of {seconds:.1f} seconds.", seconds=seconds)
        self.pages.addWidget(_page(PlainLabel(_(plan.title)), f"{_(plan.consent.strip())}\n\n{lag}", self.no, self.yes))
        self.pages.addWidget(self.display)
        self.outcome = PlainLabel("")
        self.pages.addWidget(_page(self.outcome, _(plan.debrief.strip()), self.done, message=self.after))
        self.yes.clicked.connect(self._begin)
        self.no.clicked.connect(self.close)
        self.done.clicked.connect(self.close)
        self._rewards, self._rewarded, self._painted = 0, -1e9, perf_counter()
        self.frame_ms: deque[float] = deque(maxlen=4096)  # time from one frame to the next (ms)
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._frame)
        self._waiting = QTimer(self)  # until the run's threads have ended
        self._waiting.timeout.connect(self._wait)

    def _begin(self) -> None:
        self.pages.setCurrentIndex(1)
        self._timer.start(FRAME_MS)
        self._sound()
        self._run.begin()

    def _sound(self) -> None:
        if self._plan.sound != "none":
            from .sound import Speaker  # needs the system's sound libraries

            display = self.display  # what held this screen would be held by it
            speaker = Speaker(self._plan.sound, lambda: display.shown)
            self._stop_sound = speaker.stop
            if speaker.trouble:
                self.setWindowTitle(f"{self.windowTitle()} · {speaker.trouble}")

    def _end(self) -> None:
        if not self._ending:
            self._ending = True
            self._stop_sound()
            self._run.end()
            self._waiting.start(30)

    def _wait(self) -> None:
        if self._closed and self._run.is_over:
            self._waiting.stop()
            QTimer.singleShot(0, self._on_closed)  # it deletes this screen, so not from within its own timer

    # -- frames -------------------------------------------------------------------------------------------------

    def _frame(self) -> None:
        now, at = clock.now(), perf_counter()
        dt, self._painted = at - self._painted, at
        self.frame_ms.append(1000 * dt)
        feedback = self._loop.latest
        if feedback is not None and feedback.rewards > self._rewards:
            self._rewards, self._rewarded = feedback.rewards, now
        self.display.show_it(shown(feedback, self.display.shown, now, self._rewarded, dt))
        why = str(self._loop.fault or self._run.trouble)
        if self._loop.over.is_set() or why:
            self._finish(why)

    def _finish(self, why: str) -> None:
        self._timer.stop()
        summary = self._loop.summary()
        self.outcome.setText(_("Session finished") if summary["whole"] else _("Session stopped"))
        n = summary["rewards"]
        self.after.setText(why or ngettext("{n} reward", "{n} rewards", n, n=n))
        self.pages.setCurrentIndex(2)
        self._end()

    def leave(self) -> None:
        self._finish("") if self.pages.currentIndex() == 1 else self.close()

    def closeEvent(self, event):
        self._timer.stop()
        self._closed = True
        self._end()
        event.accept()


def _page(head: QLabel, text: str, *buttons: QPushButton, message: QLabel | None = None) -> QWidget:
    page, body = QWidget(), PlainLabel(text, wrap=True)
    head.setStyleSheet("font-size: 34px; font-weight: 700;")
    body.setStyleSheet("font-size: 18px;")
    above = [head]
    if message is not None:
        message.setStyleSheet("font-size: 24px;")
        message.setWordWrap(True)
        above.append(message)
    column(
        STRETCH, *above, (ScrollText(body), 100), row(STRETCH, *buttons), STRETCH,
        on=page, margins=(100, 48, 100, 40), spacing=20,
    )  # fmt: skip
    return page

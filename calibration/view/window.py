"""The calibration window: its pages and keys."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtWidgets import QMainWindow, QStackedWidget, QWidget

from realtime_mood.gui import theme
from realtime_mood.gui.controls import Badges
from realtime_mood.gui.labels import STRETCH, PlainLabel, column, row
from realtime_mood.gui.panels import remembered
from realtime_mood.gui.showing import application, serving, use_language
from realtime_mood.language import _

from ..fit import CalibrationResult, Progress
from ..protocol import BlockPlan
from ..session import CalibrationSession
from .bridge import CalibrationBridge
from .cue import CuePage
from .ending import BusyPage, EndingPage
from .entry import GatePage, Welcome
from .rating import RatingPage
from .sound import CueTone
from .state import CalibrationPage, Page

STYLE = Path(__file__).parent / "style.qss"


class CalibrationWindow(QMainWindow):
    """Consent, check of the electrodes, steps, ratings, the fit and its result.

    Keys: Enter begins, Space pauses and continues, R repeats a step, N skips a rating, Esc stops, F11 toggles full
    screen. On threads of their own, `make_session` builds a session that is held and not yet started, after consent;
    `fit` fits a profile to a recording and reports its progress; then `on_fitted` saves it and returns a text that says
    where.
    """

    closed = pyqtSignal()  # the window is closed, and all its threads have ended

    def __init__(
        self,
        make_session: Callable[[], CalibrationSession],
        plan: BlockPlan,
        fit: Callable[[Path, Progress], CalibrationResult],
        on_fitted: Callable[[CalibrationResult], str],
    ) -> None:
        super().__init__()
        self.setWindowTitle(f"Realtime mood · {_(plan.protocol.title)}")
        self.setStyleSheet(theme.style(STYLE))
        self.setMinimumSize(960, 640)
        self.resize(1280, 720)
        self.bridge, self.tone = CalibrationBridge(make_session, plan, fit, on_fitted), CueTone()
        self.welcome, self.gate = Welcome(plan), GatePage(plan, bool(self.tone.why_silent))
        self.cue, self.rating, self.busy, self.ending = CuePage(), RatingPage(), BusyPage(), EndingPage()
        self.badges, self.title = Badges(), PlainLabel("", "where")
        self.pages: dict[Page, QWidget] = {
            Page.WELCOME: self.welcome, Page.GATE: self.gate, Page.CUE: self.cue, Page.RATING: self.rating,
            Page.BUSY: self.busy, Page.ENDING: self.ending,
        }  # fmt: skip
        self.page = Page.WELCOME
        self._closing = False
        self._arrange()
        self._connect()
        if not plan.protocol.consent:
            self.bridge.open()
        self._turn_to(Page.WELCOME)
        self.bridge.look()

    def _arrange(self) -> None:
        root = QWidget()
        root.setObjectName("root")
        self.stack = QStackedWidget()
        for page in self.pages.values():
            self.stack.addWidget(page)
        column(row(self.title, STRETCH, self.badges, margins=(28, 14, 28, 0)), (self.stack, 1), on=root, spacing=0)
        self.setCentralWidget(root)

    def _connect(self) -> None:
        bridge = self.bridge
        bridge.changed.connect(self.show_state)
        bridge.tone_due.connect(self.tone.ring)
        bridge.idle.connect(self._on_idle)
        self.welcome.agreed.connect(bridge.open)
        self.welcome.declined.connect(self.close)
        self.gate.begun.connect(bridge.begin)
        self.gate.stopped.connect(bridge.stop)
        self.gate.anyway_changed.connect(partial(setattr, bridge, "anyway"))
        self.cue.paused.connect(bridge.pause_or_resume)
        self.cue.repeated.connect(bridge.repeat)
        self.cue.stopped.connect(bridge.stop)
        later = Qt.ConnectionType.QueuedConnection  # once the painting is done, not from within it
        self.cue.stage.painted.connect(bridge.shown, later)  # type: ignore[call-arg]  # PyQt's stub lacks it
        self.cue.stage.media.failed.connect(bridge.cannot_show, later)  # type: ignore[call-arg]
        self.rating.answered.connect(bridge.answer)
        self.rating.stopped.connect(bridge.stop)
        self.ending.fit_requested.connect(bridge.fit)
        self.ending.closed.connect(self.close)

    @property
    def code(self) -> int:
        """0 when a profile was created and saved, else 1."""
        return 0 if self.bridge.ending is not None and self.bridge.ending.kept else 1

    @property
    def is_underway(self) -> bool:
        """Whether closing it now would end a calibration before there is a profile."""
        return self.page in (Page.CUE, Page.RATING, Page.BUSY)

    def show_state(self, shown: CalibrationPage) -> None:
        """Show a page."""
        self.badges.show_badges(shown.badges)
        if shown.page is Page.GATE:
            self.gate.show_state(shown)
        if shown.cue is not None:
            self.cue.show_cue(shown.cue)
        elif self.page is Page.CUE:
            self.cue.stage.media.close_player()
        if shown.rating is not None:
            self.rating.show_request(shown.rating)
        if shown.page is Page.BUSY and shown.busy is not None:
            self.busy.show_busy(shown.busy)
        if shown.page is Page.ENDING and shown.ending is not None:
            self.ending.show_ending(shown.ending)
        if shown.page is not self.page:
            self._turn_to(shown.page)
        # Pages without a title of their own show it at the top, with the number of the step.
        parts = [] if shown.page in (Page.WELCOME, Page.GATE) else [_(self.bridge.plan.protocol.title)]
        parts += [page.where for page in (shown.cue, shown.rating) if page is not None]
        self.title.show_text(" · ".join(parts))

    def _turn_to(self, page: Page) -> None:
        self.page = page
        self.stack.setCurrentWidget(self.pages[page])
        # Otherwise Qt focuses a button, and Space would press it.
        (self.rating.plane if page is Page.RATING else self).setFocus()
        if page is Page.RATING:
            self.rating.plane.reset()

    # -- keys and closing ---------------------------------------------------------------------------------------

    def keyPressEvent(self, event):
        keys: dict[tuple[Page, int], Callable[[], object]] = {
            (Page.WELCOME, Qt.Key.Key_Escape): self.close,
            (Page.GATE, Qt.Key.Key_Escape): self.bridge.stop,
            (Page.GATE, Qt.Key.Key_Return): self.gate.begin.click,
            (Page.GATE, Qt.Key.Key_Enter): self.gate.begin.click,
            (Page.CUE, Qt.Key.Key_Escape): self.bridge.stop,
            (Page.CUE, Qt.Key.Key_Space): self.bridge.pause_or_resume,
            (Page.CUE, Qt.Key.Key_R): self.cue.repeat.click,
            (Page.RATING, Qt.Key.Key_Escape): self.bridge.stop,
            (Page.RATING, Qt.Key.Key_Space): self.bridge.pause_or_resume,
            (Page.RATING, Qt.Key.Key_N): self.rating.skip.click,
            (Page.ENDING, Qt.Key.Key_Escape): self.close,
        }
        if event.isAutoRepeat():
            return
        if (doing := keys.get((self.page, event.key()))) is not None:
            doing()
        elif event.key() == Qt.Key.Key_F11:
            theme.toggle_full(self)
        else:
            super().keyPressEvent(event)

    def closeEvent(self, event):
        self.bridge.close()
        if self.bridge.is_running:  # its threads end first
            self._closing = True
            event.ignore()
            return
        self.cue.stage.media.close_player()
        self.tone.close()
        event.accept()
        self.closed.emit()

    def _on_idle(self) -> None:
        if self._closing:
            self.close()


def show(make_window: Callable[[], CalibrationWindow]) -> int:
    """Run a window until it is closed (or Ctrl-C): 0 when a profile was created and saved, else 1."""
    memory = remembered()
    app = application(memory)
    use_language(app, memory)
    window = make_window()
    with serving(window.close):
        window.showFullScreen()
        app.exec()
    return window.code

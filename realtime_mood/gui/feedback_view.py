"""Turns a feedback loop into what the person sees: consent, a circle that breathes, and what is told afterwards."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from time import perf_counter

from PyQt6.QtCore import QPointF, QRectF, Qt, QTimer
from PyQt6.QtGui import QCloseEvent, QKeyEvent, QPainter, QPen
from PyQt6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QStackedLayout, QVBoxLayout, QWidget

from .. import clock
from ..engine import Engine
from ..feedback.loop import FeedbackLoop
from ..feedback.plan import Plan
from .feedback_words import Shown, shown
from .theme import colour, faint, font, style

FRAME_MS = 16
log = logging.getLogger(__name__)


class Circle(QWidget):
    """The circle: its size is what is fed back, dashes say that nothing is, a ring glows at a reward."""

    def __init__(self) -> None:
        super().__init__()
        self._shown: Shown | None = None
        self.setAccessibleName("feedback")

    def show_it(self, it: Shown) -> None:
        if it != self._shown:
            self._shown = it
            self.update()

    def paintEvent(self, event: object) -> None:
        it = self._shown
        if it is None:
            return
        p = QPainter(self)
        p.setRenderHint(QPainter.RenderHint.Antialiasing)
        side = min(self.width(), self.height())
        middle = QPointF(self.width() / 2, self.height() / 2)
        most, radius = 0.36 * side, (0.06 + 0.30 * it.size) * side
        p.setPen(QPen(faint("dim", 90), 1))
        p.drawEllipse(middle, most, most)
        if it.glow > 0:
            p.setPen(QPen(faint("ok", round(200 * it.glow)), 6))
            p.drawEllipse(middle, radius + 10, radius + 10)
        p.setPen(QPen(colour("dim"), 3, Qt.PenStyle.DashLine) if it.neutral else Qt.PenStyle.NoPen)
        p.setBrush(Qt.BrushStyle.NoBrush if it.neutral else colour("info"))
        p.drawEllipse(middle, radius, radius)
        self._words(p, it)
        p.end()

    def _words(self, p: QPainter, it: Shown) -> None:
        centre, width, height = Qt.AlignmentFlag.AlignCenter, self.width(), self.height()
        p.setPen(colour("text"))
        p.setFont(font(28))
        p.drawText(QRectF(0, 0.02 * height, width, 44), centre, it.cue)
        p.setFont(font(20))
        p.setPen(colour("dim"))
        p.drawText(QRectF(0, height - 76, width, 34), centre, it.words)
        p.drawText(QRectF(20, height - 40, 200, 30), Qt.AlignmentFlag.AlignLeft, it.left)
        p.setPen(colour("ok"))
        p.drawText(QRectF(width - 220, height - 40, 200, 30), Qt.AlignmentFlag.AlignRight, it.rewards)
        if it.virtual:
            p.setPen(colour("virtual"))
            p.setFont(font(12, bold=True))
            p.drawText(QRectF(width - 180, 10, 160, 20), Qt.AlignmentFlag.AlignRight, "VIRTUAL PERSON")


class FeedbackView(QWidget):
    """The person's screen. Esc stops the session, F11 fills the screen."""

    def __init__(
        self,
        plan: Plan,
        loop: FeedbackLoop,
        make_engine: Callable[[], Engine],
        told: Callable[[], object] = lambda: None,
    ) -> None:
        super().__init__()
        self.setObjectName("root")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setWindowTitle(f"Realtime mood · {plan.title}")
        self.setStyleSheet(style())
        self.resize(1000, 720)
        self._loop, self._make_engine, self._told = loop, make_engine, told
        self._engine: Engine | None = None
        self._fault = ""
        self._work: threading.Thread | None = None
        self._ending = self._closed = False
        self.yes, self.no, self.done = QPushButton("I agree"), QPushButton("No"), QPushButton("Close")
        self.circle, self.after = Circle(), QLabel("")
        self.pages = QStackedLayout(self)
        self.pages.addWidget(_page(plan.title, plan.consent, self.no, self.yes))
        self.pages.addWidget(self.circle)
        self.pages.addWidget(_page("That was it", plan.debrief, self.done, said=self.after))
        self.yes.clicked.connect(self._begin)
        self.no.clicked.connect(self.close)
        self.done.clicked.connect(self.close)
        self._before: Shown | None = None
        self._rewards, self._rewarded, self._painted = 0, -1e9, perf_counter()
        self.frame_ms: list[float] = []
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._frame)
        self._waiting = QTimer(self)  # until the run's threads have ended
        self._waiting.timeout.connect(self._wait)

    def summary(self) -> dict[str, object]:
        """How the session went."""
        return self._loop.summary()

    def _begin(self) -> None:
        self.pages.setCurrentIndex(1)
        self._timer.start(FRAME_MS)
        self._spawn(self._start)

    # -- the run, begun and ended on threads of their own -------------------------------------------------------

    def _spawn(self, work: Callable[[], None]) -> None:
        self._work = threading.Thread(target=work, name="mood-feedback-run", daemon=True)
        self._work.start()

    def _start(self) -> None:
        try:
            engine = self._make_engine()
            engine.start()
            self._engine = engine
        except Exception as fault:  # any fault at all belongs on the screen
            log.exception("could not begin")
            self._fault = str(fault)

    def _stop(self, starting: threading.Thread | None) -> None:
        if starting is not None:
            starting.join()
        if self._engine is not None:
            try:
                self._engine.stop()
            except Exception as fault:
                self._fault = str(fault)

    def _end(self) -> None:
        if not self._ending:
            self._ending = True
            starting = self._work
            self._spawn(lambda: self._stop(starting))
            self._waiting.start(30)

    def _wait(self) -> None:
        if self._closed and self._work is not None and not self._work.is_alive():
            self._waiting.stop()
            self._told()

    def _trouble(self) -> str:
        fault = self._loop.fault or (self._engine.health.fault if self._engine else None)
        return str(fault) if fault else self._fault

    # -- frames -------------------------------------------------------------------------------------------------

    def _frame(self) -> None:
        now, at = clock.now(), perf_counter()
        dt, self._painted = at - self._painted, at
        self.frame_ms.append(1000 * dt)
        it = self._loop.latest
        if it is not None and it.rewards > self._rewards:
            self._rewards, self._rewarded = it.rewards, now
        self._before = shown(it, self._before, now, self._rewarded, dt)
        self.circle.show_it(self._before)
        why = self._trouble()
        if self._loop.over.is_set() or why:
            self._finish(why)

    def _finish(self, why: str) -> None:
        self._timer.stop()
        it = self._loop.latest
        rewards = f"{it.rewards} rewards" if it is not None else ""
        self.after.setText(why or rewards)
        self.pages.setCurrentIndex(2)
        self._end()

    def keyPressEvent(self, event: QKeyEvent | None) -> None:
        assert event is not None
        if event.key() == Qt.Key.Key_Escape:
            self._finish("Stopped") if self.pages.currentIndex() == 1 else self.close()
        elif event.key() == Qt.Key.Key_F11:
            self.setWindowState(self.windowState() ^ Qt.WindowState.WindowFullScreen)
        else:
            super().keyPressEvent(event)

    def closeEvent(self, event: QCloseEvent | None) -> None:
        assert event is not None
        self._timer.stop()
        self._closed = True
        self._end()
        event.accept()


def _page(title: str, text: str, *buttons: QPushButton, said: QLabel | None = None) -> QWidget:
    page, column, row = QWidget(), QVBoxLayout(), QHBoxLayout()
    page.setLayout(column)
    head, body = QLabel(title), QLabel(text)
    head.setStyleSheet("font-size: 34px; font-weight: 700;")
    body.setStyleSheet("font-size: 20px;")
    body.setWordWrap(True)
    column.setContentsMargins(120, 60, 120, 60)
    column.setSpacing(24)
    column.addStretch(1)
    column.addWidget(head)
    if said is not None:
        said.setStyleSheet("font-size: 24px;")
        said.setWordWrap(True)
        column.addWidget(said)
    column.addWidget(body)
    row.addStretch(1)
    for button in buttons:
        row.addWidget(button)
    column.addLayout(row)
    column.addStretch(1)
    return page

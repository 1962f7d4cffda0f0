"""The tour of the window in five steps, offered once at the first start and again in the View menu."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from PyQt6.QtCore import QEvent, QPoint, QRect, QSettings, Qt
from PyQt6.QtGui import QPen
from PyQt6.QtWidgets import QDialog, QWidget

from ..language import _
from .labels import STRETCH, PlainLabel, button, column, row
from .theme import Canvas, colour

if TYPE_CHECKING:
    from .window import MainWindow

SEEN = "window/tour"
MARGIN_PX = 3


class TourStep(NamedTuple):
    """What is explained: the part of the window, its name, and the text."""

    part: QWidget
    title: str
    text: str


def steps(window: MainWindow) -> tuple[TourStep, ...]:
    """The steps of the tour; texts are translated."""
    top = window.top
    return (
        TourStep(top.connect_, _("1 · Connect"),
                 _("Choose a headset, a stream, a board or a recording; files can also be dropped on the window. "
                   "The simulated subjects are for trying everything out.")),
        TourStep(window.quality, _("2 · Check the signal"),
                 _("Each electrode is good, fair, or has a fault with its name. Improve contact until most are good. "
                   "A click on a name beside the traces leaves an electrode out; Ctrl+Z includes it again.")),
        TourStep(top.calibrate, _("3 · Calibrate"),
                 _("One or two minutes of rest give the subject's own baseline. Without it, estimates are compared "
                   "with the mean of the run so far.")),
        TourStep(window.bars, _("4 · Read the estimate"),
                 _("The probability of each label, with the range of the last 10 s. Where the signal does not allow "
                   "an estimate, there is none, and the reason is shown. It is no diagnosis, and not for judging "
                   "people.")),
        TourStep(top.record, _("5 · Record and report"),
                 _("Record begins half a minute ago and does not interrupt the run; Report makes a page of it. The key "
                   "? lists all keys, and View → Check this computer helps where something does not work.")),
    )  # fmt: skip


class Highlight(Canvas):
    """A frame around a part of the window, wherever that moves; the mouse goes through it."""

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._parts: tuple[QWidget, ...] = ()  # the part, and what it moves with

    def mark(self, part: QWidget) -> None:
        """Put the frame around `part`; around nothing while its panel is closed."""
        for one in self._parts:
            one.removeEventFilter(self)
        parts = [part]
        while (parent := parts[-1].parentWidget()) is not None and parent is not self.parentWidget():
            parts.append(parent)
        self._parts = tuple(parts)
        for one in parts:
            one.installEventFilter(self)
        self._place()

    def eventFilter(self, watched, event):
        if event.type() in (QEvent.Type.Move, QEvent.Type.Resize, QEvent.Type.Show, QEvent.Type.Hide):
            self._place()
        return False

    def _place(self) -> None:
        window, part = self.parentWidget(), self._parts[0]
        assert window is not None
        self.setVisible(part.isVisibleTo(window) and window.isAncestorOf(part))
        if not self.isHidden():
            room = QRect(part.mapTo(window, QPoint(0, 0)), part.size())
            self.setGeometry(room.adjusted(-MARGIN_PX, -MARGIN_PX, MARGIN_PX, MARGIN_PX))
            self.raise_()

    def draw(self, p):
        p.setPen(QPen(colour("info"), 2))
        p.drawRoundedRect(self.rect().adjusted(1, 1, -2, -2), 6, 6)


class TourDialog(QDialog):
    """Shows the steps one after the other; the window can be used meanwhile. Esc or Skip ends it."""

    def __init__(self, window: QWidget, steps: Sequence[TourStep]) -> None:
        super().__init__(window)
        self.setWindowTitle(_("Tour of the window"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setMinimumWidth(440)
        self._steps, self.at, self._frame = steps, 0, Highlight(window)
        self.title, self.text = PlainLabel(), PlainLabel(wrap=True)
        self.title.setStyleSheet("font-weight: 700; font-size: 15px;")
        self.skip, self.back, self.next = button(_("Skip"), "plain"), button(_("Back"), "plain"), button(_("Next"))
        self.next.setDefault(True)
        buttons = row(self.skip, STRETCH, self.back, self.next)
        column(self.title, self.text, STRETCH, buttons, on=self, margins=(20, 18, 20, 16), spacing=12)
        self.skip.clicked.connect(self.reject)
        self.back.clicked.connect(lambda: self.go(self.at - 1))
        self.next.clicked.connect(lambda: self.go(self.at + 1))
        self.finished.connect(self._frame.deleteLater)
        self.go(0)

    def go(self, at: int) -> None:
        """Show a step; after the last one the tour is over."""
        if at >= len(self._steps):
            self.accept()
            return
        self.at, step = max(0, at), self._steps[max(0, at)]
        self.title.setText(step.title)
        self.text.setText(step.text)
        self.back.setEnabled(self.at > 0)
        self.skip.setVisible(self.at < len(self._steps) - 1)
        self.next.setText(_("Next") if self.at < len(self._steps) - 1 else _("Done"))
        self._frame.mark(step.part)
        self._clear(step.part)

    def _clear(self, part: QWidget) -> None:
        """Move to the half of the window that `part` is not in."""
        window = self.parentWidget()
        assert window is not None
        is_above = part.mapTo(window, part.rect().center()).y() < window.height() / 2
        self.adjustSize()
        place = QPoint((window.width() - self.width()) // 2, round(window.height() * (0.62 if is_above else 0.15)))
        self.move(window.mapToGlobal(place))


def show_tour(window: MainWindow) -> None:
    """Begin the tour."""
    TourDialog(window, steps(window)).show()


def show_first_tour(window: MainWindow, memory: QSettings) -> None:
    """Begin the tour at the first start of this user, and never again by itself."""
    if memory.value(SEEN) is None and memory.value("window/panels") is None:
        show_tour(window)
    memory.setValue(SEEN, "seen")

"""The feedback displays: a growing circle, a rising bar, and a landscape that brightens.

Each shows by its shape and a text when there is no feedback, and nothing in it flashes.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from PyQt6.QtCore import QCoreApplication, QPointF, QRectF, Qt
from PyQt6.QtGui import QColor, QImage, QLinearGradient, QPainter, QPainterPath, QPen
from PyQt6.QtWidgets import QApplication, QWidget

from ...errors import MoodError
from ...guard import Report, to_log, words_of
from ...language import _
from ...language.terms import SIMULATED
from ...plugins import find
from ...viewmodel.feedback import FeedbackFrame
from ..theme import CENTRE, LEFT, RIGHT, colour, faint, fitting, write

MARGIN_PX = 40  # beside the instruction


class Display(QWidget):
    """The base class of displays: the text around the picture."""

    def __init__(self) -> None:
        super().__init__()
        self.shown: FeedbackFrame | None = None
        self.report: Report = to_log
        self._is_broken, self._failures = False, list[str]()
        self.setAccessibleName(_("feedback"))

    def show_it(self, frame: FeedbackFrame) -> None:
        while self._failures:  # by now there is a run whose notes can hold it
            self.report(self._failures.pop())
        if frame != self.shown:
            self.shown = frame
            self.update()

    def paintEvent(self, event: object) -> None:
        if self.shown is None:
            return
        p = QPainter(self)
        p.setRenderHint(QPainter.RenderHint.Antialiasing)
        if not self._is_broken:
            try:
                self.picture(p, self.shown)
            except Exception as error:  # else Qt would end the program
                self.fail(f"display {type(self).__name__} failed, a circle is shown: {words_of(error)}")
        if self._is_broken:
            p.resetTransform()
            Circle.picture(self, p, self.shown)  # type: ignore[arg-type]
        self._words(p, self.shown)
        p.end()

    def fail(self, what: str) -> None:
        """Paint a circle from here on, and report why with the next frame."""
        self._is_broken = True
        self._failures.append(what)

    def picture(self, p: QPainter, frame: FeedbackFrame) -> None:
        """Paint it; returns at once. Nothing in it may flash three times a second."""
        raise NotImplementedError

    def _words(self, p: QPainter, frame: FeedbackFrame) -> None:
        width, height = self.width(), self.height()
        cue = QRectF(MARGIN_PX, max(32.0, 0.02 * height), width - 2 * MARGIN_PX, 44)  # below the corner's words
        write(p, cue, CENTRE, frame.cue, "text", fitting(frame.cue, cue.width(), 28))
        write(p, QRectF(0, height - 76, width, 34), CENTRE, frame.words, "dim", 20)
        write(p, QRectF(20, height - 40, 200, 30), LEFT, frame.left)
        write(p, QRectF(width - 220, height - 40, 200, 30), RIGHT, frame.rewards, "ok")
        if frame.virtual:
            write(p, QRectF(width - 180, 10, 160, 20), RIGHT, _(SIMULATED), "virtual", 12, bold=True)


class Circle(Display):
    """Its size is the level; dashes mean no feedback; a ring lights up at a reward."""

    def picture(self, p: QPainter, frame: FeedbackFrame) -> None:
        side = min(self.width(), self.height())
        middle = QPointF(self.width() / 2, self.height() / 2)
        most, radius = 0.36 * side, (0.06 + 0.30 * frame.size) * side
        p.setPen(QPen(faint("dim", 90), 1))
        p.drawEllipse(middle, most, most)
        if frame.glow > 0:
            p.setPen(QPen(faint("ok", round(200 * frame.glow)), 6))
            p.drawEllipse(middle, radius + 10, radius + 10)
        p.setPen(QPen(colour("dim"), 3, Qt.PenStyle.DashLine) if frame.neutral else Qt.PenStyle.NoPen)
        p.setBrush(Qt.BrushStyle.NoBrush if frame.neutral else colour("info"))
        p.drawEllipse(middle, radius, radius)


class Bar(Display):
    """Its height is the level."""

    def picture(self, p: QPainter, frame: FeedbackFrame) -> None:
        height, width = 0.56 * self.height(), min(140.0, 0.2 * self.width())
        outline = QRectF((self.width() - width) / 2, 0.19 * self.height(), width, height)
        p.setPen(QPen(colour("dim"), 2, Qt.PenStyle.DashLine if frame.neutral else Qt.PenStyle.SolidLine))
        p.drawRoundedRect(outline, 8, 8)
        if not frame.neutral:
            full = outline.adjusted(4, 4 + (1 - frame.size) * (height - 8), -4, -4)
            p.setPen(Qt.PenStyle.NoPen)
            p.setBrush(colour("info"))
            p.drawRoundedRect(full, 6, 6)
        if frame.glow > 0:
            p.setPen(QPen(faint("ok", round(200 * frame.glow)), 6))
            p.setBrush(Qt.BrushStyle.NoBrush)
            p.drawRoundedRect(outline.adjusted(-8, -8, 8, 8), 12, 12)


NIGHT, DAY = ("#141a2e", "#2a2440", "#1d2b2a"), ("#4f8fd0", "#f3c98b", "#3d7a4a")


class Landscape(Display):
    """Night at a low level, day at a high one, a grey sky if there is no feedback."""

    def picture(self, p: QPainter, frame: FeedbackFrame) -> None:
        w, h = self.width(), self.height()
        top, low, ground = (_between(a, b, frame.size) for a, b in zip(NIGHT, DAY, strict=True))
        if frame.neutral:
            top = low = colour("line")
            ground = colour("panel")
        sky = QLinearGradient(0, 0, 0, 0.7 * h)
        sky.setColorAt(0, top)
        sky.setColorAt(1, low)
        p.fillRect(QRectF(0, 0, w, h), sky)
        if not frame.neutral:
            sun = QPointF(0.68 * w, (0.66 - 0.42 * frame.size) * h)
            p.setPen(Qt.PenStyle.NoPen)
            p.setBrush(QColor(255, 236, 190, round(120 + 110 * frame.size)))
            p.drawEllipse(sun, 0.06 * h, 0.06 * h)
            if frame.glow > 0:
                p.setBrush(QColor(255, 244, 214, round(110 * frame.glow)))
                p.drawEllipse(sun, 0.11 * h, 0.11 * h)
        for k, (base, rise) in enumerate(((0.66, 0.16), (0.76, 0.10), (0.86, 0.06))):
            hill = QPainterPath(QPointF(0, h))
            hill.lineTo(0, base * h)
            hill.cubicTo(0.3 * w, (base - rise) * h, (0.45 + 0.1 * k) * w, (base + 0.05) * h, w, (base - rise / 2) * h)
            hill.lineTo(w, h)
            p.fillPath(hill, ground.darker(100 + 25 * (2 - k)))


def _between(a: str, b: str, at: float) -> QColor:
    one, other = QColor(a), QColor(b)
    mixed = (x + (y - x) * at for x, y in zip(one.getRgbF()[:3], other.getRgbF()[:3], strict=True))
    return QColor.fromRgbF(*(float(part) for part in mixed))


def display_of(name: str, report: Report) -> Display:
    """The display of this name; a circle, and a report, where another package's cannot be made."""
    plugin = find("displays", name, f"a display {name!r}")
    try:
        display: Display = plugin.check(is_display, "a subclass of Display with its paintEvent")()
    except Exception as error:
        display = Circle()
        display.fail(str(error) if isinstance(error, MoodError) else str(plugin.error("it cannot be made", error)))
    display.report = report
    return display


def is_display(kind: object) -> bool:
    """Whether it is a subclass of `Display` that leaves the painting of failures to it."""
    return isinstance(kind, type) and issubclass(kind, Display) and kind.paintEvent is Display.paintEvent


@cache
def application() -> QCoreApplication:
    """The application that widgets need, for painting without a window."""
    return QApplication.instance() or QApplication(["realtime-mood"])


def luminance(display: Display, frame: FeedbackFrame) -> np.ndarray:
    """What a display paints: (height, width), 0 to 1."""
    display.show_it(frame)
    image = display.grab().toImage().convertToFormat(QImage.Format.Format_Grayscale8)
    bits = image.constBits()
    assert bits is not None
    rows = np.frombuffer(bytes(bits.asarray(image.sizeInBytes())), np.uint8).reshape(image.height(), -1)
    return rows[:, : image.width()] / 255

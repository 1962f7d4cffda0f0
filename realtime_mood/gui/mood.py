"""The estimate as bars, and its time course over the last minute."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from PyQt6.QtCore import QLineF, QRectF, Qt
from PyQt6.QtGui import QBrush, QPainter, QPen

from ..language import _
from ..viewmodel.affect import gentle
from ..viewmodel.course import COURSE_S, EstimateHistory
from ..viewmodel.marks import MarkRows
from ..viewmodel.state import LabelBar, ViewState
from ..viewmodel.words import StyledText
from .theme import CENTRE, LEFT, RIGHT, Canvas, colour, draw_line, faint, fitting, font, write, write_elided

TOP = Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop | Qt.TextFlag.TextWordWrap
TIMES_PX = 180  # the width of the time axis that five labels need


class Bars(Canvas):
    """The headline and one bar per label, with a tick at chance and a whisker over the recent range."""

    gentle = False  # for the subject: larger, and in milder words

    def __init__(self) -> None:
        super().__init__()
        self.setMinimumSize(170, 130)
        self.setAccessibleName(_("estimate"))
        self._shown: tuple[StyledText, str, tuple[LabelBar, ...]] = (StyledText(""), "", ())

    def show_state(self, state: ViewState) -> None:
        shown = (state.headline, state.detail, state.bars)
        if shown != self._shown:
            if self.gentle:
                bars = tuple(replace(bar, label=gentle(bar.label)) for bar in state.bars)
                headline = next((bar.label for bar in bars if bar.is_top), state.headline.text)
                shown = (replace(state.headline, text=headline), "", bars)
            self._shown = shown
            self.setAccessibleDescription(f"{shown[0].text}, {shown[1]}")
            self.update()

    def draw(self, p: QPainter) -> None:
        headline, detail, bars = self._shown
        big, top = (2, 104) if self.gentle else (1, 64)
        is_estimate = headline.role != "dim"
        size = fitting(headline.text, self.width(), 26 * big, is_estimate)
        write(p, QRectF(0, 0, self.width(), 36 * big), LEFT, headline.text, headline.role, size, is_estimate)
        write(p, QRectF(0, 38, self.width(), 16), LEFT, detail, pixels=11)
        height = min(52.0 * big, (self.height() - top) / max(1, len(bars)))
        for i, bar in enumerate(bars):
            self._bar(p, bar, i, QRectF(0, top + i * height, self.width(), height), 1 / len(bars))

    def _bar(self, p: QPainter, bar: LabelBar, i: int, box: QRectF, chance: float) -> None:
        role = "dim" if bar.dimmed or bar.prob is None else f"label{i}"
        line, size = (30, 22) if self.gentle else (18, 13)
        words = QRectF(box.x(), box.y(), box.width(), line)
        write(p, words, LEFT, bar.label if self.gentle else _(bar.label), role, size, bar.is_top)
        write(p, words, RIGHT, "–" if bar.prob is None else f"{100 * bar.prob:.0f} %", role, size, bar.is_top)
        track = QRectF(box.x(), box.y() + line + 2, box.width(), max(5.0, min(line - 6.0, box.height() - line - 8)))
        p.setPen(Qt.PenStyle.NoPen)
        p.setBrush(faint("dim", 40))
        p.drawRoundedRect(track, 3, 3)
        if bar.prob is not None:
            full = QRectF(track.x(), track.y(), max(3.0, track.width() * bar.prob), track.height())
            p.setBrush(QBrush(colour("dim"), Qt.BrushStyle.BDiagPattern) if bar.dimmed else colour(role))
            p.drawRoundedRect(full, 3, 3)
        p.setPen(QPen(colour("text"), 1, Qt.PenStyle.DotLine))
        x = track.x() + track.width() * chance
        p.drawLine(QLineF(x, track.y() - 2, x, track.bottom() + 2))
        if bar.low is not None and bar.high is not None:  # the whisker
            a, b = (track.x() + track.width() * at for at in (bar.low, bar.high))
            y = track.center().y()
            p.setPen(QPen(colour("text"), 1.4))
            p.drawLines(QLineF(a, y, b, y), QLineF(a, y - 3, a, y + 3), QLineF(b, y - 3, b, y + 3))


class TimeCourse(Canvas):
    """Probabilities over the last minute: a line per label, and gaps with their reason."""

    PAD_LEFT, PAD_RIGHT, PAD_TOP, PAD_BOTTOM, TRUTH, MARKS = 50, 66, 4, 20, 18, 15

    def __init__(self) -> None:
        super().__init__()
        self.setMinimumSize(220, 120)
        self.setAccessibleName(_("the last minute of the estimate"))
        self._course, self._had_marks = EstimateHistory((), np.empty(0), np.empty((0, 0)), (), (), 0.0), False

    def show_state(self, state: ViewState) -> None:
        if not state.course.same_as(self._course):
            self._course = state.course
            # Their row stays until the next run, so that the picture does not move when a word leaves.
            self._had_marks = bool(state.course.marks) or (self._had_marks and bool(state.course.labels))
            self.update()

    def draw(self, p: QPainter) -> None:
        top = self.PAD_TOP + (self.TRUTH + 4 if self._course.truth else 0) + (self.MARKS if self._had_marks else 0)
        self._plot = QRectF(
            self.PAD_LEFT, top, self.width() - self.PAD_LEFT - self.PAD_RIGHT, self.height() - top - self.PAD_BOTTOM
        )
        p.setFont(font(11))
        for part in (self._gaps, self._frame, self._truth, self._marks, self._lines):
            part(p)

    def _x(self, t: float) -> float:
        return self._plot.right() + max(t, -COURSE_S) / COURSE_S * self._plot.width()

    def _y(self, prob: float) -> float:
        return self._plot.bottom() - prob * self._plot.height()

    def _frame(self, p: QPainter) -> None:
        plot, chance = self._plot, self._course.chance
        for prob in (0.0, 1.0) if chance else (0.0, 0.5, 1.0):
            self._level(p, prob, f"{100 * prob:.0f} %", QPen(faint("dim", 60 if prob else 200), 1))
        for t in (-60, -45, -30, -15, 0) if plot.width() > TIMES_PX else (-60, -30, 0):
            box = QRectF(self._x(t) - 30, plot.bottom() + 3, 60, 16)
            write(p, box, CENTRE, f"{t} s".replace("-", "−") if t else _("now"))
        if chance:
            self._level(p, chance, _("chance"), QPen(colour("text"), 1, Qt.PenStyle.DotLine))

    def _level(self, p: QPainter, prob: float, text: str, pen: QPen) -> None:
        y = self._y(prob)
        p.setPen(pen)
        p.drawLine(QLineF(self._plot.left(), y, self._plot.right(), y))
        write(p, QRectF(0, y - 8, self.PAD_LEFT - 3, 16), RIGHT, text)

    def _gaps(self, p: QPainter) -> None:
        for gap in self._course.gaps:
            box = QRectF(self._x(gap.t0), self._plot.top(), self._x(gap.t1) - self._x(gap.t0), self._plot.height())
            p.fillRect(box, faint("dim", 26))
            p.fillRect(box, QBrush(faint("dim", 60), Qt.BrushStyle.BDiagPattern))
            if box.width() > max(map(p.fontMetrics().horizontalAdvance, gap.text.split())) + 4:
                write(p, box.adjusted(0, 3, 0, 0), TOP, gap.text)

    def _truth(self, p: QPainter) -> None:
        labels = self._course.labels
        for span in self._course.truth:
            role = f"label{labels.index(span.text)}"
            box = QRectF(self._x(span.t0), self.PAD_TOP, self._x(span.t1) - self._x(span.t0) - 1, self.TRUTH)
            p.fillRect(box, faint(role, 70))
            p.fillRect(QRectF(box.x(), box.bottom() - 2, box.width(), 2), colour(role))
            if box.width() > p.fontMetrics().horizontalAdvance(_(span.text)) + 6:
                write(p, box, CENTRE, _(span.text), "text")
        if self._course.truth:
            box = QRectF(self._plot.right() + 6, self.PAD_TOP, self.PAD_RIGHT - 6, self.TRUTH)
            write(p, box, LEFT, _("true state"), "virtual")

    def _marks(self, p: QPainter) -> None:
        """Lines of markers, and their words in a row above the picture."""
        texts, at = [text for _t, text in self._course.marks], [self._x(t) for t, _text in self._course.marks]
        p.setPen(QPen(faint("virtual", 170), 1, Qt.PenStyle.DashLine))
        for x in at:
            p.drawLine(QLineF(x, self._plot.top() - self.MARKS, x, self._plot.bottom()))
        left, advance = self._plot.left(), p.fontMetrics().horizontalAdvance
        words = [(k, x - left, advance(text) + 4.0) for k, (x, text) in enumerate(zip(at, texts, strict=True))]
        for word in MarkRows(1).place(words, self._plot.width()):
            box = QRectF(left + word.x, self._plot.top() - self.MARKS, word.width, self.MARKS)
            p.fillRect(box, colour("panel"))
            write_elided(p, box.adjusted(3, 0, 0, 0), texts[word.at], "virtual")

    def _lines(self, p: QPainter) -> None:
        course = self._course
        ends: list[tuple[float, int]] = []
        for i in range(len(course.labels)):
            values = course.probs[:, i]
            p.setPen(QPen(colour(f"label{i}"), 2))
            x = self._plot.right() + np.maximum(course.t, -COURSE_S) / COURSE_S * self._plot.width()
            draw_line(p, x, self._plot.bottom() - values * self._plot.height())
            if len(values) and np.isfinite(values[-1]) and course.t[-1] > -1.0:  # a line that is still being drawn
                ends.append((self._y(values[-1]), i))
        taken = self._plot.top() - 20
        room = self._plot.bottom() - 4
        for rank, (y, i) in enumerate(sorted(ends)):  # names end the lines, pushed apart where lines meet
            taken = min(max(y, taken + 14), room - 14 * (len(ends) - 1 - rank))
            box = QRectF(self._plot.right() + 6, taken - 8, self.PAD_RIGHT - 6, 16)
            write(p, box, LEFT, _(course.labels[i]), f"label{i}")

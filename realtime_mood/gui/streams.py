"""The panel of the streams beside the EEG: state and last seconds of each, markers, gaze, and measures of the body."""

from __future__ import annotations

import numpy as np
from PyQt6.QtCore import QPointF, QRect, QRectF, Qt, pyqtSignal
from PyQt6.QtGui import QHelpEvent, QPainter, QPen
from PyQt6.QtWidgets import QFrame, QScrollArea, QWidget

from ..language import _
from ..viewmodel.gaze import TRAIL_S, GazeView
from ..viewmodel.streams import TRACE_S, StreamsView, StreamView
from .labels import column, named, row, set_tip
from .marks import MarkStrip
from .session_lines import SessionLines
from .theme import CENTRE, LEFT, RIGHT, Canvas, colour, draw_line, faint, font, write, write_elided

TEXT_PX = 190  # the width of the words of a stream
ROW_PX = (30, 52)  # the least and the greatest height of a stream
AXIS_PX = 15
FADES = 5  # steps of the trail of the gaze
SIDE_PX = 124  # the least width of gaze and measures
LINE_ROLES = ("label2", "label0", "label3")


class StreamRows(Canvas):
    """A row for each stream: name, kind, state, rate, age and losses, and its last seconds."""

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName(_("streams beside the EEG"))
        self._shown = StreamsView()

    def show_streams(self, shown: StreamsView) -> None:
        if len(shown.streams) != len(self._shown.streams):
            self.setMinimumHeight(ROW_PX[0] * len(shown.streams) + AXIS_PX)
        self._shown = shown
        self.setAccessibleDescription("; ".join(stream.tip for stream in shown.streams))
        self.update()

    @property
    def _row_px(self) -> float:
        return min(ROW_PX[1], (self.height() - AXIS_PX) / max(1, len(self._shown.streams)))

    def event(self, event):
        if isinstance(event, QHelpEvent):
            at = int(event.pos().y() / self._row_px)
            set_tip(self, self._shown.streams[at].tip if 0 <= at < len(self._shown.streams) else "")
        return super().event(event)

    def draw(self, p: QPainter) -> None:
        p.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        height, n = self._row_px, len(self._shown.streams)
        traces = QRectF(TEXT_PX, 0, self.width() - TEXT_PX, height * n)
        for i, stream in enumerate(self._shown.streams):
            box = QRectF(0, i * height, self.width(), height)
            p.fillRect(QRect(0, int(box.bottom()) - 1, self.width(), 1), faint("line", 160))  # a tenth of a line's time
            self._words(p, stream, box)
            self._trace(p, stream, QRectF(traces.x(), box.y() + 3, traces.width(), height - 6))
        for mark in self._shown.marks:
            x = traces.right() + mark.t / TRACE_S * traces.width()
            p.fillRect(QRect(round(x), 0, 1, int(traces.bottom())), faint("virtual", 110))  # whole pixels: no blending
        if n:
            axis = QRectF(traces.x(), traces.bottom(), traces.width(), AXIS_PX)
            write(p, axis, LEFT, f"−{TRACE_S:g} s", pixels=10)
            write(p, axis, RIGHT, _("now"), pixels=10)

    def _words(self, p: QPainter, stream: StreamView, box: QRectF) -> None:
        top = QRectF(14, box.center().y() - 15, TEXT_PX - 24, 15)
        below = top.translated(0, 15)
        p.setPen(Qt.PenStyle.NoPen)
        p.setBrush(colour(stream.state.role))
        p.drawRect(QRectF(2, top.center().y() - 3, 6, 6))
        p.setFont(font(11))
        state_px = p.fontMetrics().horizontalAdvance(stream.state.text) + 6
        write(p, top, RIGHT, stream.state.text, stream.state.role)
        lost_px = p.fontMetrics().horizontalAdvance(stream.lost.text) + 6
        write(p, below, RIGHT, stream.lost.text, stream.lost.role)
        write_elided(p, below.adjusted(0, 0, -lost_px, 0), stream.facts, "dim")
        room = top.adjusted(0, 0, -state_px, 0)
        p.setFont(font(12, bold=True))
        room.setLeft(room.left() + write_elided(p, room, stream.name, "text") + 6)
        p.setFont(font(11))
        write_elided(p, room, stream.kind, "dim")

    def _trace(self, p: QPainter, stream: StreamView, box: QRectF) -> None:
        p.save()
        p.setClipRect(box)
        for line, role in zip(stream.lines, LINE_ROLES, strict=False):
            p.setPen(QPen(colour(role if stream.state.role == "ok" else "faded"), 1))
            x, y = box.right() + line[:, 0] / TRACE_S * box.width(), box.bottom() - line[:, 1] * box.height()
            draw_line(p, x, y)
        for t in stream.ticks:
            at = box.right() + t / TRACE_S * box.width()
            p.fillRect(QRectF(at - 1, box.y() + box.height() / 4, 2, box.height() / 2), colour("virtual"))
        p.restore()


class GazePlane(Canvas):
    """Where the eyes look, with a trail that fades; empty while no gaze is seen."""

    def __init__(self) -> None:
        super().__init__()
        self.setMinimumSize(90, 60)
        self.setAccessibleName(_("gaze"))
        self._gaze = GazeView()

    def show_gaze(self, gaze: GazeView | None) -> None:
        self.setVisible(gaze is not None)
        if gaze is not None and gaze != self._gaze:
            self._gaze = gaze
            self.update()

    def draw(self, p: QPainter) -> None:
        gaze = self._gaze
        room = QRectF(self.rect()).adjusted(1, 16, -1, -1)
        width = min(room.width(), room.height() * gaze.aspect)
        plane = QRectF(0, room.y(), width, width / gaze.aspect)
        plane.moveLeft(room.center().x() - width / 2)
        words = _("gaze") if gaze.now else _("no gaze")
        write(p, QRectF(0, 0, self.width(), 15), CENTRE, words, "dim" if gaze.now else "warn", 11)
        p.setPen(QPen(colour("line"), 1))
        p.setBrush(Qt.BrushStyle.NoBrush)
        p.drawRoundedRect(plane, 3, 3)
        p.setClipRect(plane)
        p.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        trail = np.array(gaze.trail).reshape(-1, 3)
        x, y = plane.x() + trail[:, 1] * plane.width(), plane.y() + trail[:, 2] * plane.height()
        apart = -np.diff(trail[:, 0], prepend=np.inf) > TRAIL_S / 10  # no line through a blink
        for k in range(FADES):
            part = np.flatnonzero(trail[:, 0] <= TRAIL_S * (1 - k / FADES))
            p.setPen(QPen(faint("info", 40), 2))
            breaks = np.flatnonzero(apart[part])
            draw_line(p, np.insert(x[part], breaks, np.nan), np.insert(y[part], breaks, np.nan))
        if gaze.now is not None:
            p.setRenderHint(QPainter.RenderHint.Antialiasing)
            p.setPen(QPen(colour("panel"), 1.5))
            p.setBrush(colour("info"))
            p.drawEllipse(QPointF(x[-1], y[-1]), 5, 5)


class StreamsPanel(QWidget):
    """All of them; it asks for nothing while it is not visible."""

    seen = pyqtSignal(int)  # px of the traces' width while it is visible, else 0: it needs no data then

    def __init__(self) -> None:
        super().__init__()
        self.rows, self.marks = StreamRows(), MarkStrip(most_rows=2)
        self.gaze, self.lines = GazePlane(), SessionLines()
        inside, self._scroll = QWidget(), named(QScrollArea(), _("streams beside the EEG"))
        column(row(TEXT_PX, (self.marks, 1)), (self.rows, 1), on=inside, spacing=0)
        self._scroll.setFrameShape(QFrame.Shape.NoFrame)
        self._scroll.setWidgetResizable(True)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._scroll.setStyleSheet("QScrollArea, QScrollArea > QWidget > QWidget { background: transparent; }")
        self._scroll.setWidget(inside)
        self._side = QWidget()
        self._side.setMinimumWidth(SIDE_PX)
        column((self.gaze, 1), (self.lines, 1), on=self._side, spacing=4)
        row((self._scroll, 4), (self._side, 1), on=self, spacing=8)
        self.show_streams(StreamsView())

    def show_streams(self, shown: StreamsView) -> None:
        """Show the newest state."""
        self.rows.show_streams(shown)
        self.marks.show_marks(TRACE_S, shown.marks)
        self.gaze.show_gaze(shown.gaze)
        self.lines.show_lines(shown.body)
        self._side.setVisible(shown.gaze is not None or bool(shown.body))

    def showEvent(self, event):
        self.seen.emit(self._trace_px)

    def resizeEvent(self, event):
        if self.isVisible():
            self.seen.emit(self._trace_px)

    def hideEvent(self, event):
        self.seen.emit(0)

    @property
    def _trace_px(self) -> int:
        return max(1, self.rows.width() - TEXT_PX)

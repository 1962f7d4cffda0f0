"""Lines of measures over the whole session, one above the other."""

from __future__ import annotations

from collections.abc import Sequence

from PyQt6.QtCore import QRectF
from PyQt6.QtGui import QPainter, QPen

from ..language import _
from ..viewmodel.session_lines import SessionLine
from .theme import LEFT, RIGHT, Canvas, colour, draw_line, faint, font, write, write_elided

ROW_PX = (30, 90)  # the least and the greatest height of a line
WORDS_PX = 14


class SessionLines(Canvas):
    """A row for each measure: its name, newest value, and line. Those that have no room are left out."""

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName(_("measures over the session"))
        self._lines: tuple[SessionLine, ...] = ()

    def show_lines(self, lines: Sequence[SessionLine]) -> None:
        self.setVisible(bool(lines))
        if lines or self._lines:
            self._lines = tuple(lines)
            self.setMinimumHeight(min(2, len(lines)) * ROW_PX[0] + WORDS_PX)
            self.setAccessibleDescription("; ".join(f"{line.label} {line.text.text}" for line in lines))
            self.update()

    def draw(self, p: QPainter) -> None:
        room = self.height() - WORDS_PX
        lines = self._lines[: max(1, room // ROW_PX[0])]
        height = min(ROW_PX[1], room / max(1, len(lines)))
        for i, line in enumerate(lines):
            box = QRectF(0, i * height, self.width(), height)
            words = QRectF(box.x(), box.y(), box.width(), WORDS_PX)
            p.setFont(font(11))
            write(p, words, RIGHT, line.text.text, line.text.role)
            text_px = p.fontMetrics().horizontalAdvance(line.text.text) + 6
            write_elided(p, words.adjusted(0, 0, -text_px, 0), line.label)
            self._line(p, line, i, box.adjusted(0, WORDS_PX + 2, 0, -3))
        if lines:
            axis = QRectF(0, len(lines) * height, self.width(), WORDS_PX)
            write(p, axis, LEFT, lines[0].span, pixels=10)
            write(p, axis, RIGHT, _("now"), pixels=10)

    def _line(self, p: QPainter, line: SessionLine, i: int, box: QRectF) -> None:
        p.fillRect(box, faint("dim", 18))
        p.setPen(QPen(colour(f"label{i}"), 1.5))
        x, y = box.x() + line.points[:, 0] * box.width(), box.bottom() - line.points[:, 1] * box.height()
        draw_line(p, x, y)

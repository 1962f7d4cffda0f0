"""The words of markers in rows above the picture that has their lines."""

from __future__ import annotations

from collections.abc import Sequence

from PyQt6.QtCore import QRect, QRectF
from PyQt6.QtGui import QFontMetricsF, QPainter

from ..viewmodel.marks import Mark, MarkRows, PlacedWord
from .theme import Canvas, colour, faint, font, write_elided

LINE = 14  # px


class MarkStrip(Canvas):
    """As high as its words have needed since `clear`, so that the picture below moves only when there are more."""

    def __init__(self, most_rows: int = 3) -> None:
        super().__init__()
        self._most_rows = most_rows
        self._advance = QFontMetricsF(font(11)).horizontalAdvance
        self._x: list[float] = []
        self.words: list[tuple[PlacedWord, str]] = []
        self._rows = MarkRows(self._most_rows)
        self._make_room(0)

    def show_marks(self, span_s: float, marks: Sequence[Mark]) -> None:
        """Show these markers, oldest first; the strip is `span_s` seconds wide."""
        if not (marks or self.words):
            return
        self._x = [self.width() * (1 + mark.t / span_s) for mark in marks]
        sizes = [(mark.key, x, self._advance(mark.text) + 4) for mark, x in zip(marks, self._x, strict=True)]
        self.words = [(word, marks[word.at].text) for word in self._rows.place(sizes, float(self.width()))]
        if self._rows.n_used > self._n_rows:
            self._make_room(self._rows.n_used)
        self.update()

    def clear(self) -> None:
        """Show none, and take no room."""
        self._x, self.words, self._rows = [], [], MarkRows(self._most_rows)
        self._make_room(0)

    def _make_room(self, n_rows: int) -> None:
        self._n_rows = n_rows
        self.setFixedHeight(LINE * n_rows)
        self.setVisible(n_rows > 0)

    def draw(self, p: QPainter) -> None:
        for x in self._x:
            p.fillRect(QRect(round(x), 0, 1, self.height()), faint("virtual", 110))
        p.setFont(font(11))
        for word, text in self.words:
            box = QRectF(word.x, LINE * word.row, word.width, LINE)
            p.fillRect(box, colour("panel"))
            write_elided(p, box.adjusted(3, 0, 0, 0), text, "virtual")

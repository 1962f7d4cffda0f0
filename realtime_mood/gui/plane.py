"""The valence-arousal plane: labels, the recent trail, and the spread of the estimate."""

from __future__ import annotations

import math
from itertools import pairwise

from PyQt6.QtCore import QPointF, QRectF, Qt
from PyQt6.QtGui import QPainter, QPen
from PyQt6.QtWidgets import QWidget

from ..language import _
from ..viewmodel.affect import TRAIL_S, PlaneView, gentle
from ..viewmodel.state import ViewState
from .theme import colour, faint, font

REACH = 1.12  # of each axis, beyond the ends
FOOT = 18


class Plane(QWidget):
    """Valence to the right, arousal upwards."""

    gentle = False
    """For the subject: larger, and in milder words."""

    def __init__(self) -> None:
        super().__init__()
        self.setMinimumSize(150, 150)
        self.setAccessibleName(_("valence and arousal"))
        self._shown = PlaneView()

    def show_state(self, state: ViewState) -> None:
        if state.plane != self._shown:
            self._shown = state.plane
            self.update()

    def paintEvent(self, event: object) -> None:
        it, size = self._shown, font(17 if self.gentle else 11)
        p = QPainter(self)
        p.setRenderHint(QPainter.RenderHint.Antialiasing)
        p.setFont(size)
        height = p.fontMetrics().height()
        self._side = min(self.width(), self.height() - 2 * height - 4) / 2
        self._middle = QPointF(self.width() / 2, self.height() / 2)
        if not it.places:
            p.setPen(colour("dim"))
            p.drawText(QRectF(self.rect()), Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap, _(it.words))
            p.end()
            return
        self._axes(p, height)
        for place in it.places:
            self._label(p, place.label, place.valence, place.arousal, place.role, height)
        self._trail(p)
        if it.now is not None and it.spread is not None:
            self._here(p, it.now, it.spread)
        p.end()

    def _at(self, valence: float, arousal: float) -> QPointF:
        scale = self._side / REACH
        return QPointF(self._middle.x() + valence * scale, self._middle.y() - arousal * scale)

    def _axes(self, p: QPainter, height: int) -> None:
        p.setPen(QPen(faint("dim", 90), 1))
        p.drawEllipse(self._middle, self._side / REACH, self._side / REACH)
        p.drawLine(self._at(-1, 0), self._at(1, 0))
        p.drawLine(self._at(0, -1), self._at(0, 1))
        p.setPen(colour("dim"))
        centre = Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignVCenter
        top, bottom = self._at(0, 1).y(), self._at(0, -1).y()
        p.drawText(QRectF(0, top - height - 2, self.width(), height), centre, _("activated ↑"))
        p.drawText(QRectF(0, bottom + 2, self.width(), height), centre, _("calm ↓"))
        words = ("" if self.gentle else _("← unpleasant"), _("pleasant →"))
        if self._side > 110 or self.gentle:
            y = self._middle.y() - height - 1
            left = QRectF(self._at(-1, 0).x() + 4, y, self._side, height)
            right = QRectF(self._at(1, 0).x() - self._side - 4, y, self._side, height)
            p.drawText(left, Qt.AlignmentFlag.AlignLeft, words[0])
            p.drawText(right, Qt.AlignmentFlag.AlignRight, words[1])

    def _label(self, p: QPainter, label: str, valence: float, arousal: float, role: str, height: int) -> None:
        at = self._at(valence, arousal)
        p.setPen(Qt.PenStyle.NoPen)
        p.setBrush(faint(role, 120))
        p.drawEllipse(at, 3.5, 3.5)
        p.setPen(colour(role))
        text = gentle(label) if self.gentle else _(label)
        width = p.fontMetrics().horizontalAdvance(text) + 2
        x = min(max(0.0, at.x() - width / 2), self.width() - width)
        y = at.y() - height - 4 if arousal > 0 else at.y() + 4
        p.drawText(QRectF(x, y, width, height), Qt.AlignmentFlag.AlignCenter, text)

    def _trail(self, p: QPainter) -> None:
        trail = self._shown.trail
        for (age_s, v0, a0), (newer_s, v1, a1) in pairwise(trail):
            if age_s - newer_s < 1.0:  # none through a gap
                p.setPen(QPen(faint("text", round(190 * (1 - age_s / TRAIL_S))), 1.6))
                p.drawLine(self._at(v0, a0), self._at(v1, a1))

    def _here(self, p: QPainter, now: tuple[float, float], spread: tuple[float, float, float]) -> None:
        first, second, angle = spread
        scale = self._side / REACH
        p.save()
        p.translate(self._at(*now))
        p.rotate(-math.degrees(angle))
        p.setPen(QPen(faint("text", 120), 1, Qt.PenStyle.DotLine))
        p.setBrush(faint("text", 22))
        p.drawEllipse(QPointF(0, 0), max(3.0, first * scale), max(3.0, second * scale))
        p.restore()
        p.setPen(QPen(colour("panel"), 1.5))
        p.setBrush(colour("text"))
        p.drawEllipse(self._at(*now), 6 if not self.gentle else 9, 6 if not self.gentle else 9)

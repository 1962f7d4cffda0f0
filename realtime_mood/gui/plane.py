"""The valence-arousal plane: labels, the recent trail, and the spread of the estimate."""

from __future__ import annotations

import math
from itertools import pairwise

from PyQt6.QtCore import QPointF, QRectF, Qt
from PyQt6.QtGui import QPainter, QPen

from ..language import _
from ..viewmodel.affect import TRAIL_S, Place, PlaneView, gentle
from ..viewmodel.state import ViewState
from .theme import CENTRE, LEFT, RIGHT, Canvas, colour, faint, font, write

REACH = 1.12  # of each axis, beyond the ends


class Plane(Canvas):
    """Valence to the right, arousal upwards."""

    gentle = False  # for the subject: larger, and in milder words

    def __init__(self) -> None:
        super().__init__()
        self.setMinimumSize(150, 150)
        self.setAccessibleName(_("valence and arousal"))
        self._shown = PlaneView()

    def show_state(self, state: ViewState) -> None:
        if state.plane != self._shown:
            self._shown = state.plane
            self.update()

    def draw(self, p: QPainter) -> None:
        shown = self._shown
        p.setFont(font(17 if self.gentle else 11))
        height = p.fontMetrics().height()
        self._side = min(self.width(), self.height() - 2 * height - 4) / 2
        self._middle = QPointF(self.width() / 2, self.height() / 2)
        if not shown.places:
            write(p, QRectF(self.rect()), CENTRE | Qt.TextFlag.TextWordWrap, _(shown.words))
            return
        self._axes(p, height)
        for place in shown.places:
            self._label(p, place, height)
        self._trail(p)
        if shown.now is not None and shown.spread is not None:
            self._here(p, shown.now, shown.spread)

    def _at(self, valence: float, arousal: float) -> QPointF:
        scale = self._side / REACH
        return QPointF(self._middle.x() + valence * scale, self._middle.y() - arousal * scale)

    def _axes(self, p: QPainter, height: int) -> None:
        p.setPen(QPen(faint("dim", 90), 1))
        p.drawEllipse(self._middle, self._side / REACH, self._side / REACH)
        p.drawLine(self._at(-1, 0), self._at(1, 0))
        p.drawLine(self._at(0, -1), self._at(0, 1))
        top, bottom = self._at(0, 1).y(), self._at(0, -1).y()
        write(p, QRectF(0, top - height - 2, self.width(), height), CENTRE, _("activated ↑"))
        write(p, QRectF(0, bottom + 2, self.width(), height), CENTRE, _("calm ↓"))
        if self._side > 110 or self.gentle:
            left, right, y = self._at(-1, 0).x() + 4, self._at(1, 0).x() - 4, self._middle.y() - height - 1
            write(p, QRectF(left, y, self._side, height), LEFT, "" if self.gentle else _("← unpleasant"))
            write(p, QRectF(right - self._side, y, self._side, height), RIGHT, _("pleasant →"))

    def _label(self, p: QPainter, place: Place, height: int) -> None:
        at = self._at(place.valence, place.arousal)
        p.setPen(Qt.PenStyle.NoPen)
        p.setBrush(faint(place.role, 120))
        p.drawEllipse(at, 3.5, 3.5)
        text = gentle(place.label) if self.gentle else _(place.label)
        width = p.fontMetrics().horizontalAdvance(text) + 2
        x = min(max(0.0, at.x() - width / 2), self.width() - width)
        y = at.y() - height - 4 if place.arousal > 0 else at.y() + 4
        write(p, QRectF(x, y, width, height), CENTRE, text, place.role)

    def _trail(self, p: QPainter) -> None:
        for (age_s, v0, a0), (newer_s, v1, a1) in pairwise(self._shown.trail):
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
        radius = 9 if self.gentle else 6
        p.drawEllipse(self._at(*now), radius, radius)

"""Heads seen from above, nose up: the base class, and the head of signal quality."""

from __future__ import annotations

import math

import numpy as np
from PyQt6.QtCore import QEvent, QPoint, QPointF, QRectF, Qt
from PyQt6.QtGui import QFontMetrics, QHelpEvent, QPainter, QPainterPath, QPen

from ..language import N_, _
from ..montage import locate, positions
from ..viewmodel import scalp
from ..viewmodel.electrodes import ElectrodeView
from ..viewmodel.state import ViewState
from .labels import show_tip
from .theme import CENTRE, Canvas, colour, font, write

REACH_PX = 9  # distance from an electrode within which the pointer selects it


class Head(Canvas):
    """The outline of a head. `place` sets its electrodes; subclasses paint inside and on top."""

    foot_px = 0  # kept free below
    MARGIN = 1.2  # head radii from the centre to the nearest edge of the widget

    def __init__(self, title: str = "") -> None:
        super().__init__()
        self.title = title
        self.xy = np.empty((0, 2))
        self.setMinimumSize(90, 90)

    def place(self, xy: np.ndarray) -> None:
        self.xy = xy
        self.update()

    def draw(self, p: QPainter) -> None:
        top = 18 if self.title else 0
        height = self.height() - top - self.foot_px
        self.radius = max(10.0, min(self.width(), height) / 2 / self.MARGIN)
        self.centre = QPointF(self.width() / 2, top + height / 2 + 0.06 * self.radius)
        p.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform)
        write(p, QRectF(0, 0, self.width(), 18), CENTRE, self.title, "text", 12, bold=True)
        self.fill(p)
        self._outline(p)
        self._sides(p)
        self.electrodes(p)

    def spot(self, x: float, y: float) -> QPointF:
        """Where a point in head radii lies in the widget."""
        return QPointF(self.centre.x() + x * self.radius, self.centre.y() - y * self.radius)

    def fill(self, p: QPainter) -> None:
        """Paint what lies inside the outline."""

    def electrodes(self, p: QPainter) -> None:
        """Paint what lies on top of it."""

    def _sides(self, p: QPainter) -> None:
        """Mark left and right."""
        for x, text in ((-1.0, _("L")), (1.0, _("R"))):
            at = self.spot(x, 0.86)
            write(p, QRectF(at.x() - 8, at.y() - 8, 16, 16), CENTRE, text, pixels=10)

    def _outline(self, p: QPainter) -> None:
        p.setBrush(Qt.BrushStyle.NoBrush)
        p.setPen(QPen(colour("dim"), 1.5))
        p.drawEllipse(self.centre, self.radius, self.radius)
        p.drawPolyline(self.spot(-0.12, 0.993), self.spot(0, 1.14), self.spot(0.12, 0.993))
        for side in (-1, 1):
            ear = QPainterPath(self.spot(side * 0.98, 0.17))
            ear.cubicTo(self.spot(side * 1.13, 0.22), self.spot(side * 1.13, -0.22), self.spot(side * 0.98, -0.17))
            p.drawPath(ear)


class QualityHead(Head):
    """Electrodes coloured by signal quality; those with a fault are named, and all if there is room."""

    FOOT_PX, ROW_PX = 6, 14  # below the rows of the legend, and of each
    ROOM = 34  # px between the nearest two electrodes from which on all have their names
    WORDS = {"ok": N_("good"), "warn": N_("fair"), "bad": N_("fault"), "dim": N_("unknown"), "out": N_("left out")}
    """The legend, by role; left-out electrodes are a ring."""

    def __init__(self) -> None:
        super().__init__()
        self._electrodes: tuple[ElectrodeView, ...] = ()
        self._legend: list[list[tuple[str, str, int]]] = []  # rows of roles, words and widths (px)
        self._nearest = 0.0  # head radii between the nearest two

    def place(self, xy: np.ndarray) -> None:
        apart = np.hypot(*(xy[:, None] - xy[None]).transpose(2, 0, 1)) + 9 * np.eye(len(xy))
        self._nearest = float(apart.min(initial=9.0))
        super().place(xy)

    def show_state(self, state: ViewState) -> None:
        known = tuple(e for e in state.electrodes if e.name in positions())
        if [e.name for e in known] != [e.name for e in self._electrodes]:
            self.place(scalp.flatten(locate([e.name for e in known])))
        looks, looked = ([(e.role, e.excluded, _kohm(e)) for e in which] for which in (known, self._electrodes))
        if looks != looked:
            self.update()
        self._electrodes = known

    def event(self, event):
        """Show a tooltip for the electrode under the pointer."""
        if isinstance(event, QHelpEvent) and event.type() is QEvent.Type.ToolTip:
            show_tip(event.globalPos(), self.words_at(event.pos()), self)
            return True
        return super().event(event)

    def words_at(self, at: QPoint) -> str:
        """The description of the electrode at a point of the widget; empty if there is none."""
        for e, (x, y) in zip(self._electrodes, self.xy, strict=True):
            off = self.spot(x, y) - QPointF(at)
            if math.hypot(off.x(), off.y()) <= REACH_PX:
                words = _(self.WORDS["out" if e.excluded else e.role])
                return " · ".join(part for part in (e.name, e.fault or words, _kohm(e)) if part)
        return ""

    def draw(self, p: QPainter) -> None:
        self._legend = self._rows()
        self.foot_px = self.FOOT_PX + self.ROW_PX * len(self._legend)
        super().draw(p)

    def _rows(self) -> list[list[tuple[str, str, int]]]:
        """The legend, in as many rows as the width needs."""
        advance = QFontMetrics(font(11)).horizontalAdvance
        roles, rows = ["out" if e.excluded else e.role for e in self._electrodes], list[list[tuple[str, str, int]]]()
        for role, word in self.WORDS.items():
            if n := roles.count(role):
                text = f"{n} {_(word)}"
                width = advance(text) + 24
                if not rows or sum(cell[2] for cell in rows[-1]) + width > self.width():
                    rows.append([])
                rows[-1].append((role, text, width))
        return rows

    def fill(self, p: QPainter) -> None:
        p.setFont(font(11))
        for k, cells in enumerate(self._legend):
            x = (self.width() - sum(width for _role, _text, width in cells)) / 2 + 8
            y = self.height() - 8 - self.ROW_PX * (len(self._legend) - 1 - k)
            for role, text, width in cells:
                p.setPen(QPen(colour("dim"), 1.5) if role == "out" else Qt.PenStyle.NoPen)
                p.setBrush(Qt.BrushStyle.NoBrush if role == "out" else colour(role))
                p.drawEllipse(QPointF(x, y), 4, 4)
                p.setPen(colour("dim"))
                p.drawText(QPointF(x + 8, y + 4), text)
                x += width

    def electrodes(self, p: QPainter) -> None:
        usual = 0.05 if len(self._electrodes) > 40 else 0.068
        r = min(11.0, max(3.5, self.radius * min(usual, 0.48 * self._nearest)))
        for e, (x, y) in zip(self._electrodes, self.xy, strict=True):
            at = self.spot(x, y)
            if e.excluded:  # a ring that is crossed out
                p.setPen(QPen(colour("dim"), 1.5))
                p.setBrush(Qt.BrushStyle.NoBrush)
                p.drawLine(QPointF(at.x() - r, at.y() + r), QPointF(at.x() + r, at.y() - r))
            else:
                p.setPen(QPen(colour("text") if e.is_bad else colour("panel"), 1))
                p.setBrush(colour(e.role))
            p.drawEllipse(at, r, r)
        p.setFont(font(11, bold=True))
        has_room = self._nearest * self.radius >= max(self.ROOM, 2 * r + 16)
        for e, (x, y) in zip(self._electrodes, self.xy, strict=True):
            if e.is_bad or e.excluded or has_room:
                self._name(p, e, self.spot(x, y), r)

    def _name(self, p: QPainter, e: ElectrodeView, at: QPointF, r: float) -> None:
        """The name below its electrode, on a background."""
        text = f"{e.name} {_kohm(e)}".strip()
        width = p.fontMetrics().horizontalAdvance(text) + 6
        x = min(max(0.0, at.x() - width / 2), self.width() - width)
        box = QRectF(x, at.y() + r + 2, width, 14)
        p.setPen(Qt.PenStyle.NoPen)
        p.setBrush(colour("line"))
        p.drawRoundedRect(box, 3, 3)
        write(p, box, CENTRE, text, "bad" if e.is_bad else "dim")


def _kohm(e: ElectrodeView) -> str:
    """Impedance as a text, in whole kΩ."""
    return "" if e.kohm is None else f"{e.kohm:.0f} kΩ"

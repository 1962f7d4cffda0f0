"""Turns attention and signal quality into heads seen from above: nose up, left ear left."""

from __future__ import annotations

import numpy as np
import pyqtgraph as pg
from PyQt6.QtCore import QPointF, QRectF, Qt
from PyQt6.QtGui import QImage, QPainter, QPainterPath, QPen
from PyQt6.QtWidgets import QGridLayout, QWidget

from ..dsp.spec import BANDS
from ..montage import locate, positions
from . import scalp
from .theme import colour, faint, font
from .viewmodel import Electrode, ViewState

COLOUR_MAP = pg.colormap.get("viridis").getLookupTable(nPts=256)


class Head(QWidget):
    """The outline all heads share. `place` gives it electrodes; children paint what is in and on it."""

    FOOT = 0  # px kept free below
    MARGIN = 1.2  # head radii from the centre to the nearest edge of the widget

    def __init__(self, title: str = "") -> None:
        super().__init__()
        self.title = title
        self.xy = np.empty((0, 2))
        self.setMinimumSize(90, 90)

    def place(self, xy: np.ndarray) -> None:
        self.xy = xy
        self.update()

    def paintEvent(self, event: object) -> None:
        top = 18 if self.title else 0
        height = self.height() - top - self.FOOT
        self.radius = max(10.0, min(self.width(), height) / 2 / self.MARGIN)
        self.centre = QPointF(self.width() / 2, top + height / 2 + 0.06 * self.radius)
        p = QPainter(self)
        p.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform)
        if self.title:
            p.setFont(font(12, bold=True))
            p.setPen(colour("text"))
            p.drawText(QRectF(0, 0, self.width(), 18), Qt.AlignmentFlag.AlignCenter, self.title)
        self.fill(p)
        self._outline(p)
        self.electrodes(p)
        p.end()

    def spot(self, x: float, y: float) -> QPointF:
        """Where a point in head radii lies in the widget."""
        return QPointF(self.centre.x() + x * self.radius, self.centre.y() - y * self.radius)

    def fill(self, p: QPainter) -> None:
        """Paint what lies inside the outline."""

    def electrodes(self, p: QPainter) -> None:
        """Paint what lies on top of it."""

    def _outline(self, p: QPainter) -> None:
        p.setBrush(Qt.BrushStyle.NoBrush)
        p.setPen(QPen(colour("dim"), 1.5))
        p.drawEllipse(self.centre, self.radius, self.radius)
        p.drawPolyline(self.spot(-0.12, 0.993), self.spot(0, 1.14), self.spot(0.12, 0.993))
        for side in (-1, 1):
            ear = QPainterPath(self.spot(side * 0.98, 0.17))
            ear.cubicTo(self.spot(side * 1.13, 0.22), self.spot(side * 1.13, -0.22), self.spot(side * 0.98, -0.17))
            p.drawPath(ear)


class AttentionHead(Head):
    """One band's attention as a coloured map; an empty head where there is no reading."""

    def __init__(self, title: str) -> None:
        super().__init__(title)
        self._image: QImage | None = None
        self._used = np.empty(0, bool)

    def show_picture(self, picture: np.ndarray | None, used: np.ndarray) -> None:
        """`picture`: (GRID, GRID) ARGB32 premultiplied, or None; `used`: (n_chans,) electrodes it rests on."""
        if picture is None and self._image is None:
            return
        size = scalp.GRID
        self._image = None
        if picture is not None:
            self._image = QImage(picture.tobytes(), size, size, QImage.Format.Format_ARGB32_Premultiplied).copy()
        self._used = used
        self.update()

    def fill(self, p: QPainter) -> None:
        if self._image is None:
            p.setPen(colour("dim"))
            p.setFont(font(11))
            p.drawText(
                QRectF(self.centre.x() - 40, self.centre.y() - 10, 80, 20), Qt.AlignmentFlag.AlignCenter, "no reading"
            )
            return
        inside = QPainterPath()
        inside.addEllipse(self.centre, self.radius, self.radius)
        p.setClipPath(inside)
        p.drawImage(QRectF(self.spot(-1, 1), self.spot(1, -1)), self._image)
        p.setClipping(False)

    def electrodes(self, p: QPainter) -> None:
        if self._image is None:
            return
        r = 1.6 if len(self.xy) <= 40 else 1.1
        for (x, y), used in zip(self.xy, self._used, strict=True):
            p.setPen(Qt.PenStyle.NoPen if used else QPen(colour("bad"), 1.2))
            p.setBrush(faint("text", 190) if used else Qt.BrushStyle.NoBrush)
            p.drawEllipse(self.spot(x, y), r if used else 2.6, r if used else 2.6)


class Scale(QWidget):
    """What the colours of the attention maps mean."""

    def __init__(self) -> None:
        super().__init__()
        self._span = 2

    def show_span(self, span: int) -> None:
        if span != self._span:
            self._span = span
            self.update()

    def paintEvent(self, event: object) -> None:
        p = QPainter(self)
        x, w, mid = self.width() / 2 - 62, 124, self.height() / 2
        for i in range(w):
            p.setPen(pg.mkColor(*COLOUR_MAP[round(i / (w - 1) * 255)]))
            p.drawLine(QPointF(x + i, mid - 6), QPointF(x + i, mid + 6))
        p.setFont(font(11))
        p.setPen(colour("dim"))
        centre = Qt.AlignmentFlag.AlignCenter
        p.drawText(QRectF(0, mid - 42, self.width(), 30), centre, "attention, as a multiple\nof an even share")
        for at, text in ((0.0, f"1/{self._span}"), (0.5, "1"), (1.0, f"{self._span}×")):
            p.drawText(QRectF(x + at * w - 20, mid + 8, 40, 16), centre, text)
        p.end()


class Attention(QWidget):
    """The five bands' maps on one colour scale."""

    def __init__(self) -> None:
        super().__init__()
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(2)
        self.heads = [AttentionHead(band) for band in BANDS]
        self.scale = Scale()
        for i, widget in enumerate([*self.heads, self.scale]):
            grid.addWidget(widget, i // 3, i % 3)
        self._names: tuple[str, ...] = ()
        self._matrices: dict[bytes, np.ndarray] = {}
        self._points, self._inside = scalp.grid()

    def show_state(self, state: ViewState) -> None:
        names = tuple(e.name for e in state.electrodes)
        if names != self._names:
            self._names, self._matrices = names, {}
            xy = scalp.flatten(locate([n for n in names if n in positions()]))
            for head in self.heads:
                head.show_picture(None, np.empty(0, bool))
                head.place(xy)
        self.scale.show_span(state.attention_span)
        known = [i for i, n in enumerate(names) if n in positions()]
        values = None if state.attention is None else state.attention[known]
        used = np.empty(0, bool) if values is None else np.isfinite(values[:, 0])
        if values is None or not used.any():
            for head in self.heads:
                head.show_picture(None, used)
            return
        flat = self._matrix(used) @ values[used]
        for head, column in zip(self.heads, flat.T, strict=True):
            head.show_picture(self._picture(column), used)

    def _matrix(self, used: np.ndarray) -> np.ndarray:
        """The interpolator over the electrodes in use; kept, for they seldom change."""
        key = used.tobytes()
        if key not in self._matrices:
            if len(self._matrices) > 16:
                self._matrices.clear()
            self._matrices[key] = scalp.interpolator(self.heads[0].xy[used], self._points)
        return self._matrices[key]

    def _picture(self, column: np.ndarray) -> np.ndarray:
        level = np.clip((column + 1) * 127.5, 0, 255).astype(np.uint8)
        rgb = COLOUR_MAP[level].astype(np.uint32)
        picture = np.zeros(self._inside.shape, np.uint32)
        picture[self._inside] = 0xFF000000 | rgb[:, 0] << 16 | rgb[:, 1] << 8 | rgb[:, 2]
        return picture


class QualityHead(Head):
    """Electrodes coloured by signal quality; those with a fault are named, and all where there are few."""

    FOOT = 20
    FEW = 16
    WORDS = (("ok", "good"), ("warn", "fair"), ("bad", "fault"), ("dim", "unknown"))

    def __init__(self) -> None:
        super().__init__()
        self._electrodes: tuple[Electrode, ...] = ()

    def show_state(self, state: ViewState) -> None:
        known = tuple(e for e in state.electrodes if e.name in positions())
        if [e.name for e in known] != [e.name for e in self._electrodes]:
            self.place(scalp.flatten(locate([e.name for e in known])))
        if [e.role for e in known] != [e.role for e in self._electrodes]:
            self.update()
        self._electrodes = known

    def fill(self, p: QPainter) -> None:
        p.setPen(colour("dim"))
        p.setFont(font(11))
        for x, text in ((-1.0, "left"), (1.0, "right")):
            at = self.spot(x, 0.98)
            p.drawText(QRectF(at.x() - 20, at.y() - 8, 40, 16), Qt.AlignmentFlag.AlignCenter, text)
        x, y = self.width() / 2 - 105, self.height() - 8
        for role, word in self.WORDS:
            p.setPen(Qt.PenStyle.NoPen)
            p.setBrush(colour(role))
            p.drawEllipse(QPointF(x, y), 4, 4)
            p.setPen(colour("dim"))
            p.drawText(QPointF(x + 8, y + 4), word)
            x += p.fontMetrics().horizontalAdvance(word) + 26

    def electrodes(self, p: QPainter) -> None:
        many = len(self._electrodes) > 40
        r = max(2.5, self.radius * (0.05 if many else 0.068))
        for e, (x, y) in zip(self._electrodes, self.xy, strict=True):
            p.setPen(QPen(colour("text") if e.is_bad else colour("panel"), 1))
            p.setBrush(colour(e.role))
            p.drawEllipse(self.spot(x, y), r, r)
        p.setFont(font(11, bold=True))
        for e, (x, y) in zip(self._electrodes, self.xy, strict=True):
            if e.is_bad or len(self._electrodes) <= self.FEW:
                self._name(p, e, self.spot(x, y), r)

    def _name(self, p: QPainter, e: Electrode, at: QPointF, r: float) -> None:
        """The name under its electrode, where neighbours are furthest, on a ground of its own."""
        width = p.fontMetrics().horizontalAdvance(e.name) + 6
        x = min(max(0.0, at.x() - width / 2), self.width() - width)
        box = QRectF(x, at.y() + r + 2, width, 14)
        p.setPen(Qt.PenStyle.NoPen)
        p.setBrush(colour("line"))
        p.drawRoundedRect(box, 3, 3)
        p.setPen(colour("bad" if e.is_bad else "dim"))
        p.drawText(box, Qt.AlignmentFlag.AlignCenter, e.name)

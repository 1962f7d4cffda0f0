"""Scalp maps of attention or band power, one per band, on one colour scale.

The interpolation is a product with a matrix that is kept. Hidden maps are not drawn.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyqtgraph as pg
from PyQt6.QtCore import QRectF, Qt
from PyQt6.QtGui import QImage, QPainter, QPainterPath, QPen, QPixmap
from PyQt6.QtWidgets import QButtonGroup, QGridLayout, QWidget

from ..dsp.spec import BANDS
from ..language import _
from ..montage import locate, positions
from ..viewmodel import scalp
from ..viewmodel.state import ViewState
from .heads import Head
from .labels import STRETCH, button, column, row
from .theme import CENTRE, Canvas, colour, faint, font, write


def _table(name: str) -> np.ndarray:
    """256 opaque colours as ARGB32."""
    rgb = pg.colormap.get(name).getLookupTable(nPts=256).astype(np.uint32)
    return np.asarray(0xFF000000 | rgb[:, 0] << 16 | rgb[:, 1] << 8 | rgb[:, 2], np.uint32)


UNIFORM, DIVERGING = _table("viridis"), _table("CET-D1A")
POWER_SD = 3.0  # standard deviations at the ends of the colour scale of band power


@dataclass(frozen=True, slots=True)
class Legend:
    """The meaning of the colours."""

    words: str
    ticks: tuple[str, str, str]


class MapHead(Head):
    """The map of one band; an empty head if there is no reading."""

    def __init__(self, title: str) -> None:
        super().__init__(title)
        self._image: QImage | None = None
        self._used = np.empty(0, bool)
        self._still: QPixmap | None = None  # all but the map: it rarely changes and is slow to paint
        self._square = QRectF()  # where the map lies

    def show_picture(self, picture: np.ndarray | None, used: np.ndarray) -> None:
        """`picture`: (GRID, GRID) RGB32, or None; `used`: (n_chans,) electrodes it rests on."""
        if picture is None and self._image is None:
            return
        if (picture is None) != (self._image is None) or not np.array_equal(used, self._used):
            self._still = None
        size, kind = scalp.GRID, QImage.Format.Format_RGB32
        self._bytes = b"" if picture is None else picture.tobytes()  # the image does not own them
        self._image = None if picture is None else QImage(self._bytes, size, size, kind)
        self._used = used
        self.update(self.rect() if self._still is None else self._square.toAlignedRect())

    def place(self, xy: np.ndarray) -> None:
        self._still = None
        super().place(xy)

    def retheme(self) -> None:
        self._still = None

    def paintEvent(self, event):
        if self._still is None or self._still.deviceIndependentSize().toSize() != self.size():
            ratio = self.devicePixelRatioF()
            self._still = QPixmap(self.size() * ratio)
            self._still.setDevicePixelRatio(ratio)
            self._still.fill(Qt.GlobalColor.transparent)
            p = QPainter(self._still)
            self.draw(p)
            p.end()
            self._square = QRectF(self.spot(-1, 1), self.spot(1, -1))
        p = QPainter(self)
        if self._image is not None:
            p.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            p.drawImage(self._square, self._image)
        p.drawPixmap(0, 0, self._still)
        p.end()

    def fill(self, p: QPainter) -> None:
        if self._image is not None:  # a clean edge over that of the map's coarse pixels
            around = QPainterPath()
            around.addRect(QRectF(self.spot(-1.1, 1.1), self.spot(1.1, -1.1)))
            around.addEllipse(self.centre, self.radius, self.radius)
            p.fillPath(around, colour("panel"))
        else:
            box = QRectF(self.centre.x() - 40, self.centre.y() - 10, 80, 20)
            write(p, box, CENTRE, _("no reading"), pixels=11)

    def electrodes(self, p: QPainter) -> None:
        if self._image is None:
            return
        for (x, y), used in zip(self.xy, self._used, strict=True):
            r = 2.6 if not used else 1.6 if len(self.xy) <= 40 else 1.1
            p.setPen(Qt.PenStyle.NoPen if used else QPen(colour("bad"), 1.2))
            p.setBrush(faint("text", 190) if used else Qt.BrushStyle.NoBrush)
            p.drawEllipse(self.spot(x, y), r, r)


class Scale(Canvas):
    """The colour scale and its meaning."""

    def __init__(self) -> None:
        super().__init__()
        self._legend, self._table = Legend("", ("", "", "")), UNIFORM

    def show_scale(self, legend: Legend, table: np.ndarray) -> None:
        if legend != self._legend or table is not self._table:
            self._legend, self._table = legend, table
            self.update()

    def draw(self, p: QPainter) -> None:
        w = min(124, self.width() - 44)
        x, mid = (self.width() - w) / 2, self.height() / 2 + 8
        strip = QImage(self._table.tobytes(), len(self._table), 1, QImage.Format.Format_RGB32)
        p.drawImage(QRectF(x, mid - 6, w, 13), strip)
        p.setFont(font(11))
        above = Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignBottom | Qt.TextFlag.TextWordWrap
        write(p, QRectF(0, 0, self.width(), mid - 10), above, self._legend.words)
        for at, text in zip((0.0, 0.5, 1.0), self._legend.ticks, strict=True):
            write(p, QRectF(x + at * w - 24, mid + 8, 48, 16), CENTRE, text)


class Maps(QWidget):
    """The maps of the five bands: attention of the network, or band power."""

    def __init__(self) -> None:
        super().__init__()
        self.attention, self.power = button(_("Attention"), "plain"), button(_("Band power"), "plain")
        self.heads = [MapHead(band) for band in BANDS]
        self.scale = Scale()
        self._choice, grid = QButtonGroup(self), QGridLayout()
        for chooser in (self.attention, self.power):
            chooser.setCheckable(True)
            chooser.setStyleSheet("padding: 2px 12px;")
            self._choice.addButton(chooser)
        self.attention.setChecked(True)
        grid.setSpacing(2)
        for i, widget in enumerate([*self.heads, self.scale]):
            grid.addWidget(widget, i // 3, i % 3)
        column(row(self.attention, self.power, STRETCH), (grid, 1), on=self)
        self._names: tuple[str, ...] = ()
        self._known: list[int] = []
        self._matrices: dict[bytes, np.ndarray] = {}
        self._points, self._inside = scalp.grid()
        self._state: ViewState | None = None
        self._drawn: np.ndarray | None = None
        self._choice.buttonClicked.connect(self._draw)

    def show_state(self, state: ViewState) -> None:
        """Keep the state, and draw it if the maps are visible."""
        self._state = state
        if self.isVisible():
            self._draw()

    def showEvent(self, event):
        self._draw()

    def retheme(self) -> None:
        self._drawn = None

    def _draw(self) -> None:
        state = self._state
        if state is None:
            return
        self._place(tuple(e.name for e in state.electrodes))
        values, legend, table = self._values(state)
        self.scale.show_scale(legend, table)
        known = np.empty((0, 0)) if values is None else values[self._known]
        used = np.asarray(np.isfinite(known).all(1))
        if not used.any():
            self._drawn = None
            for head in self.heads:
                head.show_picture(None, used)
            return
        if self._drawn is not None and np.array_equal(known, self._drawn, equal_nan=True):
            return  # unchanged
        self._drawn = known
        flat = known[used].T.astype(np.float32) @ self._matrix(used)
        pictures = np.zeros((len(self.heads), *self._inside.shape), np.uint32)
        pictures[:, self._inside] = table[np.clip((flat + 1) * 127.5, 0, 255).astype(np.uint8)]
        for head, one in zip(self.heads, pictures, strict=True):
            head.show_picture(one, used)

    def _values(self, state: ViewState) -> tuple[np.ndarray | None, Legend, np.ndarray]:
        """Values to draw, -1 to 1: (n_chans, n_bands); their legend; their colours."""
        if self.power.isChecked():
            words = _("power, in standard deviations from {reference}", reference=state.power_of)
            legend = Legend(words, (f"−{POWER_SD:g}", "0", f"+{POWER_SD:g} SD"))
            return None if state.power is None else state.power / POWER_SD, legend, DIVERGING
        span = state.attention_span
        legend = Legend(_("attention, as a multiple of an equal share"), (f"1/{span}", "1", f"{span}×"))
        return state.attention, legend, UNIFORM

    def _place(self, names: tuple[str, ...]) -> None:
        if names == self._names:
            return
        self._names, self._matrices, self._drawn = names, {}, None
        self._known = [i for i, n in enumerate(names) if n in positions()]
        xy = scalp.flatten(locate([names[i] for i in self._known]))
        for head in self.heads:
            head.show_picture(None, np.empty(0, bool))
            head.place(xy)

    def _matrix(self, used: np.ndarray) -> np.ndarray:
        """The interpolator over the used electrodes (n_used, n_points), cached."""
        key = used.tobytes()
        if key not in self._matrices:
            if len(self._matrices) > 16:
                self._matrices.clear()
            kept = scalp.interpolator(self.heads[0].xy[used], self._points)
            self._matrices[key] = np.ascontiguousarray(kept.T, np.float32)
        return self._matrices[key]

"""Turns the newest seconds of signal into scrolling traces: one lane a channel, lost samples as gaps."""

from __future__ import annotations

import math

import numpy as np
import pyqtgraph as pg
from PyQt6.QtCore import QRectF, Qt
from PyQt6.QtGui import QPainter
from PyQt6.QtWidgets import QGridLayout, QLabel, QWidget

from ..types import Chunk
from .theme import colour, faint, font
from .viewmodel import Electrode, ViewState

SPAN_S = 10.0
N_COLUMNS = 420  # min-max pairs across the picture: about one a pixel at 1280 x 720
MIDDLE = Qt.AlignmentFlag.AlignVCenter
LANE_HALF = 0.75  # a trace may leave its lane by this much before it is cut


def min_max(data: np.ndarray, first: int, n_columns: int) -> tuple[np.ndarray, np.ndarray]:
    """The envelope of `data` in at most `n_columns` columns that stay put while the signal scrolls.

    Parameters
    ----------
    data : ndarray, (n_times, n_chans)
        µV.
    first : int
        Index of ``data[0]``. Columns start at whole multiples of their width, so that no peak flickers.
    n_columns : int
        About as many as there are pixels.

    Returns
    -------
    at : ndarray, (2 * n,)
        Sample index of each point.
    points : ndarray, (2 * n, n_chans)
        Minimum and maximum in turn; NaN where a sample of the column was lost.
    """
    width = max(1, math.ceil(len(data) / n_columns))
    skip = -first % width
    n = max(0, len(data) - skip) // width
    columns = data[skip : skip + n * width].reshape(n, width, data.shape[1])
    points = np.stack([columns.min(1), columns.max(1)], 1).reshape(2 * n, data.shape[1])
    at = first + skip + width * np.arange(n)
    return np.repeat(at, 2), points


def lane_uv(data: np.ndarray, now_uv: float) -> float:
    """How many µV fit a lane: a 1-2-5 step around the usual swing of the channels, slow to change its mind."""
    with np.errstate(invalid="ignore"):
        ok = data[np.isfinite(data).all(1)]
    if len(ok) < 2:
        return now_uv
    want = 4 * float(np.median(np.std(ok, axis=0)))
    if now_uv / 2.6 < want <= now_uv:
        return now_uv
    decade = 10 ** math.floor(math.log10(max(want, 1.0)))
    return next(step * decade for step in (1, 2, 5, 10) if step * decade >= want or step == 10)


class Lanes(QWidget):
    """Channel names beside their lanes, with what is wrong with them."""

    def __init__(self) -> None:
        super().__init__()
        self.setFixedWidth(126)
        self._electrodes: tuple[Electrode, ...] = ()

    def show_electrodes(self, electrodes: tuple[Electrode, ...]) -> None:
        shown = [(e.name, e.role, e.fault) for e in electrodes]
        if shown != [(e.name, e.role, e.fault) for e in self._electrodes]:
            self._electrodes = electrodes
            self.update()

    def paintEvent(self, event: object) -> None:
        if not self._electrodes:
            return
        p = QPainter(self)
        lane = self.height() / len(self._electrodes)
        staggered = lane < 12  # two columns of names where one would overlap
        p.setFont(font(10 if staggered else int(min(12, lane * 0.95))))
        width = 33 if staggered else 46
        names = 2 * width if staggered else width
        for i, e in enumerate(self._electrodes):
            y = min(max(0.0, (i + 0.5) * lane - 8), self.height() - 16)
            p.setPen(colour(e.role if e.is_bad else "text" if e.role == "ok" else "dim"))
            p.drawText(QRectF(2 + (i % 2) * width * staggered, y, width, 16), MIDDLE, e.name)
            p.drawText(QRectF(names, y, self.width() - names - 5, 16), MIDDLE | Qt.AlignmentFlag.AlignRight, e.fault)
        p.end()


class Traces(QWidget):
    """Ten seconds of every channel. `show_signal` moves the picture, `show_state` colours it."""

    def __init__(self) -> None:
        super().__init__()
        self.uv = 50.0
        self._bad = np.empty(0, bool)
        self._lanes = Lanes()
        self._plot = pg.PlotWidget(background=colour("panel"))
        self._plot.setMenuEnabled(False)
        self._plot.setMouseEnabled(False, False)
        self._plot.hideButtons()
        self._plot.hideAxis("left")
        self._plot.hideAxis("bottom")
        self._plot.setFrameShape(self._plot.Shape.NoFrame)
        self._plot.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        box = self._plot.getViewBox()
        box.setDefaultPadding(0)
        box.disableAutoRange()
        box.setXRange(-SPAN_S, 0, padding=0)
        self._curves = [pg.PlotCurveItem(pen=pg.mkPen(c, width=1)) for c in (faint("info", 215), colour("bad"))]
        for curve in self._curves:
            self._plot.addItem(curve, ignoreBounds=True)
        for t in range(-int(SPAN_S) + 1, 0):
            line = pg.InfiniteLine(t, pen=pg.mkPen(faint("dim", 28 if t % 5 else 60)))
            self._plot.addItem(line, ignoreBounds=True)
        self._scale = QLabel("")
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(0)
        grid.addWidget(self._lanes, 0, 0)
        grid.addWidget(self._plot, 0, 1, 1, 3)
        for column, (text, side) in enumerate((("−10 s", "Left"), ("−5 s", "HCenter"), ("now", "Right"))):
            label = self._scale if column == 1 else QLabel(text)
            label.setText(text)
            label.setStyleSheet(f"color: {colour('dim').name()}; font-size: 11px; border: 0;")
            grid.addWidget(label, 1, column + 1, getattr(Qt.AlignmentFlag, f"Align{side}"))
        grid.setRowStretch(0, 1)
        grid.setColumnStretch(2, 1)

    def show_state(self, state: ViewState) -> None:
        self._lanes.show_electrodes(state.electrodes)
        bad = np.array([e.is_bad for e in state.electrodes], bool)
        if len(bad) != len(self._bad):
            self.clear()
            self._plot.getViewBox().setYRange(0, max(1, len(bad)), padding=0)
        self._bad = bad

    def show_signal(self, chunk: Chunk, sfreq: float, age_s: float = 0.0) -> None:
        """Draw `chunk`, the newest samples there are, as it looks `age_s` after the last of them."""
        n_chans = chunk.data.shape[1]
        at, points = min_max(chunk.data, chunk.first, N_COLUMNS)
        self.uv = lane_uv(points, self.uv)
        self._scale.setText(f"lane = {self.uv:g} µV")
        x = np.append((at - chunk.end) / sfreq - age_s, 0.0)
        y = np.clip(points / self.uv, -LANE_HALF, LANE_HALF) + (n_chans - 0.5 - np.arange(n_chans))
        y = np.vstack([y, np.full(n_chans, np.nan)])  # a break between one channel and the next
        bad = self._bad if len(self._bad) == n_chans else np.zeros(n_chans, bool)
        for curve, which in zip(self._curves, (~bad, bad), strict=True):
            lanes = y[:, which].T.ravel()
            curve.setData(np.tile(x, int(which.sum())), lanes, connect="finite", skipFiniteCheck=False)

    def clear(self) -> None:
        for curve in self._curves:
            curve.setData([], [])

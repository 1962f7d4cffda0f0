"""The scrolling traces: one lane per channel, lost samples as gaps, markers as lines."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyqtgraph as pg
from PyQt6.QtCore import QPointF, QRectF, Qt, pyqtSignal
from PyQt6.QtGui import QBrush, QPainter
from PyQt6.QtWidgets import QGridLayout, QWidget

from ..language import _
from ..sources.synthetic.person import STATES
from ..types import Chunk, Marker
from ..viewmodel.lanes import TraceSettings, gaps_of, lane_uv, level, marks_in, min_max, polyline
from ..viewmodel.marks import Mark
from ..viewmodel.state import ViewState
from .labels import PlainLabel
from .lane_names import LaneNames, TraceControls
from .marks import MarkStrip
from .theme import bare, colour, faint

N_COLUMNS = 420  # min-max pairs across the picture: about one a pixel at 1280 x 720
LANE_HALF = 0.75  # a trace may leave its lane by this much before it is cut
GAP_PX = 3  # the least width of a gap
CURVE_ROLES = ("info", "bad", "faded")  # good, bad, left out


class Ground(pg.GraphicsObject):
    """The background of the traces: hatched lanes of poor electrodes, gaps, and the lines of markers."""

    def __init__(self) -> None:
        super().__init__()
        self._span_s, self._n_chans = 10.0, 1
        self._hatched: tuple[int, ...] = ()
        self._gaps: tuple[tuple[float, float], ...] = ()
        self._marks: tuple[float, ...] = ()

    def show_ground(
        self, span_s: float, n_chans: int, hatched: tuple[int, ...], gaps: tuple[tuple[float, float], ...],
        marks: tuple[float, ...],
    ) -> None:  # fmt: skip
        """Times in seconds from the right edge; lanes counted from the top."""
        if (span_s, n_chans) != (self._span_s, self._n_chans):
            self.prepareGeometryChange()
        self._span_s, self._n_chans = span_s, n_chans
        if gaps or marks or (hatched, gaps, marks) != (self._hatched, self._gaps, self._marks):
            self._hatched, self._gaps, self._marks = hatched, gaps, marks
            self.update()

    def boundingRect(self) -> QRectF:
        return QRectF(-self._span_s, 0, self._span_s, self._n_chans)

    def paint(self, p: QPainter, *_: object) -> None:
        to, whole = p.transform(), p.transform().mapRect(self.boundingRect())
        p.save()
        p.resetTransform()  # hatches must not be scaled with the picture
        p.setClipRect(whole)
        for i in self._hatched:
            lane = to.mapRect(QRectF(-self._span_s, self._n_chans - 1 - i, self._span_s, 1))
            p.fillRect(lane, QBrush(faint("bad", 60), Qt.BrushStyle.BDiagPattern))
        for t0, t1 in self._gaps:
            gap = to.mapRect(QRectF(t0, 0, t1 - t0, self._n_chans))
            gap.setWidth(max(GAP_PX, gap.width()))
            p.fillRect(gap, faint("warn", 40))
            p.fillRect(gap, QBrush(faint("warn", 110), Qt.BrushStyle.BDiagPattern))
        for t in self._marks:
            x = to.map(QPointF(t, 0)).x()
            p.fillRect(QRectF(x, whole.top(), 1, whole.height()), faint("virtual", 140))  # a tenth of a line's time
        p.restore()


class Traces(QWidget):
    """Some seconds of every channel. `show_signal` draws the signal, `show_state` sets the colours."""

    settings_changed = pyqtSignal(object)  # the `TraceSettings`
    exclude_requested = pyqtSignal(str, bool)

    def __init__(self) -> None:
        super().__init__()
        self.uv = 50.0
        self._roles: tuple[str, ...] = ()
        self._newest = 0
        self.controls, self.names, self.marks = TraceControls(), LaneNames(), MarkStrip()
        self._plot = bare(_("traces of the signal"))
        self._box = self._plot.getViewBox()
        self._box.setDefaultPadding(0)
        self._box.disableAutoRange()
        self._ground = Ground()
        self._plot.addItem(self._ground, ignoreBounds=True)
        self._curves = [pg.PlotCurveItem() for _role in CURVE_ROLES]
        self._seconds = [pg.InfiniteLine() for _second in range(20)]
        for item in (*self._seconds, *self._curves):
            self._plot.addItem(item, ignoreBounds=True)
        self._scale = (PlainLabel("", "dim"), PlainLabel("", "dim"), PlainLabel("", "dim"))
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(0)
        grid.addWidget(self.controls, 0, 0, 1, 4)
        grid.addWidget(self.marks, 1, 1, 1, 3)
        grid.addWidget(self.names, 2, 0)
        grid.addWidget(self._plot, 2, 1, 1, 3)
        for column, (label, side) in enumerate(zip(self._scale, ("Left", "HCenter", "Right"), strict=True)):
            grid.addWidget(label, 3, column + 1, getattr(Qt.AlignmentFlag, f"Align{side}"))
        grid.setRowStretch(2, 1)
        grid.setColumnStretch(2, 1)
        self.controls.changed.connect(self._settings_changed)
        self.controls.pause_requested.connect(self.toggle_pause)
        self.names.exclude_requested.connect(self.exclude_requested)
        self._show_span()
        self.retheme()

    @property
    def settings(self) -> TraceSettings:
        return self.controls.settings

    def toggle_pause(self) -> None:
        """Pause or resume."""
        self.controls.hold(self._newest if self.settings.paused_at is None else None)

    def retheme(self) -> None:
        """Use the colours of the current theme."""
        self._plot.setBackground(colour("panel"))
        for curve, role in zip(self._curves, CURVE_ROLES, strict=True):
            curve.setPen(pg.mkPen(colour(role), width=1))
        for line in self._seconds:
            line.setPen(pg.mkPen(colour("line")))

    def show_state(self, state: ViewState) -> None:
        self.names.show_electrodes(state.lanes)
        roles = tuple("dim" if e.excluded else "bad" if e.is_bad else "ok" for e in state.lanes)
        if len(roles) != len(self._roles):
            self.clear()
            self._box.setYRange(0, max(1, len(roles)), padding=0)
        self._roles = roles

    def show_signal(
        self, chunk: Chunk, sfreq: float, age_s: float = 0.0, markers: Sequence[Marker] = (), kind: str = ""
    ) -> None:
        """Draw `chunk`, whose last sample is `age_s` old; `kind` says which reference and filter it has."""
        n_chans, span_s = chunk.data.shape[1], self.settings.span_s
        if self.settings.paused_at is None:
            self._newest = chunk.end
        if not self._plot.isVisible():
            return
        at, points = min_max(chunk.data, chunk.first, N_COLUMNS)
        if self.settings.raw:
            points = level(points)
        self.uv = self.settings.uv or lane_uv(points, self.uv)
        self._scale[1].show_text(" · ".join(filter(None, (_("lane = {uv:g} µV", uv=self.uv), kind))))
        x, y = polyline(at, points, chunk.end, sfreq, self.uv, LANE_HALF)
        x = x - age_s
        roles = np.array(self._roles if len(self._roles) == n_chans else ("ok",) * n_chans)
        for curve, role in zip(self._curves, ("ok", "bad", "dim"), strict=True):
            which = roles == role
            lanes = y[:, which].T.ravel()
            curve.setData(np.tile(x, int(which.sum())), lanes, connect="finite", skipFiniteCheck=False)

        def when(index: int) -> float:
            return (index - chunk.end) / sfreq - age_s

        hatched = tuple(np.flatnonzero(roles == "bad").tolist())
        gaps = tuple((when(a), when(b)) for a, b in gaps_of(at, points))
        marks = [
            Mark((m.index, m.text), when(m.index), m.text) for m in marks_in(markers, chunk) if m.text not in STATES
        ]
        self.marks.show_marks(span_s, marks)
        self._ground.show_ground(span_s, n_chans, hatched, gaps, tuple(mark.t for mark in marks))

    def clear(self) -> None:
        """Draw nothing, and resume."""
        if self.settings.paused_at is not None:
            self.controls.hold(None)
        for curve in self._curves:
            curve.setData([], [])
        self.marks.clear()
        self._ground.show_ground(self.settings.span_s, max(1, len(self._roles)), (), (), ())

    def _settings_changed(self, settings: TraceSettings) -> None:
        self._show_span()
        self.settings_changed.emit(settings)

    def _show_span(self) -> None:
        span_s, held = self.settings.span_s, self.settings.paused_at is not None
        self._box.setXRange(-span_s, 0, padding=0)
        for t, line in enumerate(self._seconds, 1):
            line.setValue(-t)
            line.setVisible(t < span_s)
        back = self.settings.back_s
        self._scale[0].setText(f"−{span_s + back:g} s")
        if not held:
            self._scale[2].setText(_("now"))
        elif back:
            self._scale[2].setText(_("−{seconds:g} s before the pause", seconds=back))
        else:
            self._scale[2].setText(_("paused"))

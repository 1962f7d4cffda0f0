"""The details panel: spectrum and spectrogram of one channel, and the event log."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyqtgraph as pg
from PyQt6.QtCore import QRectF, Qt, pyqtSignal
from PyQt6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QFileDialog,
    QGridLayout,
    QListWidget,
    QListWidgetItem,
    QWidget,
)

from ..dsp.spec import BANDS
from ..language import _
from ..types import Chunk
from ..viewmodel.events import EventLine
from ..viewmodel.spectrum import TOP_HZ, spectrogram, spectrum
from .labels import STRETCH, PlainLabel, button, column, named, row
from .theme import bare, colour, faint, font

DB = (-15.0, 30.0)  # from the darkest to the brightest, dB re 1 µV²/Hz
MAP = pg.colormap.get("viridis")
RING_S = 60.0


class SpectrumPanel(QWidget):
    """Spectrum and spectrogram of the chosen channel."""

    seen = pyqtSignal(bool)  # whether it is visible; it needs no data otherwise

    def __init__(self) -> None:
        super().__init__()
        self.channel = named(QComboBox(), _("channel of the spectrum"))
        self.channel.setMinimumContentsLength(5)
        self.message = PlainLabel("", "dim")
        self._lines, self._image = self._plots()
        grid = QGridLayout()
        grid.setSpacing(4)
        for at, (plot, words) in enumerate(((self._lines, _("dB re 1 µV²/Hz over Hz")), (self._image, _("Hz over s")))):
            grid.addWidget(PlainLabel(words, "dim"), 0, at)
            grid.addWidget(plot, 1, at)
            grid.setColumnStretch(at, 1)
        grid.setRowStretch(1, 1)
        column(row(self.channel, self.message, STRETCH), (grid, 1), on=self)
        self.channel.currentIndexChanged.connect(self._clear)
        self.retheme()

    def _plots(self) -> tuple[pg.PlotWidget, pg.PlotWidget]:
        lines, image = bare(_("spectrum"), axes=True), bare(_("spectrogram"), axes=True)
        for plot, width, ticks in ((lines, 28, (0, 20)), (image, 24, (0, 20, 40))):
            plot.getAxis("left").setWidth(width)
            plot.getAxis("left").setTicks([[(tick, str(tick)) for tick in ticks]])
        lines.setXRange(0, TOP_HZ, padding=0)
        lines.setYRange(*DB, padding=0)
        image.setXRange(-RING_S, 0, padding=0)
        image.setYRange(0, TOP_HZ, padding=0)
        self._bands = [pg.LinearRegionItem(band, movable=False) for band in BANDS.values()]
        self._curve, self._picture = pg.PlotCurveItem(), pg.ImageItem()
        self._picture.setColorMap(MAP)
        for item in (*self._bands, self._curve):
            lines.addItem(item)
        image.addItem(self._picture)
        return lines, image

    def retheme(self) -> None:
        """Use the colours of the current theme."""
        for plot in (self._lines, self._image):
            plot.setBackground(colour("panel"))
            for side in ("bottom", "left"):
                axis = plot.getAxis(side)
                axis.setPen(colour("line"))
                axis.setTextPen(colour("dim"))
                axis.setStyle(tickFont=font(10), tickTextOffset=3)
        for i, band in enumerate(self._bands):
            band.setBrush(faint("dim", 26 if i % 2 else 10))
            for line in band.lines:
                line.setPen(pg.mkPen(None))
        self._curve.setPen(pg.mkPen(colour("info"), width=1.5))

    def show_signal(self, chunk: Chunk, sfreq: float, ch_names: Sequence[str], kind: str) -> None:
        """Draw the chosen channel of `chunk`, the last minute."""
        if [self.channel.itemText(i) for i in range(self.channel.count())] != list(ch_names):
            was = self.channel.currentText()
            self.channel.clear()
            self.channel.addItems(list(ch_names))
            self.channel.setCurrentIndex(max(0, self.channel.findText(was)))
        if not self.isVisible():
            return
        t, f, power = spectrogram(chunk.data[:, self.channel.currentIndex()], sfreq)
        if not len(t):
            self.message.setText(_("{kind} · waiting for two seconds of signal", kind=kind))
            return
        self.message.setText(_("{kind} · mean of 10 s · the last minute", kind=kind))
        line = spectrum(t, power)
        self._curve.setData(f, line if line is not None else np.full(len(f), np.nan))
        self._picture.setImage(power, autoLevels=False, levels=DB)
        self._picture.setRect(QRectF(t[0], 0, max(-t[0], 1e-3), f[-1]))

    def showEvent(self, event):
        self.seen.emit(True)

    def hideEvent(self, event):
        self.seen.emit(False)

    def _clear(self) -> None:
        self._curve.setData([], [])
        self._picture.clear()


class EventLog(QWidget):
    """The event log, the newest line at the bottom."""

    save_requested = pyqtSignal(str)  # the path of a text file

    def __init__(self) -> None:
        super().__init__()
        self.list = named(QListWidget(), _("events"))
        self.list.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.list.setWordWrap(True)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.save = button(_("Save…"), "plain")
        self.save.clicked.connect(self._save)
        column((self.list, 1), row(STRETCH, self.save), on=self)
        self._shown: tuple[EventLine, ...] = ()

    def show_lines(self, lines: Sequence[EventLine]) -> None:
        """Show these lines; those that are there already are kept."""
        bar = self.list.verticalScrollBar()
        at_end = bar is None or bar.value() >= bar.maximum() - 2
        new = tuple(lines)
        if not (self._shown and new and self._shown[0] is new[0]):
            self.list.clear()
            self._shown = ()
        added, self._shown = new[len(self._shown) :], new
        for line in added:
            item = QListWidgetItem(f"{line.at:%H:%M:%S}  {line.text}")
            item.setForeground(colour(line.role))
            self.list.addItem(item)
        if at_end:
            self.list.scrollToBottom()

    def retheme(self) -> None:
        for i, line in enumerate(self._shown):
            if (item := self.list.item(i)) is not None:
                item.setForeground(colour(line.role))

    def _save(self) -> None:
        path, _kind = QFileDialog.getSaveFileName(self, _("Save the events"), "events.txt", _("Text (*.txt)"))
        if path:
            self.save_requested.emit(path)

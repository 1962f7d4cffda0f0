"""The preview of a source in the connect dialog: a few seconds of its signal."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial

import numpy as np
import pyqtgraph as pg
from PyQt6.QtCore import QTimer
from PyQt6.QtWidgets import QWidget

from ..errors import MoodError, StreamEnded
from ..guard import GuardedThread
from ..language import _
from ..ring import RingBuffer
from ..sources import open_source
from ..viewmodel.lanes import lane_uv, level, min_max, polyline
from .labels import PlainLabel, column
from .theme import bare, colour

SPAN_S = 4.0
MOST_LANES = 16
LANE_HALF = 0.7
FRAME_MS = 80


class Peek:
    """Reads one source on its own thread. The device is released once `is_over`."""

    def __init__(self, url: str) -> None:
        self.ring: RingBuffer | None = None
        self.fault = ""
        self._over = threading.Event()
        self._thread = GuardedThread(partial(self._look, url), "mood-preview", partial(setattr, self, "fault"))
        self._thread.start()

    def stop(self) -> None:
        self._over.set()

    @property
    def is_over(self) -> bool:
        return not self._thread.is_alive()

    def _look(self, url: str) -> None:
        stream = None
        try:
            stream = open_source(url).open()
            ring = RingBuffer(stream.info, round(2 * SPAN_S * stream.info.sfreq))
            self.ring = ring
            while not self._over.is_set():
                if (chunk := stream.read(0.1)) is not None:
                    ring.write(chunk)
        except StreamEnded:
            pass
        except MoodError as fault:
            self.fault = str(fault)
        finally:
            if stream is not None:
                stream.close()


class Preview(QWidget):
    """A small plot of the signal, and a description of the stream."""

    def __init__(self) -> None:
        super().__init__()
        self._plot = bare()
        self._plot.setXRange(-SPAN_S, 0, padding=0)
        self._curve = pg.PlotCurveItem(pen=pg.mkPen(colour("info"), width=1))
        self._plot.addItem(self._curve)
        self._words = PlainLabel("", "dim", wrap=True)
        column((self._plot, 1), self._words, on=self)
        self._peek: Peek | None = None
        self._then: Callable[[], None] | None = None
        self._old: list[Peek] = []
        self._uv = 50.0
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._show)
        self._timer.start(FRAME_MS)

    def look(self, url: str) -> None:
        """Show the signal of `url`, once the present device has been released."""
        self.stop(lambda: self._begin(url))
        self._words.setText(_("Connecting…"))

    def stop(self, then: Callable[[], None] | None = None) -> None:
        """Release the device, and call `then` once it is free."""
        if self._peek is not None:
            self._peek.stop()
            self._old.append(self._peek)
        self._peek = None
        self._curve.setData([], [])
        self._words.setText("")
        self._then = then
        self._show()

    def _begin(self, url: str) -> None:
        self._peek = Peek(url)
        self._words.setText(_("Connecting…"))

    def _show(self) -> None:
        self._old = [peek for peek in self._old if not peek.is_over]
        if not self._old and self._then:
            then, self._then = self._then, None
            then()
        if self._peek and self._peek.fault:
            self._words.setText(self._peek.fault)
        elif self._peek and self._peek.ring is not None:
            self._draw(self._peek.ring)

    def _draw(self, ring: RingBuffer) -> None:
        info, chunk = ring.info, ring.latest(round(SPAN_S * ring.info.sfreq))
        n = min(MOST_LANES, info.n_chans)
        at, points = min_max(chunk.data[:, :n], chunk.first, 200)
        if len(at):
            points = level(points)
            self._uv = lane_uv(points, self._uv)
            x, y = polyline(at, points, chunk.end, info.sfreq, self._uv, LANE_HALF)
            self._plot.setYRange(0, n, padding=0)
            self._curve.setData(np.tile(x, n), y.T.ravel(), connect="finite", skipFiniteCheck=False)
        names = ", ".join(info.ch_names[:12]) + (" …" if info.n_chans > 12 else "")
        self._words.show_text(_("{n} electrodes · {rate:g} Hz · {names}", n=info.n_chans, rate=info.sfreq, names=names))

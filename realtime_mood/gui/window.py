"""Turns a bridge into the window people see: traces left, estimate and heads right, words above and numbers below."""

from __future__ import annotations

import logging
import signal
import sys
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING

import pyqtgraph as pg
from PyQt6.QtGui import QCloseEvent, QKeyEvent
from PyQt6.QtWidgets import QApplication, QFrame, QGridLayout, QHBoxLayout, QLabel, QMainWindow, QVBoxLayout, QWidget

from .bridge import Bridge
from .controls import BannerBar, Strip, TopBar
from .heads import Attention, QualityHead
from .mood import Bars, TimeCourse
from .theme import style
from .traces import Traces

if TYPE_CHECKING:
    from ..engine import Engine

MARK_KEYS = tuple("123456789")
log = logging.getLogger(__name__)


def panel(title: str, *widgets: QWidget, stretch: tuple[int, ...] = ()) -> QFrame:
    """A framed box with a title and `widgets` side by side."""
    frame, label, row = QFrame(), QLabel(title), QHBoxLayout()
    frame.setObjectName("panel")
    label.setObjectName("title")
    column = QVBoxLayout(frame)
    column.setContentsMargins(10, 6, 10, 8)
    column.setSpacing(4)
    column.addWidget(label)
    column.addLayout(row, 1)
    row.setSpacing(14)
    for i, widget in enumerate(widgets):
        row.addWidget(widget, stretch[i] if stretch else 1)
    return frame


class Window(QMainWindow):
    """The one window. Closing it during a run ends the run first."""

    def __init__(self, bridge: Bridge, url: str, weights: str = "") -> None:
        super().__init__()
        self.setWindowTitle("Realtime mood")
        self.setStyleSheet(style())
        self.setMinimumSize(1280, 720)
        self.bridge = bridge
        self.top, self.banner, self.strip = TopBar(url, weights), BannerBar(), Strip()
        self.traces, self.bars, self.course = Traces(), Bars(), TimeCourse()
        self.attention, self.quality = Attention(), QualityHead()
        self._arrange()
        for widget in (self.top, self.banner, self.strip, self.traces, self.bars, self.course, self.quality):
            bridge.state_changed.connect(widget.show_state)
        bridge.maps_changed.connect(self.attention.show_state)
        bridge.signal_changed.connect(self.traces.show_signal)
        self.top.start_wished.connect(self._start)
        self.top.stop_wished.connect(bridge.stop)
        self._closing = False
        bridge.idle.connect(self._gone)

    def _arrange(self) -> None:
        root = QWidget()
        root.setObjectName("root")
        grid = QGridLayout(root)
        grid.setContentsMargins(10, 10, 10, 6)
        grid.setSpacing(8)
        grid.addWidget(self.top, 0, 0, 1, 2)
        grid.addWidget(self.banner, 1, 0, 1, 2)
        grid.addWidget(panel("Filtered signal", self.traces), 2, 0, 2, 1)
        grid.addWidget(panel("Estimate", self.bars, self.course, stretch=(2, 5)), 2, 1)
        heads = QWidget()
        row = QHBoxLayout(heads)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        row.addWidget(panel("Where the network looked", self.attention), 5)
        row.addWidget(panel("Signal quality", self.quality), 3)
        grid.addWidget(heads, 3, 1)
        grid.addWidget(self.strip, 4, 0, 1, 2)
        grid.setColumnStretch(0, 4)
        grid.setColumnStretch(1, 6)
        grid.setRowStretch(2, 10)
        grid.setRowStretch(3, 11)
        self.setCentralWidget(root)

    def _start(self, url: str) -> None:
        self.traces.clear()
        self.bridge.start(url)

    def keyPressEvent(self, event: QKeyEvent | None) -> None:
        """Keys 1 to 9 set a marker; in the source field they are digits, and never get here."""
        if event is not None and event.text() in MARK_KEYS and not event.isAutoRepeat():
            self.bridge.mark(f"key {event.text()}")
        else:
            super().keyPressEvent(event)

    def closeEvent(self, event: QCloseEvent | None) -> None:
        assert event is not None
        if self.bridge.is_running:
            self._closing = True
            self.bridge.stop()
            event.ignore()
            return
        self.bridge.close()
        event.accept()

    def _gone(self) -> None:
        if self._closing:
            self.close()


def show(make_engine: Callable[[str], Engine], url: str, *, start: bool, weights: str = "") -> int:
    """Run the window to its end; see `realtime_mood.gui.run`."""
    pg.setConfigOptions(antialias=False)
    app = QApplication.instance() or QApplication(["realtime-mood"])
    window = Window(Bridge(make_engine), url, weights)
    seen: set[str] = set()

    def fault(kind: type[BaseException], it: BaseException, trace: TracebackType | None) -> None:
        """A widget that fails must not take the run with it, nor fill the log at 30 Hz."""
        if repr(it) not in seen:
            seen.add(repr(it))
            log.error("part of the window failed", exc_info=(kind, it, trace))
            window.setWindowTitle(f"Realtime mood · part of this window failed: {it}")

    hooks = sys.excepthook, signal.signal(signal.SIGINT, lambda *_: window.close())  # served between two frames
    sys.excepthook = fault
    try:
        window.show()
        if start:
            window.bridge.start(url)
        return int(app.exec())
    finally:
        sys.excepthook = hooks[0]
        signal.signal(signal.SIGINT, hooks[1])

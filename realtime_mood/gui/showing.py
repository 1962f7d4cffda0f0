"""Turns the window into a program: one application, one window, Ctrl-C, and widgets that may fail."""

from __future__ import annotations

import logging
import signal
import sys
from contextlib import suppress
from types import TracebackType

import pyqtgraph as pg
from PyQt6.QtCore import QTimer
from PyQt6.QtWidgets import QApplication

from . import Flows, RunRequest
from .bridge import RunBridge
from .window import MainWindow

log = logging.getLogger(__name__)


def show(flows: Flows, wish: RunRequest, *, start: bool, weights: str = "", session: str = "") -> int:
    """Run the window to its end; see `realtime_mood.gui.run`."""
    pg.setConfigOptions(antialias=False)
    app = QApplication.instance() or QApplication(["realtime-mood"])
    able = {"can_calibrate": flows.calibrate is not None, "can_feed_back": flows.feedback is not None}
    bridge = RunBridge(flows.make_engine, wish, **able)
    window = MainWindow(bridge, flows, weights)
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
            window.bridge.start()
        if session:
            QTimer.singleShot(0, lambda: window.feed_back(session))
        return int(app.exec())
    finally:
        sys.excepthook = hooks[0]
        with suppress(ValueError):
            signal.signal(signal.SIGINT, hooks[1])

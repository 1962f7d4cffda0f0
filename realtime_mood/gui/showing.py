"""The window as a program: application, language, Ctrl-C, and the handling of failing widgets."""

from __future__ import annotations

import logging
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import TracebackType

import pyqtgraph as pg
from PyQt6.QtCore import QCoreApplication, QLibraryInfo, QSettings, QTimer, QTranslator
from PyQt6.QtWidgets import QApplication

from .. import language
from ..language import _
from . import Flows, RunRequest
from .bridge import RunBridge
from .panels import remembered
from .settings import SIZE, SIZES
from .tour import show_first_tour
from .window import MainWindow

log = logging.getLogger(__name__)


def application(memory: QSettings) -> QApplication:
    """The application, in the size that was chosen in the settings; one that is there already keeps its own."""
    size = str(memory.value(SIZE))
    if size in map(str, SIZES) and size != "100":
        os.environ.setdefault("QT_SCALE_FACTOR", str(int(size) / 100))
    app = QApplication.instance() or QApplication(["realtime-mood"])
    assert isinstance(app, QApplication)
    return app


def use_language(app: QCoreApplication, memory: QSettings) -> None:
    """Use the language chosen in the View menu, or that of the system; also for the toolkit's own dialogs."""
    code = language.use(memory.value("window/language") or None)
    translator = QTranslator(app)
    if translator.load(f"qtbase_{code}", QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath)):
        app.installTranslator(translator)


@contextmanager
def serving(close: Callable[[], object], report: Callable[[BaseException], object] = str) -> Iterator[None]:
    """Let Ctrl-C call `close`, and a widget that fails neither end the program nor fill the log at 30 Hz."""
    seen: set[str] = set()

    def fault(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if repr(error) not in seen:
            seen.add(repr(error))
            log.error("part of the window failed", exc_info=(kind, error, trace))
            report(error)

    hooks = sys.excepthook, signal.signal(signal.SIGINT, lambda *_: close())  # served between two frames
    sys.excepthook = fault
    try:
        yield
    finally:
        sys.excepthook = hooks[0]
        with suppress(ValueError):
            signal.signal(signal.SIGINT, hooks[1])


def show(flows: Flows, request: RunRequest, *, start: bool, weights: str = "", session: str = "") -> int:
    """Run the window to its end; see `realtime_mood.gui.run`."""
    pg.setConfigOptions(antialias=False)
    memory = remembered()
    app = application(memory)
    use_language(app, memory)
    bridge = RunBridge(
        flows.make_engine, request, can_calibrate=flows.calibrate is not None, can_feed_back=flows.feedback is not None,
        make_recorder=flows.make_recorder,
    )  # fmt: skip
    window = MainWindow(bridge, flows, weights, memory)

    def report(error: BaseException) -> None:
        window.setWindowTitle(_("Realtime mood · part of this window failed: {error}", error=error))

    with serving(window.close, report):
        window.show()
        if start:
            bridge.start()
        if session:
            QTimer.singleShot(0, lambda: window.feed_back(session))
        else:
            show_first_tour(window, memory)
        return int(app.exec())

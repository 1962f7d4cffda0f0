"""Writes the report of the newest recording on its own thread, and opens it in the browser."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path

from PyQt6.QtCore import QObject, QUrl, pyqtSignal
from PyQt6.QtGui import QDesktopServices

from ..errors import MoodError
from ..guard import GuardedThread
from ..language import _
from .bridge import RunBridge


def _write_report(recording: Path, written: Callable[[Path | None, str], object]) -> None:
    from ..report import write_report  # draws with a library that takes a second to import

    try:
        written(write_report(recording), "")
    except MoodError as fault:
        written(None, str(fault))


class ReportPages(QObject):
    """The reports of the runs of `bridge`."""

    written = pyqtSignal(object, str)  # the page's path and an empty text; or None and the reason

    def __init__(self, bridge: RunBridge) -> None:
        super().__init__(bridge)
        self._bridge = bridge
        self._writer: GuardedThread | None = None
        self.open_page: Callable[[QUrl], object] = QDesktopServices.openUrl
        self._is_root = hasattr(os, "geteuid") and not os.geteuid()  # most browsers do not start for root
        self.written.connect(self._open)

    def write(self) -> None:
        """Write the report of the newest recording, if there is one."""
        if self._bridge.report is not None:
            self._bridge.writing = True
            work = partial(_write_report, self._bridge.report, self.written.emit)
            self._writer = GuardedThread(work, "mood-report", partial(self.written.emit, None))
            self._writer.start()

    def wait(self) -> None:
        """Wait for one that is being written, for at most 5 s."""
        if self._writer is not None:
            self._writer.join(5.0)

    def _open(self, page: object, why: str) -> None:
        self._bridge.writing = False
        if isinstance(page, Path):
            shown = self.open_page(QUrl.fromLocalFile(str(page))) and not self._is_root
            unseen = _("Report written: {path} – if no browser shows it, open that file yourself", path=page)
            self._bridge.notify(_("Report written: {path}", path=page) if shown else unseen, "info")
        else:
            self._bridge.notify(why)

"""Turns a recording into its report, on a thread of its own."""

from __future__ import annotations

import logging
import threading
from pathlib import Path

from PyQt6.QtCore import QObject, pyqtSignal

log = logging.getLogger(__name__)


class Reporter(QObject):
    """Writes one report at a time."""

    written = pyqtSignal(object, str)
    """The page's path and nothing; or None and why there is none."""

    def __init__(self) -> None:
        super().__init__()
        self._thread: threading.Thread | None = None

    def write(self, recording: Path) -> None:
        """Begin; nothing happens while another one is written."""
        if self._thread is None or not self._thread.is_alive():
            self._thread = threading.Thread(target=self._write, args=(recording,), name="mood-report", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """Wait for one that is being written."""
        if self._thread is not None:
            self._thread.join(5.0)

    def _write(self, recording: Path) -> None:
        from ..report import write_report  # draws with a library that takes a second to import

        try:
            page = write_report(recording)
        except Exception as fault:  # any fault at all belongs on the screen, not in a dead thread
            log.exception("no report of %s", recording)
            self.written.emit(None, str(fault))
        else:
            self.written.emit(page, "")

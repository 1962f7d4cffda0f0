"""Writes the report of a recording on a separate thread."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from PyQt6.QtCore import QObject, pyqtSignal

from ..errors import MoodError
from ..guard import GuardedThread


class Reporter(QObject):
    """Writes one report at a time."""

    written = pyqtSignal(object, str)
    """The page's path and an empty text; or None and the reason."""

    def __init__(self) -> None:
        super().__init__()
        self._thread: GuardedThread | None = None

    def write(self, recording: Path) -> None:
        """Start, unless another report is being written."""
        if self._thread is None or not self._thread.is_alive():
            work = partial(self._write, recording)
            self._thread = GuardedThread(work, "mood-report", lambda what: self.written.emit(None, what))
            self._thread.start()

    def close(self) -> None:
        """Wait for a report that is being written."""
        if self._thread is not None:
            self._thread.join(5.0)

    def _write(self, recording: Path) -> None:
        from ..report import write_report  # draws with a library that takes a second to import

        try:
            self.written.emit(write_report(recording), "")
        except MoodError as fault:
            self.written.emit(None, str(fault))

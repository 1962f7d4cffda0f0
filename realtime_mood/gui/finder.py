"""Turns the network and the board library into a list that keeps itself up to date, away from the window's thread."""

from __future__ import annotations

import threading

from PyQt6.QtCore import QObject, pyqtSignal

from ..errors import MoodError
from ..guard import GuardedThread
from ..sources import devices

LOOK_S = 0.8


class Finder(QObject):
    """Looks for streams over and over, for boards once."""

    found = pyqtSignal(object)
    """A tuple of `Device`, whenever there is another."""
    failed = pyqtSignal(str)

    def __init__(self) -> None:
        super().__init__()
        self._over = threading.Event()
        self._thread = GuardedThread(self._look, "mood-finder", self._report, restart_until=self._over)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Look no more; what is under way ends within `LOOK_S`."""
        self._over.set()

    def _look(self) -> None:
        try:
            boards, before = tuple(devices.all_boards()), None
            while not self._over.is_set():
                found = (*devices.streams(LOOK_S), *boards)
                if found != before and not self._over.is_set():
                    before = found
                    self.found.emit(found)
        except MoodError as error:
            self.failed.emit(str(error))

    def _report(self, what: str) -> None:
        if not self._over.is_set():
            self.failed.emit(what)

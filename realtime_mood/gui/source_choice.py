"""How a window chooses its source: the dialog, the user's setups, and recordings that are dropped on it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PyQt6.QtCore import QObject, pyqtSignal
from PyQt6.QtWidgets import QToolButton, QWidget

from ..viewmodel.actions import RunRequest
from ..viewmodel.setups import Setups
from .bridge import RunBridge
from .connect_dialog import ConnectDialog
from .file_drops import FileDrops
from .setups import SetupsMenu


class SourceChoice(QObject):
    """The choice of a source for the runs of `bridge`; `button` opens the dialog, and has the menu of `setups`."""

    chosen = pyqtSignal(object, str)  # a `RunRequest`, and the name of a setup's network, empty without a setup

    def __init__(self, window: QWidget, button: QToolButton, bridge: RunBridge, setups: Setups | None) -> None:
        super().__init__(window)
        self._window, self._button, self._bridge, self._setups = window, button, bridge, setups
        self.dialog: ConnectDialog | None = None
        self.menu = SetupsMenu(window, bridge, setups) if setups is not None else None
        if self.menu is not None:
            self.menu.attach(button)
            self.menu.used.connect(self.chosen)
        button.clicked.connect(self.open)
        FileDrops(window, self.open_recordings)

    def open(self) -> None:
        """Open the dialog."""
        if not self._button.isEnabled() or self.dialog is not None:
            return
        request = self._bridge.request
        self.dialog = ConnectDialog(self._window, request.also, request.markers, self._setups)
        self.dialog.chosen.connect(lambda url, also, markers: self.chosen.emit(
            RunRequest(url, also=also, markers=markers), ""))  # fmt: skip
        if self.menu is not None:
            self.dialog.setup_chosen.connect(self.menu.use)
        self.dialog.finished.connect(lambda _: setattr(self, "dialog", None))
        self.dialog.open()

    def open_recordings(self, paths: Sequence[Path]) -> None:
        """Offer recordings in the dialog."""
        self.open()
        if self.dialog is not None:
            self.dialog.add_files(paths)

    def close(self) -> None:
        """Close the dialog."""
        if self.dialog is not None:
            self.dialog.close()

"""The bar below the banner that offers to keep or discard the automatic recording of the last run."""

from __future__ import annotations

from pathlib import Path

from PyQt6.QtWidgets import QPushButton, QWidget

from ..language import N_, _, number
from ..recording import autosave
from .bridge import RunBridge
from .labels import PlainLabel, named, row

MB = 1e6
OFFER = N_("The last run was recorded automatically ({size} MB). It is deleted when newer runs need the space.")


class AutosaveBar(QWidget):
    """Visible from the end of a run of `bridge` to a choice; kept recordings are moved to `folder`."""

    def __init__(self, bridge: RunBridge, folder: Path) -> None:
        super().__init__()
        self._bridge, self._folder, self._recording = bridge, folder, Path()
        self.text = PlainLabel()
        self.keep = named(QPushButton(_("Keep")), _("keep the automatic recording"))
        self.discard = named(QPushButton(_("Discard")), _("discard the automatic recording"))
        row((self.text, 1), self.keep, self.discard, on=self, margins=(10, 0, 10, 0), spacing=8)
        self.keep.clicked.connect(self._keep)
        self.discard.clicked.connect(self._discard)
        bridge.idle.connect(self._offer)
        self.hide()

    def _offer(self) -> None:
        """Offer the recording of the run that has ended, if it has one."""
        if (recording := self._bridge.autosaved) is not None:
            self._recording = Path(recording.path)
            self.text.setText(_(OFFER, size=number(recording.n_bytes / MB, ".1f")))
            self.show()

    def _keep(self) -> None:
        try:
            path = autosave.keep(self._recording, self._folder)
        except OSError as error:
            text = _("The recording could not be moved to {path}: {error}", path=self._folder, error=error)
            self._bridge.notify(text)
            return
        self._end(path, _("Recording kept: {path}", path=path))

    def _discard(self) -> None:
        try:
            self._recording.unlink(missing_ok=True)
        except OSError as error:
            self._bridge.notify(_("The recording could not be deleted: {error}", error=error.strerror or error))
            return
        self._end(None, _("The automatic recording was deleted"))

    def _end(self, path: Path | None, text: str) -> None:
        if self._bridge.report == self._recording:
            self._bridge.report = path
        self._bridge.notify(text, "info")
        self.hide()

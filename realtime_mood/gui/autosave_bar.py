"""The bar below the banner that offers to keep or discard recordings that were made without a request."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import NamedTuple

from PyQt6.QtCore import QSettings, QTimer, pyqtSignal
from PyQt6.QtWidgets import QPushButton, QWidget

from ..guard import GuardedThread
from ..language import N_, _, number
from ..recording import autosave
from ..recording.autosave import LeftRecording
from ..viewmodel.notes import translated
from . import Flows
from .bridge import RunBridge
from .labels import PlainLabel, named, row

MB = 1e6
SEEN_MS = 1000  # an offer that was visible for so long is not made again at the next start
OFFERED = "recordings/offered"  # when the newest recording ended that was offered (s since 1970)
OFFER = N_("The last run was recorded automatically ({size} MB). It is deleted when newer runs need the space.")
EARLIER = N_("The run of {when} was recorded automatically ({size} MB). It is deleted when newer runs need the space.")
CUT_OFF = N_(
    "The run of {when} ended without being closed: it is recorded up to that moment ({size} MB). "
    "It is deleted when newer runs need the space."
)
CALIBRATION = N_("A calibration ended {when} without a profile; what was recorded of it ({size} MB) can be kept.")


class Offer(NamedTuple):
    """One recording to keep or discard."""

    path: Path
    text: str
    ended: float  # s since 1970
    is_earlier: bool  # of a run before the start of the window


class AutosaveBar(QWidget):
    """Visible from the end of a run of `bridge`, or from the start, to a choice.

    `memory` has the time of what was offered last.
    """

    _done = pyqtSignal(object, object, object)  # a recording, its new path or None, and the error or None

    def __init__(self, bridge: RunBridge, flows: Flows, memory: QSettings) -> None:
        super().__init__()
        self._bridge, self._flows, self._memory = bridge, flows, memory
        self._offers: list[Offer] = []  # the first one is shown
        self.text = PlainLabel(wrap=True)
        self.keep = named(QPushButton(_("Keep")), _("keep the automatic recording"))
        self.discard = named(QPushButton(_("Discard")), _("discard the automatic recording"))
        row((self.text, 1), self.keep, self.discard, on=self, margins=(10, 0, 10, 0), spacing=8)
        self.keep.clicked.connect(lambda: self._begin(partial(autosave.keep, folder=flows.recordings)))
        self.discard.clicked.connect(lambda: self._begin(_discard))
        self._done.connect(self._end)
        bridge.idle.connect(self._offer)
        self._seen = QTimer(self)
        self._seen.setSingleShot(True)
        self._seen.timeout.connect(self._remember)
        self.hide()

    def recall(self) -> None:
        """Offer what was not offered when it ended: the window was closed, or the program was killed."""
        since = self._memory.value(OFFERED)
        self._offers = [_offer_of(it) for it in autosave.left_in(self._flows.unkept, since and float(since))]
        self._show()

    def _offer(self) -> None:
        """Offer the recording of the run that has ended, if it has one."""
        if (recording := self._bridge.autosaved) is None:
            return
        path, text = Path(recording.path), _(OFFER, size=number(recording.n_bytes / MB, ".1f"))
        if recording.trouble:
            text += f" {translated(recording.trouble)}"
        earlier = [it for it in self._offers if it.is_earlier]
        self._offers = [Offer(path, text, datetime.now().timestamp(), False), *earlier]
        self._show()

    def _show(self) -> None:
        """Show the first offer."""
        self.setVisible(bool(self._offers))
        self._seen.stop()
        for button in (self.keep, self.discard):
            button.setEnabled(True)
        if self._offers:
            self.text.setText(self._offers[0].text)
            self._seen.start(SEEN_MS)

    def _remember(self) -> None:
        if self.isVisible() and self._offers:
            self._memory.setValue(OFFERED, max(self._offers[0].ended, float(self._memory.value(OFFERED) or 0)))

    def _begin(self, work: Callable[[Path], Path | None]) -> None:
        """Keep or discard what is offered, on a thread of its own: to another disk it takes a while."""
        recording = self._offers[0].path
        for button in (self.keep, self.discard):
            button.setEnabled(False)

        def run() -> None:
            try:
                self._done.emit(recording, work(recording), None)
            except OSError as error:
                self._done.emit(recording, None, error)

        GuardedThread(run, "keep-recording", self._bridge.notify, daemon=False).start()

    def _end(self, recording: Path, path: Path | None, error: OSError | None) -> None:
        if error is not None:
            why = error.strerror or error
            text = _("The recording could not be kept or deleted, and is {path}: {error}", path=recording, error=why)
            self._bridge.notify(text)
            self._offers = [it for it in self._offers if it.path != recording or recording.exists()]
            self._show()
            return
        if self._bridge.report in (recording, None):
            self._bridge.report = path
        text = _("The recording was deleted") if path is None else _("Recording kept: {path}", path=path)
        self._bridge.notify(text, "info")
        self._offers = [it for it in self._offers if it.path != recording]
        self._show()


def _discard(recording: Path) -> None:
    recording.unlink(missing_ok=True)


def _offer_of(left: LeftRecording) -> Offer:
    is_run = "_task-" in left.path.name
    words = CALIBRATION if not is_run else EARLIER if left.is_complete else CUT_OFF
    when = f"{datetime.fromtimestamp(left.ended):%Y-%m-%d %H:%M}"  # local time, for the reader
    return Offer(left.path, _(words, when=when, size=number(left.n_bytes / MB, ".1f")), left.ended, True)

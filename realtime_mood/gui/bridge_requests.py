"""What the window asks of a run that is under way: the base of `RunBridge`."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

from PyQt6.QtCore import QObject

from .. import clock
from ..baseline import BaselineRequest
from ..files import write_private
from ..language import _
from ..recording.recorder import Recorder
from ..run.engine import Engine
from ..viewmodel.actions import RunRequest
from ..viewmodel.banner import NOTE_S
from ..viewmodel.events import Events
from ..viewmodel.words import StyledText

MakeRecorder = Callable[[RunRequest, Engine], Recorder]
log = logging.getLogger(__name__)


def plain_recorder(request: RunRequest, engine: Engine) -> Recorder:
    """A recorder that knows nothing of what makes the readings."""
    assert request.record is not None
    return Recorder(request.record)


class BridgeRequests(QObject):
    """Requests of the user; none blocks the window's thread."""

    request: RunRequest
    report: Path | None
    left_out: tuple[str, ...]
    _make_recorder: MakeRecorder
    _notice: tuple[StyledText, float]
    _events: Events

    @property
    def active(self) -> Engine | None:
        raise NotImplementedError

    @property
    def is_running(self) -> bool:
        raise NotImplementedError

    def start(self, request: RunRequest | None = None) -> None:
        raise NotImplementedError

    def _spawn(self, name: str, work: Callable[[], None]) -> None:
        raise NotImplementedError

    def mark(self, text: str) -> None:
        """Set a marker at the newest sample, if there is one."""
        if engine := self.active:
            engine.mark(text)

    def leave_out(self, name: str, out: bool) -> None:
        """Leave an electrode out of the estimate, or include it again."""
        others = tuple(one for one in self.left_out if one != name)
        wanted = (*others, name) if out else others
        if (engine := self.active) and engine.leave_out(wanted):
            self.left_out = wanted
            done = _("{name} is left out of the estimate; Ctrl+Z includes it again", name=name)
            self.notify(done if out else _("{name} is included again", name=name), "info")

    def include_last(self) -> None:
        """Include the electrode again that was left out last."""
        if self.left_out:
            self.leave_out(self.left_out[-1], False)
        else:
            self.notify(_("No electrode was left out in this run"), "info")

    def renew_baseline(self, what: BaselineRequest | None) -> None:
        """Request a step of a renewal of the subject's baseline; None where none is possible."""
        if what and (engine := self.active):
            engine.renew_baseline(what)

    def record(self, where: Path | None) -> None:
        """Begin to record this run in a folder, or end it; without a run, record the next one or not."""
        if where is not None:
            try:
                where.mkdir(parents=True, exist_ok=True, mode=0o700)
            except OSError as error:
                self.notify(_("Recording could not begin: {error}", error=error))
                return
        self.request = replace(self.request, record=where)
        engine = self.active
        if engine is None:
            if self.is_running:  # it is starting
                self.start()
        elif where is not None:
            self._spawn("mood-begin", partial(self._begin_recording, engine, self.request))
        else:
            self._spawn("mood-end", partial(self._end_recording, engine))

    def _end_recording(self, engine: Engine) -> None:
        ended = engine.end_recording()
        if ended is not None and ended.n_bytes:
            self.report = Path(ended.path)

    def _begin_recording(self, engine: Engine, request: RunRequest) -> None:
        try:
            begun, why = engine.begin_recording(self._make_recorder(request, engine)), ""
        except Exception as error:
            log.exception("could not begin to record")
            begun, why = False, str(error)
        if not begun:
            self.request = replace(self.request, record=None)
            self.notify(why or _("Recording could not begin: there is no live signal"))

    def notify(self, text: str, role: str = "bad") -> None:
        """Show a sentence in the banner for a while."""
        self._notice = StyledText(text, role), clock.now() + NOTE_S

    def save_events(self, path: str) -> None:
        """Write the event log."""
        try:
            write_private(Path(path), "".join(f"{line}\n" for line in self._events.lines).encode())
        except OSError as error:
            self.notify(_("The events could not be saved to {path}: {error}", path=path, error=error.strerror or error))

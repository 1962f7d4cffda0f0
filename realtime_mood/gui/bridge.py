"""Turns a running engine into view states thirty times a second, and wishes from the window into start and stop.

The only object that knows both sides. Building, starting and stopping an engine can take seconds, so each runs on a
short thread of its own; the window's thread only looks.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from time import perf_counter

from PyQt6.QtCore import QObject, Qt, QTimer, pyqtSignal

from .. import clock
from ..engine import Engine
from ..health import Health, State
from .traces import SPAN_S
from .viewmodel import Action, view

FRAME_MS = 33
MAP_EVERY = 4  # frames between two looks at the attention maps: 7.5 a second
log = logging.getLogger(__name__)


class Bridge(QObject):
    """Polls the engine and says what it sees.

    Parameters
    ----------
    make_engine : callable
        Builds an engine from a source URL; called away from the window's thread.
    """

    state_changed = pyqtSignal(object)
    """A `ViewState`, every frame."""
    maps_changed = pyqtSignal(object)
    """The same, as often as the slower widgets want it."""
    signal_changed = pyqtSignal(object, float, float)
    """The newest `Chunk`, its sfreq (Hz) and its age (s)."""
    idle = pyqtSignal()
    """A run is over and every thread of it has gone."""

    def __init__(self, make_engine: Callable[[str], Engine]) -> None:
        super().__init__()
        self._make_engine = make_engine
        self._engine: Engine | None = None
        self._health: Health | None = Health()  # what to show while there is no engine to ask
        self._work: threading.Thread | None = None
        self._wish = ""  # "stop" while a stop is wished for or under way
        self._frame = 0
        self.work_ms: deque[float] = deque(maxlen=900)
        """How long each of the last frames took, painting included (ms)."""
        self.frame_ms: deque[float] = deque(maxlen=900)
        """Time from one frame to the next (ms)."""
        self._began = 0.0
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self.look)
        self._painted = QTimer(self)  # fires once the paint events of a frame have been served
        self._painted.setSingleShot(True)
        self._painted.timeout.connect(lambda: self.work_ms.append(1000 * (perf_counter() - self._began)))
        self._timer.start(FRAME_MS)

    @property
    def is_running(self) -> bool:
        """True from `start` until everything it started has gone."""
        return self._work is not None or (self._engine is not None and self._health is None)

    def start(self, url: str) -> None:
        """Begin a run on `url`; nothing happens while there is one."""
        if self.is_running:
            return
        self._wish, self._engine, self._health = "", None, Health(State.CONNECTING)
        self._spawn("mood-start", lambda: self._start(url))

    def stop(self) -> None:
        """End the run, if there is one."""
        if self.is_running:
            self._wish = "stop"

    def mark(self, text: str) -> None:
        """Put a marker on the newest sample, if there is one."""
        if self._engine is not None and self._health is None:
            self._engine.mark(text)

    def close(self) -> None:
        """Look no more."""
        self._timer.stop()
        self._painted.stop()

    def _spawn(self, name: str, work: Callable[[], None]) -> None:
        self._work = threading.Thread(target=work, name=name, daemon=True)
        self._work.start()

    def _start(self, url: str) -> None:
        try:
            engine = self._make_engine(url)
            engine.start()
        except Exception as fault:  # any fault at all belongs on the screen, not in a dead thread
            log.exception("could not start %s", url)
            self._health = Health(State.FAILED, fault=fault)
        else:
            self._engine, self._health = engine, None

    def _stop(self, engine: Engine) -> None:
        last, fault = engine.health, None
        try:
            engine.stop()
        except Exception as raised:
            log.exception("the run ended with a fault")
            fault = raised
        ended = State.ENDED if last.state is State.ENDED else State.IDLE
        self._health = replace(last, state=State.FAILED if fault else ended, fault=fault, sample_age_ms=None)

    def look(self) -> None:
        """One frame: see to threads that are done, then show what there is."""
        began = perf_counter()
        if self._began:
            self.frame_ms.append(1000 * (began - self._began))
        self._began = began
        self._see_to_threads()
        engine = self._engine
        health = self._health or (engine.health if engine else Health())
        latest, readings, markers = (engine.latest, engine.readings(), engine.markers) if engine else (None, (), ())
        now = clock.now()
        state = view(health, latest, readings, markers, now)
        if self._wish:
            state = replace(state, action=Action("Stopping", False, "Waiting for the run's threads to end"))
        if not self._frame % MAP_EVERY:
            self.maps_changed.emit(state)
        self._frame += 1
        self.state_changed.emit(state)
        self._show_signal(health, now if state.ageing else None)
        self._painted.start(0)

    def _see_to_threads(self) -> None:
        if self._work is not None:
            if self._work.is_alive():
                return
            self._work.join()
            self._work = None
            if self._engine is None or self._health is not None:  # it did not start, or it has stopped
                self._wish = ""
                self.idle.emit()
        engine = self._engine
        if engine is not None and self._health is None and (self._wish or engine.done.is_set()):
            self._wish = "stop"
            self._spawn("mood-stop", lambda: self._stop(engine))

    def _show_signal(self, health: Health, now: float | None) -> None:
        """The last `SPAN_S` of the filtered signal, or of the raw one where nothing is filtered."""
        engine, info = self._engine, health.info
        ring = (engine.clean or engine.raw) if engine else None
        if ring is None or info is None:
            return
        chunk = ring.latest(round(SPAN_S * info.sfreq))
        age_s = 0.0 if now is None else min(SPAN_S, max(0.0, now - chunk.t_last))
        self.signal_changed.emit(chunk, info.sfreq, age_s)

"""The connection between engine and window: polls the engine, and starts and stops it for the window.

Building, starting and stopping an engine can take seconds, so each runs on a short-lived thread; the thread of the
window only polls.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from PyQt6.QtCore import Qt, QTimer, pyqtSignal

from .. import clock
from ..dsp.reference import RECORDED
from ..guard import GuardedThread
from ..health import Health, RecordingState, State
from ..language import _
from ..ring import RingBuffer
from ..run.engine import Engine
from ..viewmodel.actions import RUNNING, RunRequest, actions_of
from ..viewmodel.derived import REFUSED, ShownSignal
from ..viewmodel.events import Events
from ..viewmodel.lanes import TraceSettings, slice_of
from ..viewmodel.state import ViewState, view
from ..viewmodel.strip import Timing
from ..viewmodel.words import StyledText
from .bridge_requests import BridgeRequests, MakeRecorder, plain_recorder

FRAME_MS = 33
MAP_EVERY = 3  # frames between two looks at the slower panels: 10 a second
MINUTE_EVERY = 15  # likewise at the last minute
log = logging.getLogger(__name__)


class RunBridge(BridgeRequests):
    """Polls the engine and emits view states.

    `make_engine` builds an engine, away from the window's thread; `request` is the first run.
    """

    state_changed = pyqtSignal(object)  # a `ViewState`, every frame
    maps_changed = pyqtSignal(object)  # the same, at the rate of the slower panels
    # the `Chunk` to draw, its sfreq (Hz), its age (s), the newest markers, its filter and reference; every frame
    signal_changed = pyqtSignal(object, float, float, object, str)
    reference_refused = pyqtSignal()  # the montage has not the electrodes for the chosen reference of the traces
    # the `Chunk` of the last minute, its sfreq (Hz), names, filter and reference; a few times a second
    minute_changed = pyqtSignal(object, float, object, str)
    events_changed = pyqtSignal(object)  # the lines of the event log, when there are new ones
    idle = pyqtSignal()  # a run and all its threads have ended

    def __init__(
        self,
        make_engine: Callable[[RunRequest], Engine],
        request: RunRequest,
        *,
        can_calibrate: bool = False,
        can_feed_back: bool = False,
        make_recorder: MakeRecorder | None = None,
    ) -> None:
        super().__init__()
        self._make_recorder = make_recorder or plain_recorder
        self._make_engine, self._can_calibrate, self._can_feed_back = make_engine, can_calibrate, can_feed_back
        self.request = request  # the present run, or the next one
        self.report: Path | None = None  # the newest complete recording
        self.autosaved: RecordingState | None = None  # the automatic recording of the newest run, once it has ended
        self.writing = False  # a report is being written
        self.in_session = False  # a feedback session is open
        self.minute_is_seen = False  # the last minute of signal is visible
        self.traces = TraceSettings()
        self._signal = ShownSignal()
        self.left_out: tuple[str, ...] = ()  # electrodes that the operator left out of this run, the last one last
        self._events, self._notice = Events(), (StyledText(""), 0.0)
        self._timing = Timing()
        self._outcomes: tuple[StyledText | None, StyledText | None] = None, None  # of the user's requests, as shown
        self._engine: Engine | None = None
        self._health: Health | None = Health()  # shown while there is no engine
        self._work: GuardedThread | None = None
        self._ending = False  # a stop is requested or under way
        self._next: RunRequest | None = None  # started once the present run has ended
        self._frame = 0
        self.state: ViewState | None = None  # the newest view state
        self.work_ms: deque[float] = deque(maxlen=900)  # duration of each of the last frames, including painting (ms)
        # time from one frame to the next (ms): the heartbeat of the event loop
        self.frame_ms: deque[float] = deque(maxlen=900)
        self._began = 0.0
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self.look)
        self._painted = QTimer(self)  # fires after the paint events of a frame
        self._painted.setSingleShot(True)
        self._painted.timeout.connect(lambda: self.work_ms.append(1000 * (perf_counter() - self._began)))
        self._timer.start(FRAME_MS)

    @property
    def active(self) -> Engine | None:
        """The engine from its start to its end."""
        return self._engine if self._health is None else None

    @property
    def engine(self) -> Engine | None:
        """The engine of the newest run, which may have ended."""
        return self._engine

    @property
    def health(self) -> Health:
        """The newest state of the run, also of one that has ended."""
        return self._health or (self._engine.health if self._engine else Health())

    @property
    def is_running(self) -> bool:
        """True from `start` until everything it started has ended."""
        return self._work is not None or self.active is not None

    def _shown(self) -> RingBuffer | None:
        """The last minute as the traces show it."""
        ring = self._signal.ring(self._engine, self.traces, self.left_out) if self._engine else None
        if self._signal.refused:
            self.notify(_(REFUSED[self.traces.reference]), "warn")
            self.traces = replace(self.traces, reference=RECORDED)
            self.reference_refused.emit()
        return ring

    # -- requests -----------------------------------------------------------------------------------------------

    def start(self, request: RunRequest | None = None) -> None:
        """Start a run, after the present one has ended."""
        self.request = request or self.request
        if self.is_running:
            self._ending, self._next = True, self.request
            return
        self._ending, self._next, self._engine = False, None, None
        self._health, self.left_out = Health(State.CONNECTING), ()
        self._spawn("mood-start", partial(self._start, self.request))

    def stop(self) -> None:
        """Stop the run, if there is one."""
        self._next = None
        if self.is_running:
            self._ending = True

    def close(self) -> None:
        """Stop polling."""
        self._timer.stop()
        self._painted.stop()

    # -- threads ------------------------------------------------------------------------------------------------

    def _spawn(self, name: str, work: Callable[[], None]) -> None:
        """Call `work` on a thread of its own, after what is still under way."""
        before = self._work

        def run() -> None:
            if before is not None:
                before.join()
            work()

        self._work = GuardedThread(run, name, self.notify)
        self._work.start()

    def _start(self, request: RunRequest) -> None:
        try:
            engine = self._make_engine(request)
            engine.start()
        except Exception as fault:  # every fault is shown
            log.exception("could not start %s", request.url)
            self._health = Health(State.FAILED, fault=fault)
        else:
            self._engine, self._health = engine, None

    def _stop(self, engine: Engine) -> None:
        ended, fault = State.ENDED if engine.health.state is State.ENDED else State.IDLE, None
        try:
            engine.stop()
        except Exception as raised:
            log.exception("the run ended with a fault")
            fault = raised
        last = engine.health
        self.autosaved = last.autosave if last.autosave is not None and last.autosave.n_bytes else None
        for made in (last.autosave, last.recording):
            if made is not None and made.n_bytes:
                self.report = Path(made.path)
        self._health = replace(last, state=State.FAILED if fault else ended, fault=fault, sample_age_ms=None)

    def _check_threads(self) -> None:
        if self._work is not None:
            if self._work.is_alive():
                return
            self._work.join()
            self._work = None
            if self.active is None:  # not started, or stopped
                following, self._ending, self._next = self._next, False, None
                self.idle.emit()
                if following is not None:
                    self.start(following)
                    return
        engine = self.active
        if engine is not None and (self._ending or engine.done.is_set()):
            self._ending = True
            self._spawn("mood-stop", lambda: self._stop(engine))

    # -- frames -------------------------------------------------------------------------------------------------

    def look(self) -> None:
        """One frame: handle threads that have ended, then emit the state."""
        before, self._began = self._began, perf_counter()
        if before:
            self.frame_ms.append(1000 * (self._began - before))
        self._check_threads()
        self._frame += 1
        slow = not self._frame % MAP_EVERY
        if slow:
            self._timing = self._time()
        health = self.health
        self.state = self._view(health)
        if slow:
            self.maps_changed.emit(self.state)
            self._look_back(health)
        self.state_changed.emit(self.state)
        self._show_signal(health)
        self._painted.start(0)

    def _view(self, health: Health) -> ViewState:
        actions = actions_of(
            health, self.request, stopping=self._ending, can_calibrate=self._can_calibrate,
            can_feed_back=self._can_feed_back, report=self.report,
            writing=self.writing, in_session=self.in_session,
        )  # fmt: skip
        now = clock.now()
        rest: dict[str, Any] = {"actions": actions, "timing": self._timing}
        if (engine := self._engine) is None:
            state = view(health, None, (), (), now, **rest)
        else:
            measured = engine.raw.impedance if engine.raw else None
            kohm = measured.kohm if measured else None
            rest |= {"normal": engine.normal, "kohm": kohm, "derivation": self._signal.derivation}
            state = view(health, engine.latest, engine.readings(), engine.markers, now, body=engine.body, **rest)
        for before, outcome in zip(self._outcomes, state.outcomes, strict=True):
            if outcome and outcome != before:
                self.notify(outcome.text, outcome.role)
        self._outcomes = state.outcomes
        if self.request.tap is not None and health.state in RUNNING:
            badge = StyledText(_("FEEDBACK"), "info", _("A feedback session is running"))
            state = replace(state, badges=(*state.badges, badge))
        notice, until = self._notice
        return replace(state, banner=notice) if now < until and health.fault is None else state

    def _show_signal(self, health: Health) -> None:
        """Emit the signal to draw."""
        ring, info = self._shown(), health.info
        if ring is None or info is None or self._engine is None:
            return
        chunk = slice_of(ring, self.traces)
        ageing = self.state is not None and self.state.ageing and self.traces.paused_at is None
        age_s = min(self.traces.span_s, max(0.0, clock.now() - chunk.t_last)) if ageing else 0.0
        self.signal_changed.emit(chunk, info.sfreq, age_s, self._engine.markers, self._signal.words)

    def _look_back(self, health: Health) -> None:
        """Emit the data of the slower panels: events, and the last minute of signal."""
        engine = self._engine
        latest, markers = (engine.latest, engine.markers) if engine else (None, ())
        if self._events.note(health, latest, markers, datetime.now()):  # local time, for the reader
            self.events_changed.emit(self._events.lines)
        if not self._frame % MINUTE_EVERY and self.minute_is_seen and (ring := self._shown()) is not None:
            info = ring.info
            self.minute_changed.emit(ring.latest(ring.capacity), info.sfreq, info.ch_names, self._signal.words)

    def _time(self) -> Timing:
        """How fast the window itself is."""
        if not self.work_ms or not self.frame_ms:
            return Timing()
        return Timing((float(np.median(self.work_ms)), float(np.percentile(self.work_ms, 95))), max(self.frame_ms))

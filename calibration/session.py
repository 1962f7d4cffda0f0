"""A calibration session: engine, recorder and director together.

The session is always recorded first, and the profile is fitted to the recording: after a crash, ``calibrate --from
RECORDING`` gives the same profile.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from realtime_mood import __version__
from realtime_mood.cli.config import RunConfig
from realtime_mood.cli.parts import streams_beside
from realtime_mood.contracts import Source
from realtime_mood.dsp.spec import FeatureSpec
from realtime_mood.estimator import SignalOnly
from realtime_mood.health import Health, State
from realtime_mood.language import N_
from realtime_mood.pipeline import Pipeline
from realtime_mood.reasons import ARTEFACTS
from realtime_mood.recording.recorder import Recorder
from realtime_mood.run.engine import Engine
from realtime_mood.sources import open_source
from realtime_mood.sources.synthetic.source import SyntheticSource
from realtime_mood.types import Reading, StreamInfo, Why

from .director import CalibrationDirector, OnEvent
from .progress import CalibrationProgress, Event, Mode
from .protocol import BlockPlan

POOR = (Why.GAP, Why.BAD_SIGNAL, *ARTEFACTS)
MAX_POOR = 0.3  # share of a step without usable signal above which it is repeated


@dataclass(frozen=True, slots=True)
class Look:
    """State of a session at one moment, for display."""

    progress: CalibrationProgress | None
    health: Health
    latest: Reading | None
    held: bool = False  # whether the first step waits for the director's `begin`

    @property
    def away(self) -> bool:
        """Whether no data arrive from the headset; the session then does not advance."""
        return self.health.state in (State.STALLED, State.RECONNECTING)


class CalibrationSession:
    """One calibration session, without a screen: `start` it, `look` at it repeatedly, and `stop` it.

    The source of `settings` is opened by `start`, unless another `source` is given, and the streams beside it are
    recorded with it. Where the file `recording` exists, the next free name is used. Each of the `listeners` is called
    for every event; see `CalibrationDirector`. A headset that was lost is searched for `give_up_s` seconds, without
    limit when None. `lsl_offset` (s) leads from our clock to LSL's. Where `held`, the first step waits for the
    director's `begin`; the recording begins at once.
    """

    def __init__(
        self,
        settings: RunConfig,
        plan: BlockPlan,
        recording: Path,
        *,
        listeners: Sequence[OnEvent] = (),
        source: Source | None = None,
        give_up_s: float | None = None,
        lsl_offset: float = 0.0,
        held: bool = False,
    ) -> None:
        self.settings, self.plan = settings, plan
        source = open_source(settings.source) if source is None else source
        follow = source.follow() if isinstance(source, SyntheticSource) else None
        self._listeners = tuple(listeners)
        self.director = CalibrationDirector(plan, follow, self._on_event, held=held)
        self.recorder = Recorder(
            recording, about(settings, plan), participant=settings.participant, to_stamps=lsl_offset
        )
        also = streams_beside(settings)
        self.engine = Engine(
            source, self._build, [self.recorder], director=self.director, also=also, give_up_s=give_up_s
        )
        self._hop_s = FeatureSpec().hop_s
        self._last = 0
        self._poor = self._judged = 0  # poor readings since the step began, and the end of the newest that was counted
        self.over = threading.Event()  # set once the last step is completed, or the subject has stopped

    @property
    def recording(self) -> Path:
        """The file of the recording; another than requested where that existed."""
        return Path(self.recorder.recording.path)

    def start(self) -> None:
        """Open the source and begin with the first step, unless held. Returns at once."""
        self.engine.start()

    def look(self) -> Look:
        """The current state. Also has a step repeated whose signal is poor; call it a few times a second."""
        self._check_signal()
        return Look(self.director.progress, self.engine.health, self.engine.latest, self.director.held)

    def stop(self, timeout: float = 2.0) -> None:
        """End the run and complete the recording. Raises the source's final fault, if there was one."""
        self._deliver_events()
        self.engine.stop(timeout)

    def settle(self, timeout: float = 2.0) -> None:
        """Write all of a session that is over to its recording, while that continues."""
        if raw := self.engine.raw:  # what is in the ring has reached the recorder
            raw.wait_beyond(self._last, timeout)
        self._deliver_events()
        self.recorder.flush(timeout)

    @property
    def progress(self) -> CalibrationProgress:
        """The current state; that before the first sample where the stream is not open."""
        return self.director.progress or CalibrationProgress.of(self.plan, 1.0)

    def wait(self, poll: Callable[[Look], None] = lambda _: None) -> None:
        """Wait until the session is over or the source has ended, calling `poll`; for use without a screen."""
        while not self.over.wait(0.05) and not self.engine.done.is_set():
            look = self.look()
            if look.progress is not None and look.progress.step and look.progress.step.kind == "report":
                self.director.answer(None, None)  # without a screen there are no ratings
            poll(look)

    def _build(self, info: StreamInfo) -> Pipeline:
        spec = FeatureSpec(repair=self.settings.repair)
        return Pipeline(info, spec, SignalOnly(spec, info.sfreq), self.settings.notches)

    def _deliver_events(self) -> None:
        for event in self.director.undelivered():  # such as the last rating, after which no chunk came
            self.engine.mark(event.text)

    def _on_event(self, event: Event, progress: CalibrationProgress, t: float) -> None:
        for listener in self._listeners:
            listener(event, progress, t)
        if "/begin/" in event.text:
            self._poor, self._judged = 0, event.index
        if progress.mode in (Mode.DONE, Mode.STOPPED) and not self.over.is_set():
            self._last = event.index
            self.over.set()

    def _check_signal(self) -> None:
        """Have a step repeated when too much of it has no usable signal."""
        progress = self.director.progress
        if progress is None or (step := progress.step) is None or not progress.begun or not step.counts:
            return
        for reading in self.engine.readings():
            if reading.end > self._judged:  # counted one by one: a step may last longer than they are kept
                self._judged = reading.end
                self._poor += getattr(reading, "why", None) in POOR
        if self._poor * self._hop_s > MAX_POOR * step.seconds:
            self.director.repeat(N_("poor signal"))


def about(settings: RunConfig, plan: BlockPlan) -> dict[str, Any]:
    """Header of the recording: what is needed to fit a profile to it."""
    calibration = {"protocol": plan.protocol.model_dump(mode="json"), "seed": plan.seed}
    how = settings.model_dump(include={"weights", "readout", "notch", "repair"})
    return {"version": __version__, **how, "calibration": calibration}

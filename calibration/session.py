"""Leads somebody through a protocol and makes a profile of it: engine, recorder and director put together.

Whatever happens, the sitting is in a recording first, and the profile is fitted to that: after a crash
``calibrate --from RECORDING`` gives the same.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from realtime_mood.cli.config import RunConfig
from realtime_mood.contracts import Sink, Source
from realtime_mood.dsp.spec import FeatureSpec
from realtime_mood.estimator import SignalOnly
from realtime_mood.health import Health, State
from realtime_mood.pipeline import Pipeline
from realtime_mood.recording.recorder import Recorder
from realtime_mood.run.engine import Engine
from realtime_mood.sources import open_source
from realtime_mood.sources.synthetic.source import SyntheticSource
from realtime_mood.types import Reading, StreamInfo, Why

from .director import CalibrationDirector, Hear
from .progress import CalibrationProgress, Event, Mode
from .protocol import BlockPlan

POOR = (Why.GAP, Why.BAD_SIGNAL)
SPOILED = 0.3  # of a step, without a usable signal: it is done anew


@dataclass(frozen=True, slots=True)
class Look:
    """One look at a session, for whoever shows it."""

    sitting: CalibrationProgress | None
    health: Health
    latest: Reading | None
    held: bool = False
    """The first step waits for the director's `begin`."""

    @property
    def away(self) -> bool:
        """The headset is gone, or says nothing: the sitting stands still by itself."""
        return self.health.state in (State.STALLED, State.RECONNECTING)


class CalibrationSession:
    """One sitting. Start it, look at it as often as you like, and stop it; nothing here knows a screen.

    Parameters
    ----------
    settings : RunConfig
        Its source is opened by `start`, unless another `source` is given.
    plan : BlockPlan
    recording : Path
        Where the sitting is recorded: a file that is not there yet.
    hear : sequence of callable
        Each is told of every event; see `CalibrationDirector`.
    sinks : sequence of Sink
        Others that want the readings: their quality is all they say.
    give_up_s : float, optional
        How long a headset that went away is looked for; for ever when None.
    lsl_offset : float
        What puts our clock on LSL's (s).
    held : bool
        Whether the first step waits for the director's `begin`; the recording runs all the same.
    """

    def __init__(
        self,
        settings: RunConfig,
        plan: BlockPlan,
        recording: Path,
        *,
        hear: Sequence[Hear] = (),
        source: Source | None = None,
        sinks: Sequence[Sink] = (),
        give_up_s: float | None = None,
        lsl_offset: float = 0.0,
        held: bool = False,
    ) -> None:
        self.settings, self.plan = settings, plan
        source = open_source(settings.source) if source is None else source
        follow = source.follow() if isinstance(source, SyntheticSource) else None
        self._heard = tuple(hear)
        self.director = CalibrationDirector(plan, follow, self._hear, held=held)
        self.recorder = Recorder(recording, about(settings, plan), to_stamps=lsl_offset)
        self.engine = Engine(source, self._build, [self.recorder, *sinks], director=self.director, give_up_s=give_up_s)
        self._hop_s = FeatureSpec().hop_s
        self._last = 0
        self.over = threading.Event()
        """Set once the last step is done, or the person has stopped."""

    @property
    def recording(self) -> Path:
        """The file it is recorded in; another than asked for where that was there already."""
        return Path(self.recorder.recording.path)

    def start(self) -> None:
        """Open the source and begin with the first step. Returns at once."""
        self.engine.start()

    def look(self) -> Look:
        """Where everything stands; also sees to it that a spoiled step is done anew. Call it a few times a second."""
        self._judge()
        return Look(self.director.sitting, self.engine.health, self.engine.latest, self.director.held)

    def stop(self, timeout: float = 2.0) -> None:
        """End the run; the recording is whole then. Raises the source's final fault, if there was one."""
        self._tell_rest()
        self.engine.stop(timeout)

    def settle(self, timeout: float = 2.0) -> None:
        """Have all of a sitting that is over in its recording, while that goes on."""
        if raw := self.engine.raw:  # what comes to the ring is with the recorder already
            raw.wait_beyond(self._last, timeout)
        self._tell_rest()
        self.recorder.flush(timeout)

    def wait(self, poll: Callable[[Look], None] = lambda _: None) -> CalibrationProgress:
        """Look until the sitting is over or the source has ended, telling `poll`; for those without a screen."""
        while not self.over.wait(0.05) and not self.engine.done.is_set():
            look = self.look()
            if look.sitting is not None and look.sitting.step and look.sitting.step.kind == "report":
                self.director.answer(None, None)  # nobody is there to be asked
            poll(look)
        sitting = self.director.sitting
        assert sitting is not None or self.engine.health.fault is not None
        return sitting or CalibrationProgress.of(self.plan, 1.0)

    def _build(self, info: StreamInfo) -> Pipeline:
        spec = FeatureSpec()
        return Pipeline(info, spec, SignalOnly(spec, info.sfreq), self.settings.notches)

    def _tell_rest(self) -> None:
        for event in self.director.untold():  # the last answer, say, where no chunk came after it
            self.engine.mark(event.text)

    def _hear(self, event: Event, sitting: CalibrationProgress, t: float) -> None:
        for hear in self._heard:
            hear(event, sitting, t)
        if sitting.mode in (Mode.DONE, Mode.STOPPED) and not self.over.is_set():
            self._last = event.index
            self.over.set()

    def _judge(self) -> None:
        """Have a step done anew when too much of it has no usable signal."""
        sitting, raw = self.director.sitting, self.engine.raw
        if sitting is None or raw is None or sitting.step is None or not sitting.begun or not sitting.step.counts:
            return
        began = raw.end - (round(sitting.step.seconds * sitting.sfreq) - sitting.left)
        poor = [r for r in self.engine.readings() if r.end > began and getattr(r, "why", None) in POOR]
        if len(poor) * self._hop_s > SPOILED * sitting.step.seconds:
            self.director.repeat("poor signal")


def about(settings: RunConfig, plan: BlockPlan) -> dict[str, Any]:
    """What the recording tells of itself: enough to fit a profile to it."""
    return {
        "version": version("realtime-mood"),
        "weights": settings.weights,
        "readout": settings.readout,
        "notch": settings.notch,
        "calibration": {"protocol": plan.protocol.model_dump(mode="json"), "seed": plan.seed},
    }

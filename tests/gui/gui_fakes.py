"""Engines for a window to look at: the real one with a network that costs nothing, and one that stands still."""

from __future__ import annotations

import threading
from dataclasses import replace

import numpy as np

from realtime_mood.aux_ring import AuxRing
from realtime_mood.body.history import BodyHistory
from realtime_mood.dsp.spec import FeatureSpec
from realtime_mood.entropy import Statistics
from realtime_mood.estimator import MoodEstimator
from realtime_mood.health import Health, Latency, RecordingState, State
from realtime_mood.pipeline import Pipeline
from realtime_mood.profile import Normaliser
from realtime_mood.recording.recorder import Recorder
from realtime_mood.ring import RingBuffer
from realtime_mood.run.engine import Engine
from realtime_mood.sources import open_source
from realtime_mood.types import Chunk, Estimate, Features, Marker, Quality, Reading, Readout, StreamInfo

EMOTION3 = Readout("emotion3", ("negative", "neutral", "positive"), ((-0.6, 0.4), (0.0, 0.0), (0.6, 0.4)), "virtual")


class Planted:
    """A network whose answer swings slowly, and looks where the alpha is."""

    readout = EMOTION3
    least_confidence = 0.4
    notes = ()

    def __call__(self, features: Features) -> tuple[tuple[float, ...], np.ndarray]:
        alpha = float(features.de[-1, :, 2].mean())
        logits = np.array([np.sin(features.t_last / 6), 0.3, np.cos(features.t_last / 6) + 0.1 * alpha])
        probs = np.exp(2 * logits) / np.exp(2 * logits).sum()
        attention = np.exp(features.de[-1]) * features.quality.good[:, None]
        return tuple(probs.tolist()), (attention / attention.sum(0)).astype(np.float32)


def planted_engine(url: str) -> Engine:
    """The real engine and the real source, with a network that costs nothing."""
    spec = FeatureSpec()

    def build(info: StreamInfo) -> Pipeline:
        start = Statistics(np.full((info.n_chans, 5), 2.0), np.ones((info.n_chans, 5)))
        normaliser = Normaliser(start, info.sfreq, frozen=False)
        return Pipeline(info, spec, MoodEstimator(info, Planted(), normaliser, spec.step_s))

    return Engine(open_source(url), build)


class FakeEngine:
    """What the bridge may ask of an engine, standing still: a test sets what it says."""

    def __init__(self, info: StreamInfo, stop_fault: Exception | None = None) -> None:
        self.health = Health()
        self.latest: Reading | None = None
        self.history: tuple[Reading, ...] = ()
        self.markers: tuple[Marker, ...] = ()
        self.body = BodyHistory()
        self.raw = RingBuffer(info, round(60 * info.sfreq))
        self.clean, self.repair = self.raw, "none"
        self.normal = None
        self.is_live = True
        self.streams: tuple[AuxRing, ...] = ()
        self.marked: list[str] = []
        self.left_out: list[set[str]] = []
        self.done = threading.Event()
        self.may_stop = threading.Event()  # a slow device, until a test lets go of it
        self.may_stop.set()
        self._info, self._stop_fault = info, stop_fault

    def start(self) -> None:
        noise = np.random.default_rng(0).normal(0, 15, (round(10 * self._info.sfreq), self._info.n_chans))
        self.raw.write(Chunk(noise, 0, 100.0))
        self.health = Health(State.LIVE, self._info, len(noise), 0, 1, 0, Latency(20, 40, 60), 30.0)
        self.say(estimate(self._info))

    def say(self, *readings: Reading) -> None:
        self.history += readings
        self.latest = self.history[-1]

    def readings(self) -> tuple[Reading, ...]:
        return self.history

    def mark(self, text: str) -> None:
        self.marked.append(text)

    def leave_out(self, names) -> bool:
        self.left_out.append(set(names))
        return True

    def begin_recording(self, tap: Recorder) -> bool:
        if self.is_live:
            self.health = replace(self.health, recording=tap.recording)
        return self.is_live

    def end_recording(self) -> RecordingState | None:
        ended, self.health = self.health.recording, replace(self.health, recording=None)
        return ended and replace(ended, n_bytes=1)

    def stop(self, timeout: float = 2.0) -> None:
        if not self.may_stop.wait(timeout):
            raise AssertionError("the test never let go")
        self.done.set()
        if self._stop_fault:
            raise self._stop_fault


def estimate(info: StreamInfo, end: int | None = None, probs: tuple[float, ...] = (0.1, 0.2, 0.7)) -> Estimate:
    """A good reading of ten seconds that end at sample `end`."""
    n = info.n_chans
    quality = Quality(np.ones(n, np.float32), (None,) * n)
    end = round(10 * info.sfreq) if end is None else end
    attention = np.full((n, 5), 1 / n, np.float32)
    t_last = 90.0 + end / info.sfreq
    return Estimate(EMOTION3, probs, max(probs), attention, quality, 1.0, False, 0, end, t_last)

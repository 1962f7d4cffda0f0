"""Shaking, from the measure of movement: seconds are left out from when it is known on, and a replay does the same."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from fakes import INFO, FakeNetwork, cut, pink, pipeline
from waiting import until

from realtime_mood.body.measure import BodyMeasure, BodyReading, invalid
from realtime_mood.body.monitor import BodyMonitor
from realtime_mood.dsp.artefacts import ShakenSamples
from realtime_mood.pipeline import ARTEFACTS, Pipeline
from realtime_mood.recording.reader import open_recorded
from realtime_mood.recording.recorder import Recorder
from realtime_mood.recording.replay import replay
from realtime_mood.ring import RingBuffer
from realtime_mood.run.engine import Engine
from realtime_mood.run.shaking import SHAKING_G, mark_shaken, shaken
from realtime_mood.sources import open_source
from realtime_mood.types import Abstained, Estimate, Features, Marker, StreamInfo, Why

SFREQ = INFO.sfreq
SHAKEN = (BodyMeasure("movement", 3 * SHAKING_G, 1.0),)
STILL = (BodyMeasure("movement", SHAKING_G / 4, 1.0),)


def test_shaken_seconds_are_those_behind_the_measure():
    assert shaken(BodyReading(0.0, 30.0, SHAKEN)) == (28.0, 30.0)
    assert shaken(BodyReading(0.0, 30.0, STILL)) is None
    assert shaken(BodyReading(0.0, 30.0, (invalid("movement", "unknown unit"),))) is None
    assert shaken(BodyReading(0.0, 30.0, (BodyMeasure("heart_rate", 70.0, 1.0),))) is None


def marked() -> tuple[Pipeline, list, Marker]:
    """30 s; the seconds from 18 to 20 turn out to be shaken when 20.6 s have been read."""
    p, raw, found, marker = pipeline(), RingBuffer(INFO, 8000), [], None
    for chunk in cut(pink(6000, 8), [40]):
        raw.write(chunk, chunk.t_last)
        found += [(w, p.read(w)) for w in p.push(chunk)]
        if chunk.end == 4120:
            marker, t = mark_shaken(BodyReading(0.0, 20.0, SHAKEN), raw, p, chunk.end)
            assert t == pytest.approx(chunk.t_last + (marker.index - 4119) / SFREQ)
    return p, found, marker


def test_readings_name_the_movement_until_it_has_left_the_raw_context():
    _, found, marker = marked()
    assert marker.text == "movement: 3600 4000"
    silent = [w.end / SFREQ for w, r in found if isinstance(r, Abstained) and w.end > 8 * SFREQ]
    assert {r.why for w, r in found if isinstance(r, Abstained) and w.end > 8 * SFREQ} == {Why.MOVEMENT}
    assert silent[0] == 20.75  # the first after it was known
    assert 22 < silent[-1] < 29
    late = [r for w, r in found if 24.5 * SFREQ < w.end < 27 * SFREQ]
    assert {r.coverage for r in late} <= {0.7, 0.8}  # by how the seconds of the context lie
    assert isinstance(found[-1][1], Estimate)
    assert found[-1][1].coverage == 1.0


@pytest.mark.parametrize(
    "text", ["movement: 10 2", "movement: x", "movement: 1 2 3", "rest", "movement: " + "9" * 40 + " 1"]
)
def test_other_markers_change_nothing(text):
    found, p = ShakenSamples.of(Marker(5, text)), pipeline()
    if found:
        p.shaken.append(found)
    windows = [w for c in cut(pink(2400, 8), [60]) for w in p.push(c)]
    assert all(w.artefacts is None for w in windows)


class Telling(FakeNetwork):
    def __call__(self, features: Features) -> tuple[tuple[float, ...], np.ndarray]:
        p = float(1 / (1 + np.exp(-1 - features.de[-1].astype(np.float64).mean())))
        self.probs = (p, 1 - p)
        return super().__call__(features)


def telling(info: StreamInfo) -> Pipeline:
    return pipeline(info, Telling())


def of_monitor(measures: Callable[[], tuple[BodyMeasure, ...]]):
    seen: list[float] = []

    def readings(self, rings, now, speed=1.0):
        if not (found := measures()) or (seen and now - seen[-1] < 1.0):
            return []
        seen.append(now)
        return [(now, found, False)]

    return readings


def test_a_replay_of_a_run_with_shaking_is_identical(tmp_path: Path, monkeypatch):
    now: list[tuple[BodyMeasure, ...]] = [()]
    monkeypatch.setattr(BodyMonitor, "readings", of_monitor(lambda: now[0]))
    recorder = Recorder(tmp_path / "a.xdf", {"weights": "w", "profile": None, **ARTEFACTS})
    url = "synthetic://?channels=Fp1,Fp2,C3,C4,O1,O2&sfreq=128&speed=15&script=rest:30"
    engine = Engine(open_source(url), telling, [recorder])
    engine.start()
    until(lambda: len(engine.readings()) >= 40, 60)
    now[0] = SHAKEN
    until(lambda: getattr(engine.latest, "why", None) is Why.MOVEMENT, 60)
    now[0] = STILL
    until(engine.done.is_set, 60)
    engine.stop()
    assert any(marker.text.startswith("movement: ") for marker in engine.markers)
    recorded = open_recorded(tmp_path / "a.xdf")
    assert {"movement"} <= {it.get("why") for it in recorded.readings}
    result = replay(recorded, telling)
    assert result.identical, str(result)

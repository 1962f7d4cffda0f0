"""Eye movements take part in readings while the tracker is good, and no longer than that; a replay gives the same."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fakes import EIGHT, INFO, POPULATION, FakeNetwork, FakeSource, FakeStream, Keep, cut, pink, pipeline
from gaze_streams import aux_chunk, aux_info, gaze
from hypothesis import given
from hypothesis import strategies as st
from waiting import until

from realtime_mood.auxiliary import AuxChunk, AuxInfo
from realtime_mood.dsp.eye import FEATURES, eye_features
from realtime_mood.entropy import Population
from realtime_mood.eyes.layout import layout_of
from realtime_mood.eyes.track import EegPlace, GazeTrack
from realtime_mood.eyes.watch import LAG_S, EyeWatch, regular
from realtime_mood.health import Health
from realtime_mood.modalities import EyeState
from realtime_mood.pipeline import LEARNS, Pipeline
from realtime_mood.recording.reader import open_recorded
from realtime_mood.recording.recorder import Recorder
from realtime_mood.recording.replay import replay
from realtime_mood.run.engine import Engine
from realtime_mood.types import Chunk, Features, Reading, StreamInfo, Window

RATE, SECONDS, AWAY_S = 60.0, 38, 6
EYES = Population(np.zeros(len(FEATURES)), np.ones(len(FEATURES)))
CARRIED = aux_info("generic", RATE, url="fake#Gaze")
Rows = Callable[[np.ndarray], np.ndarray]


class EyeNetwork(FakeNetwork):
    """Depends on the EEG and, where they are there, on eye movements."""

    population = replace(POPULATION, eye=EYES)

    def __call__(self, features: Features) -> tuple[tuple[float, ...], np.ndarray]:
        eye = 0.0 if features.eye is None else float(np.float64(features.eye).sum() / 50)
        p = float(1 / (1 + np.exp(-2 - features.de[-1].astype(np.float64).mean() - eye)))
        self.probs = (p, 1 - p) if p > 0.5 else (1 - p, p)
        return super().__call__(features)


def eye_pipeline(info: StreamInfo) -> Pipeline:
    return pipeline(info, EyeNetwork())


class CarryingStream(FakeStream):
    """Plays EEG with the gaze of the same time, all but the samples that are NaN in the first column."""

    def __init__(self, chunks: Sequence[Chunk], info: AuxInfo, rows: np.ndarray) -> None:
        super().__init__(INFO, chunks, None)
        self._of, self._rows, self._at, self._now = info, rows, 0, (0.0, 0.0)

    def read(self, timeout: float) -> Chunk | None:
        chunk = super().read(timeout)
        assert chunk is not None
        self._now = (chunk.end / INFO.sfreq, chunk.t_last)
        return chunk

    def beside(self) -> list[tuple[AuxInfo, AuxChunk]]:
        first, self._at = self._at, max(self._at, min(len(self._rows), int(self._now[0] * RATE)))
        numbers = np.arange(first, self._at)
        stamps = self._now[1] - (self._now[0] - (numbers + 1) / RATE)
        whole = aux_chunk(self._rows[first : self._at], first, stamps)
        keep = np.flatnonzero(np.isfinite(whole.values[:, 0]))
        if not len(keep):
            return [(self._of, aux_chunk(np.empty((0, 4)), first, np.empty(0)))]
        begin = int(keep[0])
        return [(self._of, replace(whole, values=whole.values[begin:], stamps=stamps[begin:], sent=stamps[begin:],
                                   first=first + begin, lost=begin))]  # fmt: skip


class CarryingHeadset(FakeSource):
    def __init__(self, rows: np.ndarray, sizes: Sequence[int] = (50,), info: AuxInfo = CARRIED) -> None:
        super().__init__(cut(pink(round(SECONDS * INFO.sfreq), len(EIGHT)), sizes))
        self.rows, self.of = rows, info

    def open(self) -> FakeStream:
        return CarryingStream(self.chunks, self.of, self.rows)


def lost(rows: np.ndarray) -> np.ndarray:
    return np.full_like(rows, np.nan)


def closed(rows: np.ndarray) -> np.ndarray:
    return rows * (1, 1, 0, 0)


def out_of_range(rows: np.ndarray) -> np.ndarray:
    return rows + np.array([80, 0, 0, 0])


def changed(away: dict[int, Rows]) -> np.ndarray:
    """Gaze that is changed for `AWAY_S` from each of these times on, with usual blinks between them."""
    rows = gaze(SECONDS, RATE)
    rows[np.arange(len(rows)) / RATE % 4 < 0.3, 2:] = 0
    for first, what in away.items():
        at = slice(round(first * RATE), round((first + AWAY_S) * RATE))
        rows[at] = what(rows[at])
    return rows


def readings_of(source: FakeSource, *sinks: Recorder, make: Callable[[StreamInfo], Pipeline] = eye_pipeline,
                ) -> tuple[list[Reading], Health]:  # fmt: skip
    keep = Keep()
    engine = Engine(source, make, [*sinks, keep])
    engine.start()
    until(engine.done.is_set, 60)
    engine.stop()
    return [item.reading for item in keep.items], engine.health


def test_a_tracker_that_fails_is_missed_within_a_second_and_a_half_and_returns(tmp_path: Path) -> None:
    path, away = tmp_path / "a.xdf", {8: lost, 18: closed, 28: out_of_range}
    found, health = readings_of(CarryingHeadset(changed(away)), Recorder(path, LEARNS))
    states = {reading.time: reading.eye.state for reading in found if reading.eye}
    assert len(states) == len(found) == 4 * SECONDS
    used = [t for t, state in states.items() if state is EyeState.USED]
    assert set(states) - set(used) <= {t for t in states if t < 3 or any(first < t <= first + 8 for first in away)}
    for first, what in away.items():
        end = first + AWAY_S
        assert max(t for t in used if t < end) <= first + 1.25
        assert end < min(t for t in used if t > end) <= end + 1.5
        during = {state for t, state in states.items() if first + 1.25 < t < end}
        assert during == {EyeState.LOST if what is lost else EyeState.UNSEEN}
    assert {reading.modalities for reading in found} == {("eeg",), ("eeg", "eyes")}
    assert [note for note in health.notes if "eye movements" in note] == ["Gaze: eye movements take part in readings"]
    assert health.faults == 0
    recorded = open_recorded(path)
    assert [it["eyes"] for it in recorded.readings] == [state.value for state in states.values()]
    again = replay(recorded, eye_pipeline)
    assert again.identical, str(again)


def test_a_reading_rests_on_nothing_that_the_tracker_sent_later_and_then_on_the_eeg_alone() -> None:
    some, _ = readings_of(CarryingHeadset(changed({})))
    other, _ = readings_of(CarryingHeadset(changed({28: out_of_range})))
    eeg, _ = readings_of(FakeSource(CarryingHeadset(gaze(1)).chunks))
    same = [a.probs == b.probs for a, b in zip(some, other, strict=True)]
    assert all(it for it, a in zip(same, some, strict=True) if a.time <= 28 + LAG_S)
    assert not any(it for it, a in zip(same, some, strict=True) if a.time > 28.5 and a.probs)
    alone = [(a, b) for a, b in zip(other, eeg, strict=True) if 29.5 < a.time < 34]
    assert all(a.probs == b.probs and b.eye is None for a, b in alone)
    assert eeg[-1].modalities == ("eeg",)


@pytest.mark.parametrize("rate", [RATE, 0.0], ids=["regular", "irregular"])
def test_offline_the_same_comes_out_however_the_stream_is_cut(rate: float) -> None:
    info = replace(CARRIED, sfreq=rate)
    runs = [readings_of(CarryingHeadset(gaze(SECONDS, RATE), sizes, info))[0] for sizes in ((50,), (7, 120, 33))]
    features = [[r.eye.features for r in run if r.eye and r.eye.features is not None] for run in runs]
    assert len(features[0]) > 100
    np.testing.assert_allclose(*features, atol=0 if rate else 0.05)


def test_weights_without_eye_movements_are_read_from_the_eeg_alone() -> None:
    found, health = readings_of(CarryingHeadset(gaze(SECONDS, RATE)), make=pipeline)
    assert all(reading.eye is None and reading.modalities == ("eeg",) for reading in found)
    assert not health.notes


def test_columns_that_nobody_knows_are_noted_and_cost_nothing() -> None:
    info = aux_info((("a", ""), ("b", ""), ("c", "px"), ("d", "")), RATE, url="fake#Gaze")
    found, health = readings_of(CarryingHeadset(gaze(SECONDS, RATE), info=info))
    assert len(found) == 4 * SECONDS
    assert [note.partition(" · ")[0] for note in health.notes] == ["gaze and pupil in fake#Gaze"]
    assert health.notes[0].endswith("· readings rest on the EEG alone")
    assert {reading.modalities for reading in found} == {("eeg",)}


def window(end_s: float) -> Window:
    one = next(iter(pipeline(INFO).push(cut(pink(50, 8), [50])[0])))
    return replace(one, first=round(end_s * INFO.sfreq) - one.data.shape[1], t_last=1000 + end_s)


@pytest.fixture(scope="module")
def template() -> Window:
    return window(1.0)


@pytest.mark.parametrize("is_carried", [True, False])
def test_the_features_are_those_of_the_data_sets(is_carried: bool) -> None:
    rows = gaze(30, RATE)
    info = aux_info("generic", RATE)
    track = GazeTrack(info, layout_of(info), is_carried=is_carried)
    times = (np.arange(len(rows)) + 1) / RATE
    track.take(aux_chunk(rows, 0, 1000 + times), EegPlace(origin=1000.0))
    found = track.up_to(window(20.0), INFO.sfreq, 0.25, 10.0)
    assert found.times[-1] == pytest.approx(19.75 + (0 if is_carried else 1000))
    grid = regular(found.times, found.samples, RATE, found.until)
    expected = eye_features(rows[585:1185, :3].astype(np.float32), RATE)
    np.testing.assert_allclose(eye_features(grid, RATE), expected, rtol=1e-4, atol=1e-4)


def test_a_window_that_is_asked_for_again_gives_the_same() -> None:
    info = aux_info("generic", RATE)
    track, watch = GazeTrack(info, layout_of(info), is_carried=True), EyeWatch(EYES, INFO.sfreq)
    rows = gaze(30, RATE)
    track.take(aux_chunk(rows, 0, (np.arange(len(rows)) + 1) / RATE), EegPlace())
    first = watch(window(10.0), track)
    assert first.state is EyeState.USED
    watch(window(20.0), track)
    assert watch(window(10.0), track) is first


@given(
    rate=st.sampled_from([30.0, 59.94, 120.0, 250.0, 1000.0]), phase=st.floats(0, 1),
    missing=st.lists(st.integers(1, 250), max_size=20), n=st.integers(1, 300),
)  # fmt: skip
def test_a_grid_keeps_the_samples_and_fills_no_gap(rate: float, phase: float, missing: list[int], n: int) -> None:
    keep = np.setdiff1d(np.arange(n), missing)
    samples = np.column_stack([keep, -keep, keep + 1.0]).astype(float)
    rows = regular((keep + phase) / rate, samples, rate, (keep[-1] + phase) / rate)
    assert len(rows) == keep[-1] + 1
    np.testing.assert_allclose(rows[keep], samples, atol=1e-6)
    there = np.isfinite(rows[:, 0])
    absent = np.setdiff1d(np.arange(keep[-1] + 1), keep)
    alone = [i for i in absent.tolist() if i - 1 in keep and i + 1 in keep]
    assert there[alone].all()  # one sample between two is interpolated
    gaps = np.split(absent, np.flatnonzero(np.diff(absent) > 1) + 1)
    assert not any(there[gap].any() for gap in gaps if len(gap) > 1)

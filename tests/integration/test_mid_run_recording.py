"""Recordings that begin in the middle of a run: nothing stops for them, and they replay identically."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fakes import INFO, FakeSource, Keep, cut, live, pink, pipeline
from waiting import until

from realtime_mood.auxiliary import AuxChunk, Carrying
from realtime_mood.contracts import BeforeJoining
from realtime_mood.errors import StreamMismatch
from realtime_mood.health import Health
from realtime_mood.pipeline import LEARNS
from realtime_mood.recording.reader import Recorded, open_recorded
from realtime_mood.recording.recorder import Recorder
from realtime_mood.recording.replay import replay
from realtime_mood.ring import RingBuffer
from realtime_mood.run.engine import Engine
from realtime_mood.run.joining import Succession, before
from realtime_mood.sources import open_source
from realtime_mood.sources.synthetic.beside import true_body
from realtime_mood.types import Abstained, Marker, Why

URL = "synthetic://?n_chans=4&sfreq=128&speed=30&faults=hole:2@8,drop:0.01@3"


def recorded_from(path: Path, begin_s: float, n: int) -> tuple[Recorded, Keep, int]:
    """A recording of `n` readings of a run from `begin_s` on; also the run's readings, and how many came before."""
    keep = Keep()

    def reached(seconds: float) -> bool:
        return bool(keep.items) and keep.items[-1].reading.end >= seconds * 128

    with Engine(open_source(URL), pipeline, [keep]) as engine:
        until(lambda: reached(begin_s), 30)
        engine.leave_out(["T7"])
        until(lambda: reached(begin_s + 1), 30)
        n_before = len(keep.items)
        assert engine.begin_recording(Recorder(path, LEARNS))
        until(lambda: engine.health.recording is not None, 30)
        begun = len(keep.items)
        until(lambda: len(keep.items) > begun + n, 30)
        ended = engine.end_recording()
        assert ended is not None
        assert (ended.path, ended.trouble) == (str(path), "")
        until(lambda: engine.health.recording is None)
        at_end = len(keep.items)
        until(lambda: len(keep.items) > at_end + 4)  # the run goes on
        assert engine.health.notes == ()
    return open_recorded(path), keep, n_before


@pytest.mark.parametrize("begin_s", [5.0, 40.0])
def test_it_begins_half_a_minute_ago_interrupts_nothing_and_replays_identically(begin_s: float, tmp_path: Path) -> None:
    recorded, keep, n_before = recorded_from(tmp_path / "a.xdf", begin_s, 30)
    begun = recorded.about["begun"]
    assert begun["first"] == recorded.first
    assert recorded.first == 0 if begin_s == 5.0 else begun["at"] >= recorded.first + 30 * 128 > 30 * 128
    again = replay(recorded, pipeline)
    assert str(again) == f"{again.compared} readings are identical"
    assert again.compared > 20
    ends = [it.reading.end for it in keep.items]
    assert (np.diff(ends) >= 0).all()
    if begin_s == 40.0:
        reasons = {it.reading.why for it in keep.items[n_before:] if isinstance(it.reading, Abstained)}
        assert not reasons & {Why.SETTLING, Why.GAP}
    stream = open_source(URL.replace("speed=30", "speed=max")).open()
    assert isinstance(stream, Carrying)
    sent, beside = [], defaultdict[str, list[AuxChunk]](list)
    while not sent or sent[-1].end < ends[-1]:
        sent.append(stream.read(1.0))
        for info, part in stream.beside():
            beside[info.name].append(part)
    stream.close()
    truth = {chunk.first + k: row for chunk in sent for k, row in enumerate(chunk.data)}
    indices = [chunk.first + k for chunk in recorded.chunks() for k in range(len(chunk))]
    assert indices == [index for index in truth if recorded.first <= index <= indices[-1]]
    rows = np.concatenate([chunk.data for chunk in recorded.chunks()])
    np.testing.assert_array_equal(rows, [truth[index] for index in indices])
    t, body = recorded.body()  # at that speed as well, and from half a minute ago on
    truth_of_body = true_body(open_source(URL).person(), ends[-1] / 128 + 10)
    measured = [(at, rate) for at, rate in zip(t, body["heart_rate"], strict=True) if np.isfinite(rate)]
    assert t[0] < recorded.first / 128 + (3.0 if begin_s == 40.0 else 12.0)
    if begin_s == 40.0:
        assert len(measured) > 10
    for at, rate in measured:
        assert rate == pytest.approx(truth_of_body.heart_rate(at), abs=4)
    zero = sent[0].t_last - (sent[0].end - 1) / 128  # all stamps of the truth are those of a recording at its pace
    found = {it.name: it for it in recorded.from_zero().beside()}
    assert found.keys() == beside.keys() == {"gaze", "ppg", "eda", "respiration", "acceleration"}
    for name, parts in beside.items():
        times = np.concatenate([part.sent for part in parts]) - zero - recorded.first / 128
        it, end = found[name], (indices[-1] - recorded.first) / 128
        at = int(np.abs(times - it.t[0]).argmin())
        assert not (times[:at] > 0.1).any()  # a millisecond is 0.03 s at that speed
        assert not (times[at + len(it.t) :] < end - 0.1).any()
        np.testing.assert_allclose(it.t, times[at : at + len(it.t)], atol=2e-3)
        np.testing.assert_array_equal(it.values, np.concatenate([part.values for part in parts])[at : at + len(it.t)])


def test_pages_and_tables_of_it_begin_at_zero(tmp_path: Path) -> None:
    recorded, *_ = recorded_from(tmp_path / "a.xdf", 40.0, 4)
    moved = recorded.from_zero()
    assert (moved.first, next(moved.chunks()).first, next(moved.chunks()).lost) == (0, 0, 0)
    first, before_t = moved.readings[0], recorded.readings[0]
    assert first["end"] == before_t["end"] - recorded.first
    assert first["t"] == pytest.approx(first["end"] / 128, abs=1e-3)
    assert [it.index for it in moved.markers()] == [it.index - recorded.first for it in recorded.markers()]


@pytest.mark.parametrize("begun", ["x", {"first": "?"}, {"first": 0, "at": 9, "left_out": 3, "learner": None}])
def test_a_damaged_beginning_is_refused(begun: object, tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "a.xdf", {})
    with Engine(FakeSource(cut(pink(400, len(INFO.ch_names)), [40])), pipeline, [recorder]) as engine:
        until(engine.done.is_set)
    recorded = open_recorded(tmp_path / "a.xdf")
    with pytest.raises(StreamMismatch, match="the state at its beginning"):
        replay(replace(recorded, about={"begun": begun}), pipeline)


def test_without_a_live_signal_it_does_not_begin(tmp_path: Path) -> None:
    engine = Engine(FakeSource([]), pipeline, [])
    assert not engine.begin_recording(Recorder(tmp_path / "a.xdf", {}))
    with Engine(FakeSource(cut(pink(400, len(INFO.ch_names)), [40])), pipeline, []) as engine:  # as fast as it can
        until(engine.done.is_set)
        assert not engine.begin_recording(Recorder(tmp_path / "b.xdf", {}))


def test_what_came_before_keeps_its_gaps_and_markers(tmp_path: Path) -> None:
    keep, marks = Keep(), (Marker(390, "in the gap"), Marker(700, "late"))
    parts = cut(pink(800, len(INFO.ch_names)), [100])
    parts = [*parts[:3], *(replace(it, first=it.first + 100, lost=100 * (it.first == 300)) for it in parts[3:])]
    source = FakeSource(live(parts), replace(INFO, paced=True), after=lambda: None)
    with Engine(source, pipeline, [keep]) as engine:
        until(lambda: engine.health.samples == 800)
        raw = engine.raw
        assert raw is not None
        chunks, ahead = before(raw, 50, (*marks, Marker(901, "soon")), zero=0.0)
    assert [(it.first, len(it), it.lost) for it in chunks] == [(50, 250, 0), (400, 500, 100)]
    assert [it.markers for it in chunks] == [(), marks]
    assert chunks[-1].t_last == pytest.approx(raw.t_last)
    assert [(it.text, round((t - raw.t_last) * INFO.sfreq, 6)) for it, t in ahead] == [("soon", 2.0)]
    recorder = Recorder(tmp_path / "a.xdf")
    recorder.join(50, {"first": 50})
    recorder.open(raw.info)
    recorder.begin(BeforeJoining(chunks, ahead, []))
    recorder.close(Health())
    texts = [it.text for it in open_recorded(tmp_path / "a.xdf").markers()]
    assert texts == ["in the gap", "late", "soon"]


def test_windows_of_the_half_minute_before_are_not_given_to_the_eyes_again(tmp_path: Path) -> None:
    raw, seen = RingBuffer(INFO, 4000), list[int]()
    raw.write(cut(pink(4000, len(INFO.ch_names)), [4000])[0])
    old, new = pipeline(INFO), pipeline(INFO)
    old.push(raw.read(0, 3500))
    old.eyes = new.eyes = lambda window: seen.append(window.end)  # the state of a run's eyes, which both would change
    succession = Succession.begin(new, raw, 3000, Recorder(tmp_path / "a.xdf"))
    assert seen == []
    assert succession.succeed(old, raw, 3500) is new
    assert seen == []
    new.push(raw.read(3500, 4000))
    assert seen
    assert min(seen) > 3500

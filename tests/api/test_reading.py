"""Readings by the Python interface: those of the command line, and everything closed afterwards."""

from __future__ import annotations

import gc
import io
import json
import math
import threading

import numpy as np
import pytest
from fakes import INFO, FakeSource, Keep, cut, live, pink
from waiting import until

import app
import realtime_mood as rm
from realtime_mood.cli.config import resolve
from realtime_mood.errors import ConfigError, SourceLost, SourceNotFound, StreamMismatch
from realtime_mood.sinks.jsonlines import JsonLines

URL = "synthetic://?script=neutral:6,positive:8&speed=max&n_chans=8"


@pytest.fixture(scope="module")
def readings() -> list[rm.Estimate | rm.Abstained]:
    return list(rm.read(URL))


def test_they_are_those_of_run_view_json(readings):
    out = io.StringIO()
    engine = app.make_engine(resolve({"source": URL}), [JsonLines(out)])
    with engine:
        assert engine.done.wait(60)
    said = [json.loads(line) for line in out.getvalue().splitlines()]
    said = [line for line in said if line["kind"] != "health"]
    assert len(said) == len(readings) > 50
    for line, reading in zip(said, readings, strict=True):
        assert round(reading.time, 4) == line["t"]
        assert (reading.first, reading.end, reading.readout.name) == (line["first"], line["end"], line["readout"])
        rounded = [round(p, 6) for p in reading.probabilities.values()]
        assert rounded == (line["probs"] or []), line["t"]
        assert getattr(reading, "why", None) is (None if "why" not in line else rm.Why(line["why"]))


def test_a_reading_says_what_it_is_in_one_line(readings):
    first, last = readings[0], readings[-1]
    assert (first.label, first.probabilities) == (None, {})
    assert repr(first) == "Abstained(0.25 s, emotion3: settling)"
    assert list(last.probabilities) == ["negative", "neutral", "positive"]
    assert last.time == 14.0
    if isinstance(last, rm.Estimate):
        assert last.probabilities[last.label] == max(last.probs) == last.confidence
    assert "\n" not in repr(last)
    assert len(repr(last)) < 120


def test_an_open_stream_is_read_once():
    with rm.open_source(URL) as stream:
        assert "8 channels at 256 Hz" in repr(stream)
        assert len(list(rm.read(stream, seconds=2))) == 8
        assert repr(stream).endswith("read by a run)")
        with pytest.raises(ConfigError, match="read already"):
            rm.read(stream)
    with rm.open_source(URL) as stream:
        n = len(stream.read())
        assert repr(stream).endswith(f", {n} samples read)")
        with pytest.raises(ConfigError, match="open the source again"):
            rm.read(stream)


def test_the_run_ends_with_the_loop():
    for _ in rm.read(URL):
        break
    gc.collect()
    assert not [it for it in threading.enumerate() if it.name.startswith("mood-")]


def test_a_with_statement_ends_it_while_the_source_waits_for_the_loop():
    with rm.read(URL) as stream:
        next(stream)
        until(lambda: stream.health.readings >= 40)
    assert not [it for it in threading.enumerate() if it.name.startswith("mood-")]
    assert list(stream) == []


def test_a_live_source_never_waits_and_its_silence_is_said():
    chunks = live(cut(pink(200, 8), [20]))
    stalled = FakeSource(chunks, rm.StreamInfo(INFO.ch_names, INFO.sfreq, paced=True), after=lambda: None)
    with rm.read(stalled) as stream:
        reading = next(it for it in stream if isinstance(it, rm.Abstained) and it.why is rm.Why.STALE)
        assert reading.time >= 1.0
        assert stream.mark("stimulus")


def test_faults_of_the_source_are_raised_by_the_loop():
    with pytest.raises(SourceNotFound, match="no such file"):
        list(rm.read("playback://nowhere.edf"))

    def unplugged() -> None:
        raise SourceLost("fake", "unplugged")

    with pytest.raises(SourceLost, match="unplugged"):
        list(rm.read(FakeSource(cut(pink(400, 8), [40]), after=unplugged)))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"notch": 55}, "notch"),
        ({"device": "tpu"}, "device"),
        ({"weights": "nothing://"}, "no scheme nothing://"),
        ({"profile": "/nowhere.json"}, "no such file"),
        ({"sinks": ["pigeon://x"]}, "pigeon"),
    ],
)
def test_wrong_options_are_said_at_once_and_leave_an_open_stream_as_it_was(options, words):
    with pytest.raises(rm.MoodError, match=words):
        rm.read(URL, **options)
    with rm.open_source(URL) as stream:
        with pytest.raises(rm.MoodError, match=words):
            rm.read(stream, **options)
        assert len(list(rm.read(stream, seconds=1))) == 4


def test_what_is_no_source_is_refused():
    with pytest.raises(ConfigError, match=r"ndarray has no method open\(\).*read_array"):
        rm.open_source(np.zeros((8, 100)))


def test_a_path_is_read_as_fast_as_possible(tmp_path):
    path = rm.record(URL, tmp_path / "a.xdf", seconds=3)
    with rm.open_source(path) as stream:
        assert not stream.info.paced
        assert stream.info.virtual
        assert sum(map(len, stream)) == 768


def test_sinks_and_a_recording_get_every_reading(tmp_path):
    keep = Keep()
    found = list(rm.read(URL, seconds=3, sinks=[keep], record=tmp_path / "run.xdf"))
    assert [it.reading for it in keep.items] == found
    from realtime_mood.recording.reader import open_recorded

    recorded = open_recorded(tmp_path / "run.xdf")
    assert [it["end"] for it in recorded.readings] == [it.end for it in found]
    assert sum(map(len, recorded.chunks())) == 768


def test_a_recording_without_readings_is_no_replay(tmp_path, capsys):
    path = rm.record(URL, tmp_path / "a.xdf", seconds=1)
    assert app.command(["replay", str(path)]) == 3
    assert "without a network" in capsys.readouterr().err


def test_a_recorder_is_a_context_manager(tmp_path):
    with rm.open_source(URL) as stream, rm.Recorder(tmp_path / "b.xdf") as recorder:
        recorder.open(stream.info)
        first = stream.read()
        recorder.take(first)
    with rm.open_source(tmp_path / "b.xdf") as again:
        np.testing.assert_array_equal(np.concatenate([it.data for it in again]), first.data)


def test_a_recording_says_where_it_cannot_go(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match="folder"):
        rm.record(URL, tmp_path / "file" / "a.xdf")


# -- windows and features ------------------------------------------------------------------------------------------


def test_windows_and_features_are_those_of_the_pipeline():
    windows, found = list(rm.windows(URL, seconds=8)), list(rm.features(URL, seconds=8))
    assert [it.end for it in windows] == [64 * k for k in range(1, 33)]
    assert [it.time for it in found] == [0.25 * k for k in range(1, 33)]
    assert found[-1].de.shape == (10, 8, 5)
    np.testing.assert_array_equal([it.quality.scores for it in windows], [it.quality.scores for it in found])
    seconds = list(rm.features(URL, every=1.0, seconds=8))
    assert [it.time for it in seconds] == list(range(1, 9))
    np.testing.assert_array_equal(seconds[-1].de, found[-1].de)


@pytest.mark.parametrize("every", [0.0, 0.3, -1.0, float("nan"), float("inf")])
def test_features_come_by_whole_hops(every):
    with pytest.raises(ConfigError, match="multiple"):
        rm.features(URL, every=every)


def test_chunks_of_a_source_of_ones_own_are_checked():
    broken = FakeSource([rm.Chunk(np.zeros((10, 8)), 5, 0.0)])
    with pytest.raises(StreamMismatch, match="follows sample 0"), rm.open_source(broken) as stream:
        list(stream)


def test_time_of_a_reading_nobody_timed_is_not_made_up():
    assert math.isnan(rm.Abstained(rm.Why.GAP, 0, 10, 0.0, None).time)


def test_an_error_of_the_loops_own_ends_the_run():
    def loop() -> None:
        for reading in rm.read(URL):
            raise RuntimeError(repr(reading))

    with pytest.raises(RuntimeError, match="settling"):
        loop()
    gc.collect()
    until(lambda: not [it for it in threading.enumerate() if it.name.startswith("mood-")])


def test_another_thread_may_end_a_loop_that_waits():
    silent = FakeSource(live(cut(pink(400, 8), [20])), rm.StreamInfo(INFO.ch_names, INFO.sfreq), after=lambda: None)
    found: list[rm.Estimate | rm.Abstained] = []
    stream = rm.read(silent)
    loop = threading.Thread(target=lambda: found.extend(stream))
    loop.start()
    until(lambda: stream.health.readings > 0)
    stream.close()
    loop.join(5)
    assert not loop.is_alive()


def test_a_source_without_pace_is_not_recorded_from_the_middle(tmp_path):
    with rm.read(URL) as readings:
        next(readings)
        assert readings.record(tmp_path) is None
        readings.end_recording()
    assert not list(tmp_path.iterdir())

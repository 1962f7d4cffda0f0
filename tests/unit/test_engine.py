"""Threads, states, staleness and faults, with fakes for device and network."""

from __future__ import annotations

import io
import json
import threading
from dataclasses import replace

import numpy as np
import pytest
from fakes import INFO, FakeNetwork, FakeSource, Keep, cut, live, pink, pipeline
from waiting import until

from realtime_mood.errors import EngineError, EngineStuck, SourceLost, SourceNotFound
from realtime_mood.health import RecordingState
from realtime_mood.run.engine import Engine, State
from realtime_mood.sinks.jsonlines import JsonLines
from realtime_mood.types import Abstained, Estimate, Why

SIGNAL = pink(round(20 * INFO.sfreq), 8)
PACED = replace(INFO, paced=True)


def build(network=None):
    return lambda info: pipeline(info, network)


def whole_run(source, sinks=(), network=None, **options):
    engine = Engine(source, build(network), sinks, **options)
    engine.start()
    until(engine.done.is_set, 20)
    engine.stop()
    return engine


@pytest.mark.parametrize("size", [1, 50, 4000])
def test_a_finite_source_is_read_whole_and_online_equals_offline(size):
    chunks, keep = cut(SIGNAL, [size]), Keep()
    engine = whole_run(FakeSource(chunks), [keep])
    p = pipeline()
    offline = [p.read(w) for c in chunks for w in p.push(c)]
    assert [e.reading.end for e in keep.items] == [r.end for r in offline]
    assert [e.reading.probs for e in keep.items] == [r.probs for r in offline]
    health = engine.health
    assert (health.state, health.samples, health.lost, health.readings, health.skipped) == (State.ENDED, 4000, 0, 80, 0)
    assert keep.health.state is State.ENDED
    assert engine.latest is keep.items[-1].reading


def test_what_a_lost_source_said_comes_out_of_stop_and_nowhere_else():
    def lost():
        raise SourceLost("fake", "unplugged at sample 2000", "plug it in")

    keep = Keep()
    source = FakeSource(cut(SIGNAL[:2000], [100]), after=lost)
    engine = Engine(source, build(), [keep])
    engine.start()
    until(engine.done.is_set)
    assert engine.health.state is State.FAILED
    with pytest.raises(SourceLost, match="sample 2000"):
        engine.stop()
    assert source.streams[0].closed
    assert isinstance(keep.health.fault, SourceLost)


def test_a_source_that_will_not_open():
    class Shut:
        def open(self):
            raise SourceNotFound("stream 'Muse'", "no streams", "switch it on")

    engine = Engine(Shut(), build())
    engine.start()
    until(engine.done.is_set)
    with pytest.raises(SourceNotFound, match="no streams"):
        engine.stop()


def test_stale_within_a_quarter_second_again_every_hop_and_live_again_without_settling():
    """The clock is hand-turned: nothing here depends on how busy the machine is."""
    chunks = cut(SIGNAL, [100])
    held, time, keep = chunks[20:], [10.0], Keep()
    first = [replace(c, t_last=9.99) for c in chunks[:20]]
    source = FakeSource(first, PACED, after=lambda: None)
    engine = Engine(source, build(), [keep], now=lambda: time[0])
    engine.start()
    until(lambda: engine.health.samples == 2000 and engine.latest and engine.latest.end == 2000)
    assert isinstance(engine.latest, Estimate)
    time[0] = 10.9
    assert engine.health.state is State.LIVE
    for now, n in ((11.01, 1), (11.26, 2), (11.51, 3)):
        time[0] = now
        until(lambda n=n: sum(why(e) is Why.STALE for e in keep.items) == n)
    assert engine.health.state is State.STALLED
    assert keep.items[-1].t > keep.items[0].t + 1
    source.streams[0]._chunks += [replace(c, t_last=11.5) for c in held]  # a burst that lost nothing
    until(lambda: engine.latest.end == 4000)
    assert engine.health.state is State.LIVE
    assert not any(why(e) in (Why.GAP, Why.SETTLING) for e in keep.items if e.reading.end > 2000)
    engine.stop()


def test_readings_never_go_back_in_time_when_a_burst_comes_late():
    """What a burst tells of a time that was said to be stale is skipped; what comes after it is read."""
    chunks = [replace(c, t_last=0.5 * k + 0.49) for k, c in enumerate(cut(SIGNAL, [100]))]
    time, keep = [10.0], Keep()
    source = FakeSource(chunks[:20], PACED, after=lambda: None)
    engine = Engine(source, build(), [keep], now=lambda: time[0])
    engine.start()
    until(lambda: engine.latest and engine.latest.end == 2000)
    begun = len(keep.items) - 1
    for n, time[0] in enumerate((11.01, 11.26, 11.51), 1):
        until(lambda n=n: sum(why(e) is Why.STALE for e in keep.items) == n)
    skipped, time[0] = engine.health.skipped, 11.52
    source.streams[0]._chunks += chunks[20:23]
    until(lambda: engine.health.samples == 2300 and engine.health.skipped == skipped + 6)
    time[0] = 12.01
    source.streams[0]._chunks.append(chunks[23])
    until(lambda: engine.latest.end == 2400)
    engine.stop()
    told = keep.items[begun:]
    assert [e.reading.end for e in told] == [2000, 2000, 2000, 2000, 2350, 2400]
    assert [e.t for e in told] == pytest.approx([10.0, 11.01, 11.26, 11.51, 11.75, 12.0])
    assert [e.reading.t_last for e in told] == pytest.approx([9.99, 11.0, 11.25, 11.5, 11.74, 11.99])


def test_a_device_that_paused_and_lost_nothing_is_read_at_once():
    chunks = cut(SIGNAL, [100])
    time, keep = [10.0], Keep()
    source = FakeSource([replace(c, t_last=0.5 * k + 0.49) for k, c in enumerate(chunks[:20])], PACED, lambda: None)
    engine = Engine(source, build(), [keep], now=lambda: time[0])
    engine.start()
    until(lambda: engine.latest and engine.latest.end == 2000)
    time[0] = 15.0
    until(lambda: why(keep.items[-1]) is Why.STALE)
    time[0] = 15.5
    source.streams[0]._chunks.append(replace(chunks[20], t_last=15.49))  # it counts on where it stopped
    until(lambda: engine.latest.end == 2100 and isinstance(engine.latest, Estimate))
    engine.stop()
    assert np.diff([e.t for e in keep.items[-8:]]).min() >= 0


def test_the_old_end_of_a_backlog_is_never_read():
    chunks, time, keep = cut(SIGNAL, [100]), [10.0], Keep()
    source = FakeSource([replace(c, t_last=9.9) for c in chunks[:20]], PACED, after=lambda: None)
    engine = Engine(source, build(), [keep], now=lambda: time[0])
    engine.start()
    until(lambda: engine.latest and engine.latest.end == 2000)
    time[0] = 13.0
    source.streams[0]._chunks.append(replace(chunks[20], t_last=10.5))  # 2.5 s late
    until(lambda: keep.items[-1].reading.end == 2100)
    assert why(keep.items[-1]) is Why.STALE
    source.streams[0]._chunks += [replace(c, t_last=12.9) for c in chunks[21:]]
    until(lambda: engine.latest.end == 4000)
    assert isinstance(engine.latest, Estimate)
    engine.stop()


def test_a_device_that_is_always_late_is_read_all_the_same():
    time = [10.0]
    source = FakeSource([replace(c, t_last=7.0) for c in cut(SIGNAL, [100])], PACED, after=lambda: None)
    engine = Engine(source, build(), now=lambda: time[0])
    engine.start()
    until(lambda: engine.latest and engine.latest.end == 4000)
    assert isinstance(engine.latest, Estimate)
    engine.stop()


def test_a_stream_of_rare_chunks_is_given_three_of_them():
    chunks, time, keep = cut(SIGNAL, [120]), [10.0], Keep()
    source = FakeSource([chunks[0]], PACED, after=lambda: None)
    engine = Engine(source, build(), [keep], now=lambda: time[0])
    engine.start()
    for i in range(1, 15):
        until(lambda i=i: engine.health.samples == 120 * i)
        time[0] = 10 + 0.6 * i
        source.streams[0]._chunks.append(replace(chunks[i], t_last=time[0]))
    until(lambda: engine.latest and engine.latest.end == 1800)
    time[0] += 1.79
    source.streams[0]._chunks.append(replace(chunks[15], t_last=time[0]))  # at the last moment
    until(lambda: engine.latest.end == 1900)
    assert not any(why(e) is Why.STALE for e in keep.items)
    time[0] += 2.0
    until(lambda: why(keep.items[-1]) is Why.STALE)
    engine.stop()


def why(emission):
    return emission.reading.why if isinstance(emission.reading, Abstained) else None


def test_old_windows_are_skipped_and_counted_but_the_newest_is_read():
    chunks = live(cut(SIGNAL, [4000]))  # 20 s in one burst
    engine = Engine(FakeSource(chunks, PACED, after=lambda: None), build())
    engine.start()
    until(lambda: engine.latest and engine.latest.end == 4000)
    engine.stop()
    assert engine.health.readings + engine.health.skipped == 80
    assert engine.health.skipped >= 75


def test_a_failing_network_costs_readings_not_the_run():
    calls = iter(range(10**6))

    def trouble():
        if next(calls) % 2:
            raise RuntimeError("out of memory")

    engine = whole_run(FakeSource(cut(SIGNAL, [100])), network=FakeNetwork(trouble=trouble))
    assert engine.health.state is State.ENDED
    assert engine.health.skipped == 24  # every other of the 49 estimates
    assert "out of memory" in engine.health.notes[0]


def test_a_failing_sink_is_let_go_and_the_others_go_on():
    class Broken(Keep):
        def put(self, emission):
            raise OSError("disk full")

    keep = Keep()
    engine = whole_run(FakeSource(cut(SIGNAL, [100])), [Broken(), keep])
    assert len(keep.items) == 80
    assert any("disk full" in note for note in engine.health.notes)


def test_a_stuck_source_is_named():
    hang = threading.Event()
    engine = Engine(FakeSource(cut(SIGNAL, [100]), PACED, after=hang.wait), build())
    engine.start()
    until(lambda: engine.health.samples == 4000)
    with pytest.raises(EngineStuck, match="mood-acquire"):
        engine.stop(timeout=0.2)
    hang.set()
    engine.stop()


def test_start_twice_and_start_again():
    engine = Engine(FakeSource(cut(SIGNAL, [100]), PACED, after=lambda: None), build())
    for _ in range(2):
        engine.start()
        with pytest.raises(EngineError, match="idle"):
            engine.start()
        until(lambda: engine.health.samples == 4000)
        engine.stop()
        assert engine.health.state is State.IDLE


def test_json_lines_keep_the_contract():
    out = io.StringIO()
    whole_run(FakeSource(cut(SIGNAL, [100])), [JsonLines(out)])
    *lines, last = map(json.loads, out.getvalue().splitlines())
    assert len(lines) == 80
    estimates = [line for line in lines if line["kind"] == "estimate"]
    assert set(estimates[0]) >= {
        "kind", "t", "first", "end", "readout", "labels", "probs", "confidence", "calibrated", "virtual", "quality",
        "coverage", "sample_age_ms", "latency_ms",
    }  # fmt: skip
    assert all(line["t"] == pytest.approx(line["end"] / INFO.sfreq, abs=1e-4) for line in lines)
    assert estimates[-1]["first"] == estimates[-1]["end"] - 2000
    assert {line["why"] for line in lines if line["kind"] == "abstained"} == {"settling"}
    assert last["kind"] == "health"
    assert (last["samples"], last["lost"], last["readings"], last["skipped"], last["fault"]) == (4000, 0, 80, 0, None)
    assert set(last["latency_ms"]) == {"p50", "p95", "p99"}
    assert np.isfinite(list(last["latency_ms"].values())).all()


class Tape(Keep):
    """A tap that keeps everything, and can have trouble."""

    def __init__(self):
        super().__init__()
        self.info, self.chunks, self.marks, self.trouble = None, [], [], ""

    def open(self, info):
        self.info = info

    def take(self, chunk):
        self.chunks.append(chunk)

    def mark(self, marker, t):
        self.marks.append(marker)

    @property
    def recording(self):
        return RecordingState("tape", sum(chunk.data.nbytes for chunk in self.chunks), self.trouble)


def test_a_tap_gets_every_chunk_even_while_the_pipeline_stands_still():
    hang, tape = threading.Event(), Tape()
    source = FakeSource(cut(SIGNAL, [100]), PACED, after=lambda: None)
    engine = Engine(source, build(FakeNetwork(trouble=lambda: hang.wait(10))), [tape])
    engine.start()
    until(lambda: sum(map(len, tape.chunks)) == 4000)
    until(lambda: engine.health.recording and engine.health.recording.n_bytes == SIGNAL.nbytes)
    tape.trouble = "the disk is full"
    until(lambda: "the disk is full" in engine.health.notes)
    hang.set()
    engine.stop()
    assert tape.info is PACED
    assert tape.health.samples == 4000


def test_seconds_end_a_run_to_the_sample():
    tape = Tape()
    whole_run(FakeSource(cut(SIGNAL, [300])), [tape], seconds=5.003)
    assert sum(map(len, tape.chunks)) == 1001


def test_a_marker_lands_on_the_sample_of_its_time():
    chunks, tape = live(cut(SIGNAL, [100])), Tape()
    engine = Engine(FakeSource(chunks, PACED, after=lambda: None), build(), [tape])
    assert not engine.mark("too early")
    engine.start()
    until(lambda: engine.health.samples == 4000)
    assert engine.mark("now")
    assert engine.mark("then", chunks[-1].t_last - 1.5)
    assert not engine.mark("before the signal", chunks[-1].t_last - 25)
    engine.stop()
    assert [(m.index, m.text) for m in tape.marks] == [(3999, "now"), (3699, "then")]
    assert engine.markers == tuple(tape.marks)


@pytest.mark.parametrize("again", [True, False])
def test_a_failing_pipeline_is_made_anew_and_without_one_the_run_goes_on(again):
    """The window of sample 2000 breaks it: once, or every pipeline there is."""
    tape, made = Tape(), []

    def failing(info):
        p = pipeline(info)
        made.append(p)
        if len(made) > 1 and not again:
            raise MemoryError("no memory left")
        push = p.push

        def first_breaks(chunk):
            if len(made) == 1 and chunk.end > 2000:
                raise ValueError("a bug of ours")
            return push(chunk)

        p.push = first_breaks
        return p

    time = [10.0]
    chunks = [replace(c, t_last=9.99) for c in cut(SIGNAL, [100])]
    engine = Engine(FakeSource(chunks, PACED, after=lambda: None), failing, [tape], now=lambda: time[0])
    engine.start()
    until(lambda: engine.health.samples == 4000)
    until(lambda: len(made) == 2)
    time[0] = 12.0
    until(lambda: tape.items and why(tape.items[-1]) is Why.STALE)
    assert "a bug of ours" in engine.health.notes[0]
    assert any("readings stopped" in note for note in engine.health.notes) is not again
    engine.stop()
    assert engine.health.fault is None
    assert sum(map(len, tape.chunks)) == 4000


def test_state_goes_out_with_every_reading():
    keep = Keep()
    whole_run(FakeSource(cut(SIGNAL, [100])), [keep])
    assert {e.state for e in keep.items} == {State.LIVE}

"""The life of a run's sinks: opened before it, fed, let go of when they fail, closed within one deadline, and again."""

from __future__ import annotations

import io
import json
import math
import threading
from dataclasses import replace
from itertools import count

import numpy as np
import pytest
from fakes import INFO, FakeNetwork, FakeSource, Keep, cut, live, pink, pipeline
from waiting import until

from realtime_mood import clock
from realtime_mood.aux_ring import AuxRing
from realtime_mood.auxiliary import AuxChunk, AuxInfo, SenderClock
from realtime_mood.errors import SourceNotFound
from realtime_mood.health import Health, Vitals
from realtime_mood.recording import recorder
from realtime_mood.run import processing
from realtime_mood.run.delivery import LAST_S, OUTPUTS_SHARE, Delivery
from realtime_mood.run.engine import Engine, State
from realtime_mood.sinks import outbox
from realtime_mood.sinks.jsonlines import JsonLines, to_json
from realtime_mood.sinks.outbox import Outbox
from realtime_mood.types import Marker

SIGNAL = pink(round(20 * INFO.sfreq), 8)
PACED = replace(INFO, paced=True)


def finite(sinks, network=None):
    engine = Engine(FakeSource(cut(SIGNAL, [100])), lambda info: pipeline(info, network), sinks)
    engine.start()
    until(engine.done.is_set, 20)
    engine.stop()
    return engine


def endless(sinks, **options):
    source = FakeSource(live(cut(SIGNAL, [100])), PACED, after=lambda: None)
    return Engine(source, pipeline, sinks, **options)


class Tap(Keep):
    """A tap that keeps what it gets, and fails where it is asked to."""

    recording = None

    def __init__(self, fails=lambda what, n: False):
        super().__init__()
        self.fails, self.chunks, self.marks, self.n_closed = fails, [], [], 0
        self.n = dict.fromkeys(("open", "take", "put", "mark", "close"), 0)

    def _count(self, what):
        self.n[what] += 1
        if self.fails(what, self.n[what]):
            raise ValueError(f"my {what} failed")

    def open(self, info):
        self._count("open")

    def take(self, chunk):
        self._count("take")
        self.chunks.append(chunk)

    def mark(self, marker, t):
        self._count("mark")

    def put(self, emission):
        self._count("put")
        super().put(emission)

    def close(self, health):
        super().close(health)
        self._count("close")


@pytest.mark.parametrize("what", ["open", "take", "put", "close"])
def test_a_tap_that_fails_degrades_and_the_run_goes_on(what):
    tap, keep = Tap(lambda it, n: it == what), Keep()
    engine = finite([tap, keep])
    health = engine.health
    assert (health.state, health.fault, health.samples, health.readings) == (State.ENDED, None, 4000, 80)
    assert len(keep.items) == 80
    assert tap.n["close"] == 1
    assert health.faults == {"open": 1, "close": 1}.get(what, 5)
    assert any(f"my {what} failed" in note for note in health.notes)


def test_a_single_failure_costs_one_chunk_or_reading():
    tap = Tap(lambda what, n: what in ("take", "put") and n == 3)
    engine = finite([tap])
    assert (len(tap.chunks), len(tap.items), tap.n["close"]) == (39, 79, 1)
    assert engine.health.faults == 2
    assert tap.health.state is State.ENDED


class Prepared(Keep):
    """A sink that is opened before the source, if it can be."""

    def __init__(self, events, fails=False):
        super().__init__()
        self.events, self.fails, self.n_closed = events, fails, 0

    def prepare(self):
        self.events.append("prepare")
        if self.fails:
            raise OSError("the port is taken")

    def close(self, health):
        super().close(health)
        self.n_closed += 1


def test_outputs_are_opened_before_the_source_and_one_that_cannot_be_is_closed_and_said():
    events = []

    class Opening(FakeSource):
        def open(self):
            events.append("open")
            return super().open()

    good, bad = Prepared(events), Prepared(events, fails=True)
    engine = Engine(Opening(cut(SIGNAL, [100])), pipeline, [bad, good])
    for run in (1, 2):
        engine.start()
        until(engine.done.is_set, 20)
        engine.stop()
        assert events == ["prepare", "prepare", "open"]
        events.clear()
        assert (len(good.items), good.n_closed, bad.items, bad.n_closed) == (80 * run, run, [], run)
        assert engine.health.notes == ("Prepared failed: the port is taken",)


def test_outputs_are_closed_where_the_source_will_not_open():
    class Shut:
        def open(self):
            raise SourceNotFound("stream 'Muse'", "no streams", "switch it on")

    sink, tap = Prepared([]), Tap()
    engine = Engine(Shut(), pipeline, [sink, tap])
    engine.start()
    until(engine.done.is_set)
    assert (sink.n_closed, tap.n["close"], tap.n["open"]) == (1, 1, 0)
    with pytest.raises(SourceNotFound):
        engine.stop()


class Hangs(Outbox[object]):
    """An output whose receiver takes nothing, and never answers."""

    def __init__(self, name, hang):
        super().__init__(name)
        self.hang, self.delivered, self.n_shut = hang, 0, 0

    def deliver(self, item):
        self.delivered += 1
        self.hang.wait(20)

    def shut(self):
        self.n_shut += 1


def test_outputs_that_hang_are_closed_side_by_side_named_and_no_fault_of_the_run():
    hang, out, keep = threading.Event(), io.StringIO(), Keep()
    hanging = [Hangs(name, hang) for name in "abc"]
    engine = endless([JsonLines(out), *hanging, keep])
    engine.start()
    until(lambda: all(it.delivered for it in hanging) and engine.health.samples == 4000)
    began = clock.now()
    engine.stop(timeout=4.0)  # each takes a second: one after the other there would be no time for it
    assert clock.now() - began < 3.9
    last = json.loads(out.getvalue().splitlines()[-1])
    assert last["kind"] == "health"
    for name in "abc":
        assert any(note.startswith(f"{name}: a delivery hangs") for note in last["notes"])
    assert keep.health is not None
    hang.set()
    until(lambda: all(it.n_shut == 1 for it in hanging))


class Stuck(Keep):
    """A plain sink that does not return."""

    def __init__(self, hang):
        super().__init__()
        self.hang = hang

    def put(self, emission):
        super().put(emission)
        self.hang.wait(20)


class StuckTap(Tap):
    def __init__(self, hang):
        super().__init__()
        self.hang = hang

    def take(self, chunk):
        super().take(chunk)
        self.hang.wait(20)


@pytest.mark.parametrize(("kind", "thread"), [(Stuck, "mood-process"), (StuckTap, "mood-acquire")])
def test_a_sink_that_holds_a_thread_is_left_behind_by_name_and_the_others_are_closed(kind, thread):
    hang, keep = threading.Event(), Tap()
    engine = endless([keep, stuck := kind(hang)])
    engine.start()
    until(lambda: stuck.items or getattr(stuck, "chunks", []))
    engine.stop(timeout=1.0)
    assert engine.done.is_set()
    assert keep.n["close"] == 1
    assert f"{kind.__name__} did not return, and {thread} was abandoned in it" in engine.health.notes
    hang.set()


def test_a_slow_sink_is_said_by_name_while_it_makes_readings_late():
    time = [10.0]

    class Slow(Keep):
        def put(self, emission):
            super().put(emission)
            time[0] += 0.3 if len(self.items) <= 10 else 0.0

    slow = Slow()
    source = FakeSource([replace(c, t_last=9.9) for c in cut(SIGNAL, [50])][:8], PACED, after=lambda: None)
    engine = Engine(source, pipeline, [Keep(), slow], now=lambda: time[0])
    engine.start()
    note = "Slow: takes 300 ms of the 250 ms between readings: some are skipped"
    until(lambda: len(slow.items) >= 8)
    until(lambda: note in engine.health.notes)
    (output,) = engine.health.outputs
    assert output.trouble
    for _ in range(12):  # stale readings, one for each quarter of a second
        n, time[0] = len(slow.items), time[0] + 0.26
        until(lambda n=n: len(slow.items) > n)
    until(lambda: not engine.health.outputs)
    engine.stop()


def test_a_reading_that_is_no_number_is_null_and_the_view_goes_on():
    calls = iter(range(10**6))
    network = FakeNetwork()
    network.trouble = lambda: setattr(network, "probs", (math.nan, math.nan) if next(calls) == 5 else (0.2, 0.8))
    out = io.StringIO()
    engine = finite([JsonLines(out)], network)
    lines = [json.loads(line) for line in out.getvalue().splitlines()]
    assert len(lines) == 81
    assert lines[-1]["kind"] == "health"
    assert lines[-1]["faults"] == engine.health.faults == 1
    assert [line["probs"] for line in lines[:-1]].count([None, None]) == 1
    assert "NaN" not in out.getvalue()


def test_json_has_null_for_what_is_no_number():
    import numpy as np

    line = {
        "a": math.nan,
        "b": [math.inf, 1.0],
        "c": {"d": -math.inf},
        "e": np.float32(2.5),
        "f": np.array([1.0, np.nan]),
    }
    assert json.loads(to_json(line)) == {"a": None, "b": [None, 1.0], "c": {"d": None}, "e": 2.5, "f": [1.0, None]}
    assert json.loads(to_json({"e": np.float32(2.5), "n": np.int64(3)})) == {"e": 2.5, "n": 3}
    with pytest.raises(TypeError, match="object cannot be written as JSON"):
        to_json({"x": object()})


def test_counts_of_a_run_begin_at_zero():
    hang = threading.Event()
    hang.set()
    box = Hangs("box", hang)
    for _ in range(2):
        box.prepare()
        for item in range(3):
            box.put(item)
        box.close(Health())
        assert (box.output.sent, box.output.dropped) == (3, 0)


def test_closing_a_run_leaves_outputs_and_recordings_the_time_to_say_that_they_hang():
    within = OUTPUTS_SHARE * (processing.CLOSE_S - LAST_S)
    assert within > 1.5 * max(outbox.CLOSE_S, recorder.CLOSE_S)


class JoiningTap(Tap):
    """A tap that can be added in the middle of a run, and keeps the streams beside the EEG."""

    def __init__(self):
        super().__init__()
        self.aux, self.markers = [], []

    def join(self, first, begun): ...

    def begin(self, before):
        self.chunks += before.chunks
        self.aux += before.beside
        self.markers += [marker for marker, _ in before.ahead]

    def mark(self, marker, t):
        super().mark(marker, t)
        self.markers.append(marker)

    def take_aux(self, info, chunk):
        self.aux.append((info, chunk))


def test_a_tap_that_is_added_gets_what_came_before_and_the_markers_ahead_alone():
    there, added = Tap(), JoiningTap()
    delivery = Delivery([there], Vitals(clock.now), clock.now)
    delivery.open(INFO)
    chunks = cut(SIGNAL[:300], [100])
    delivery.add(added, INFO, 0.0, lambda: (chunks, [(Marker(400, "ahead"), 5.0)]))
    assert (added.n["open"], added.chunks, len(added.markers)) == (1, chunks, 1)
    assert (there.chunks, there.n["mark"]) == ([], 0)  # it has had them
    delivery.mark(Marker(500, "later"), 6.0)
    assert (added.n["mark"], there.n["mark"]) == (1, 1)
    delivery.close(lambda: clock.now() + 1.0)
    assert (added.n["close"], there.n["close"]) == (1, 1)


def test_a_thread_that_is_late_with_what_a_new_tap_has_already_gives_it_nothing_twice():
    info, added, marker = AuxInfo("fake://x", "x", "Gaze", ("x",), ("",), 100.0), JoiningTap(), Marker(5, "late")
    ring = AuxRing(info)
    delivery = Delivery([], Vitals(clock.now), clock.now, lambda: [ring])
    delivery.open(INFO)

    def chunk(first):
        rows = np.arange(first, first + 3)
        return AuxChunk(rows[:, None].astype(np.float32), rows / 1e2, rows / 1e2, first, SenderClock(0.0, 0.0))

    for first in (0, 3):
        ring.write(chunk(first))
    delivery.add(added, INFO, 0.0, lambda: ([], [(marker, 0.05)]))
    delivery.take_aux(info, chunk(3))  # the threads of the stream and of the marker go on only now
    delivery.mark(marker, 0.05)
    for first in (6, 9):
        delivery.take_aux(info, chunk(first))
    assert np.concatenate([it.values[:, 0] for _, it in added.aux]).tolist() == list(range(12))
    assert len(added.markers) == 1


def test_what_comes_from_many_threads_while_a_tap_is_added_reaches_it_once_and_in_order():
    infos = [AuxInfo(f"fake://{k}", str(k), "Gaze", ("x",), ("",), 1000.0) for k in range(12)]
    rings, markers, added = [AuxRing(info) for info in infos], [], JoiningTap()
    delivery = Delivery([], Vitals(clock.now), clock.now, lambda: rings)
    delivery.open(INFO)
    begun, off = threading.Barrier(len(rings) + 1), threading.Event()

    def send(ring):
        for n in count(0, 3):
            rows = np.arange(n, n + 3)
            chunk = AuxChunk(
                rows[:, None].astype(np.float32), rows / 1e3, rows / 1e3 + 7, n, SenderClock(n / 1e3, -7.0)
            )
            marker = Marker(n, ring.info.name)
            markers.append(marker)
            delivery.mark(marker, n / 1e3)
            ring.write(chunk)
            delivery.take_aux(ring.info, chunk)
            if n == 600:
                begun.wait()
            if off.is_set() or n > 3e4:
                return

    threads = [threading.Thread(target=send, args=(ring,)) for ring in rings]
    for thread in threads:
        thread.start()
    begun.wait()
    delivery.add(added, INFO, 0.1, lambda: ([], [(it, 0.0) for it in tuple(markers)]))
    off.set()
    for thread in threads:
        thread.join()
    for info, ring in zip(infos, rings, strict=True):
        parts = [chunk for it, chunk in added.aux if it == info]
        sent = np.arange(100, ring.chunks(0.0)[-1].end)
        np.testing.assert_array_equal(np.concatenate([it.values[:, 0] for it in parts]), sent)
        np.testing.assert_array_equal(np.concatenate([it.sent for it in parts]), sent / 1e3 + 7)
        assert [it.first for it in parts[1:]] == [it.end for it in parts[:-1]]
    assert len(added.markers) == len({id(it) for it in added.markers}) == len(markers)

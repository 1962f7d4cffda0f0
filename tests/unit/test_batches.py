"""Windows of a stream without pace are read in batches: the same readings in order, and one failure costs no other."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
from fakes import INFO, POPULATION, FakeNetwork, FakeSource, Keep, cut, live, pink, pipeline
from waiting import until

from realtime_mood.errors import StreamEnded
from realtime_mood.pipeline import BATCH
from realtime_mood.recording.reader import open_recorded
from realtime_mood.recording.recorder import Recorder
from realtime_mood.recording.replay import replay
from realtime_mood.run.engine import Engine, State
from realtime_mood.types import Why

SIGNAL = pink(round(20 * INFO.sfreq), 8)


class BatchingNetwork(FakeNetwork):
    """Probabilities depend on the features, and in the last digits on the size of the batch."""

    population = POPULATION

    def __init__(self, fails_at: float = np.inf) -> None:
        super().__init__()
        self.sizes, self.threads, self._fails_at = [], set(), fails_at

    def __call__(self, features):
        return self.many([features])[0]

    def many(self, features):
        self.sizes.append(len(features))
        self.threads.add(threading.current_thread().name)
        if any(it.time == self._fails_at for it in features):
            raise RuntimeError("no memory")
        p = [float(0.6 + 0.3 * np.tanh(np.abs(it.de).mean() - 1) + 1e-6 * len(features)) for it in features]
        return [((p, 1 - p), np.full(it.de.shape[1:], 1 / 8, np.float32)) for p, it in zip(p, features, strict=True)]


def run(network, sinks=(), *, paced=False, size=50):
    keep = Keep()
    chunks = cut(SIGNAL, [size])
    source = FakeSource(live(chunks) if paced else chunks, replace(INFO, paced=paced))
    engine = Engine(source, lambda info: pipeline(info, network), [*sinks, keep])
    engine.start()
    until(engine.done.is_set, 20)
    engine.stop()
    assert engine.health.state is State.ENDED
    return engine, [e.reading for e in keep.items]


def test_batches_give_the_same_readings_in_order():
    network, p = BatchingNetwork(), pipeline(INFO, BatchingNetwork())
    one_by_one = [p.read(w) for c in cut(SIGNAL, [50]) for w in p.push(c)]
    engine, readings = run(network)
    assert [(r.end, type(r)) for r in readings] == [(r.end, type(r)) for r in one_by_one]
    for one, other in zip(readings, one_by_one, strict=True):
        np.testing.assert_allclose(one.probs or (), other.probs or (), rtol=0, atol=1e-5)
    assert engine.latest is readings[-1]
    assert all(name.startswith("mood-read") for name in network.threads)
    assert max(network.sizes) == BATCH
    assert not [it for it in threading.enumerate() if it.name.startswith("mood-read")]


def test_the_numbers_do_not_depend_on_how_the_stream_is_cut():
    (_, one), (_, other) = (run(BatchingNetwork(), size=size) for size in (50, 4000))
    assert [r.probs for r in one] == [r.probs for r in other]


def test_a_live_stream_is_read_window_by_window():
    network = BatchingNetwork()
    run(network, paced=True, size=4000)
    assert set(network.sizes) == {1}
    assert network.threads == {"mood-process"}


def test_one_window_that_fails_costs_no_other_of_its_batch():
    engine, readings = run(BatchingNetwork(fails_at=15.25))
    assert (engine.health.skipped, engine.health.faults) == (1, 1)
    assert engine.health.notes[-1] == "a reading failed: no memory"
    expected = [50 * k for k in range(1, 81) if 50 * k != 15.25 * INFO.sfreq]
    assert [r.end for r in readings if getattr(r, "why", None) is not Why.STALE] == expected


def test_a_recording_of_batches_replays_to_the_last_digit(tmp_path: Path):
    run(BatchingNetwork(), [Recorder(tmp_path / "a.xdf", {"batch": BATCH})])
    recorded = open_recorded(tmp_path / "a.xdf")
    again = replay(recorded, lambda info: pipeline(info, BatchingNetwork()))
    assert again.identical, str(again)
    alone = replay(replace(recorded, about={}), lambda info: pipeline(info, BatchingNetwork()))
    assert 0 < alone.largest <= 1e-5


def test_a_source_that_waits_for_its_readings_gets_them():
    keep, chunks = Keep(), cut(SIGNAL, [50])

    def waiting():
        until(lambda: len(keep.items) == 80)
        raise StreamEnded("fake", "played to its end")

    engine = Engine(FakeSource(chunks, after=waiting), lambda info: pipeline(info, BatchingNetwork()), [keep])
    engine.start()
    until(engine.done.is_set, 20)
    engine.stop()
    assert len(keep.items) == 80

"""Parts of other packages that break during a run: every sample is acquired and recorded, and the part is named."""

from __future__ import annotations

import threading
import time
from dataclasses import replace

import numpy as np
import pytest
from fakes import FakeNetwork

from realtime_mood import app, clock
from realtime_mood.cli.config import resolve
from realtime_mood.entropy import Population
from realtime_mood.errors import SourceNotFound, StreamEnded, StreamMismatch
from realtime_mood.health import State
from realtime_mood.recording.reader import open_recorded
from realtime_mood.sources import open_source
from realtime_mood.testing import pink, until
from realtime_mood.testing.parts import EIGHT
from realtime_mood.types import Abstained, Chunk, Estimate, StreamInfo, Why

SOURCE = "synthetic://?n_chans=8&speed=max"


@pytest.fixture
def let_go():
    """An event that hanging parts wait for; set at the end of the test."""
    event = threading.Event()
    yield event
    event.set()


def run(tmp_path, seconds=3, **options):
    """A run to its end; its health, and how many samples are in the recording."""
    engine = app.make_engine(resolve({"source": SOURCE, "seconds": seconds, "record": tmp_path / "a.xdf", **options}))
    engine.start()
    until(engine.done.is_set, 30)
    engine.stop(6)
    return engine.health, sum(map(len, open_recorded(tmp_path / "a.xdf").chunks()))


class Sink:
    """Fails, or hangs, in one of its methods."""

    def __init__(self, where, work):
        self.recording = None
        for name in ("prepare", "open", "take", "mark", "put", "close"):
            setattr(self, name, work if name == where else lambda *args: None)


@pytest.mark.parametrize("where", ["prepare", "open", "take", "put", "close"])
@pytest.mark.parametrize("hangs", [False, True])
def test_a_sink(registered, tmp_path, let_go, where, hangs):
    def work(*args):
        if hangs:
            let_go.wait(20)
        else:
            raise ValueError(f"broken in {where}")

    registered("sinks", "mine", lambda target: Sink(where, work))
    health, recorded = run(tmp_path, sink="mine://x")
    assert health.samples == recorded == 768
    assert health.readings == 12
    assert any("mine://x" in note and (hangs or f"broken in {where}" in note) for note in health.notes), health.notes


class Weights:
    """A network that fails, or says what is none."""

    def __init__(self, answer):
        self.answer = answer

    def network(self, info, readout, profile):
        network = FakeNetwork()
        network.population = Population(np.full(5, 2.5), np.full(5, 0.3))
        if isinstance(self.answer, str):
            delattr(network, self.answer)
        network.trouble = self.answer
        return network


def fails():
    raise ZeroDivisionError("no chance")


@pytest.mark.parametrize(("make", "words"), [
    (lambda target: Weights(fails), "network 'mine' of this program · it failed: ZeroDivisionError: no chance"),
    (lambda target: Weights("population"), "its network has no population"),
    (lambda target: object(), "it made no network: AttributeError"),
    (lambda target: fails(), "cannot be made: ZeroDivisionError"),
])  # fmt: skip
def test_a_network(registered, tmp_path, make, words):
    registered("networks", "mine", make)
    health, recorded = run(tmp_path, seconds=12, weights="mine://x")
    assert health.samples == recorded == 12 * 256
    assert any(words in note for note in health.notes), health.notes


@pytest.mark.parametrize(("measure", "kind"), [(lambda: 1.5, Abstained), (lambda: 0.5, Estimate), (fails, Abstained)])
def test_a_network_that_measures_what_is_unfamiliar(registered, tmp_path, measure, kind):
    class Knowing(Weights):
        def network(self, info, readout, profile):
            network = super().network(info, readout, profile)
            network.unfamiliarity = lambda features, normal: measure()
            return network

    registered("networks", "mine", lambda target: Knowing(lambda: None))
    engine = app.make_engine(resolve({"source": SOURCE, "seconds": 12, "weights": "mine://x"}))
    engine.start()
    until(engine.done.is_set, 30)
    engine.stop(6)
    assert isinstance(engine.latest, kind)
    assert kind is Estimate or (engine.latest.why is Why.UNFAMILIAR) == (measure is not fails)
    assert any("no chance" in note for note in engine.health.notes) == (measure is fails)


class Headset:
    """A device of 8 channels; each connection fails after some samples."""

    connections = 0

    def __init__(self, target):
        self.target = target

    def open(self):
        type(self).connections += 1
        return Connection(self.connections)


class Connection:
    info = StreamInfo(EIGHT, 200.0, name="mine")

    def __init__(self, number):
        self.number, self.end, self.noise = number, 0, pink(400, 8)

    def read(self, timeout):
        if self.end >= 100 and self.number == 1:
            raise ValueError("a byte was lost")
        if self.end >= 200:
            raise StreamEnded("mine", "switched off")
        time.sleep(0.1)
        rows = self.noise[self.end : self.end + 20]
        self.end += 20
        return Chunk(rows, self.end - 20, clock.now())

    def close(self):
        raise OSError("bad handle")


def test_a_source_whose_read_fails_is_opened_again(registered, tmp_path):
    registered("sources", "mine", Headset)
    engine = app.make_engine(resolve({"source": "mine://x", "record": tmp_path / "a.xdf"}))
    engine.start()
    until(engine.done.is_set, 30)
    engine.stop()
    assert engine.health.state is State.ENDED
    assert 270 <= engine.health.samples <= 300  # what a time was stamped twice is not counted twice
    assert any("source 'mine' of this program: reading failed: ValueError" in note for note in engine.health.notes)
    assert any("failed while closing: bad handle" in note for note in engine.health.notes)


class Wrong(Headset):
    stream = None

    def open(self):
        return self.stream


@pytest.mark.parametrize(("changes", "words"), [
    ({"info": None}, "no `info`"), ({"close": None}, r"no method close\(\)"),
    ({"info": replace(Connection.info, ch_names=("EEG1",) * 8)}, "not a 10-05 electrode"),
])  # fmt: skip
def test_a_source_of_the_wrong_shape_is_refused(registered, changes, words):
    stream = Connection(2)
    for name, value in changes.items():
        setattr(stream, name, value)
    registered("sources", "mine", type("Wrong", (Wrong,), {"stream": stream}))
    with pytest.raises(StreamMismatch, match=f"source 'mine' of this program · its stream has .*{words}"):
        open_source("mine://x").open()


def test_what_a_source_raises_on_purpose_is_passed_on(registered):
    class Away(Headset):
        def open(self):
            raise SourceNotFound("mine", "switched off", "switch it on")

    registered("sources", "mine", Away)
    with pytest.raises(SourceNotFound, match="switched off"):
        open_source("mine://x").open()

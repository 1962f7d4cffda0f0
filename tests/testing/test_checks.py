"""Each check fails a part that is wrong in the way it is there to find, and says what was asked, found, and to do."""

from __future__ import annotations

import threading
import time
from dataclasses import replace

import numpy as np
import pytest
from fakes import FakeNetwork

from realtime_mood import clock
from realtime_mood.errors import SourceLost, SourceNotFound
from realtime_mood.health import Output
from realtime_mood.testing import (
    FakeHeadset,
    Violation,
    check_measure,
    check_network,
    check_sink,
    check_source,
    cut,
    pink,
    sources,
    waiting,
)
from realtime_mood.testing.parts import EIGHT, INFO
from realtime_mood.types import Chunk, Marker, Readout

CHUNKS = cut(pink(600, 8), (30, 0, 60))


@pytest.fixture(autouse=True)
def short_deadlines(monkeypatch):
    monkeypatch.setattr(waiting, "THREADS_S", 0.2)
    monkeypatch.setattr(sources, "AWAY_S", 0.5)


@pytest.fixture
def background():
    """Starts threads that outlive a part, and ends them with the test."""
    over = threading.Event()
    threads: list[threading.Thread] = []

    def start() -> None:
        threads.append(threading.Thread(target=over.wait, daemon=True))
        threads[-1].start()

    yield start
    over.set()
    for thread in threads:
        thread.join()


# -- sources ----------------------------------------------------------------------------------------------------


def played(**changes):
    """The script with one chunk that is another one."""
    chunks = list(CHUNKS)
    chunks[3] = replace(chunks[3], **changes)
    return FakeHeadset(chunks)


class Spoiled(FakeHeadset):
    """A headset whose stream is spoiled when it is opened."""

    def __init__(self, spoil):
        super().__init__(CHUNKS)
        self.spoil = spoil

    def open(self):
        stream = super().open()
        self.spoil(stream)
        return stream


def gives(value):
    return Spoiled(lambda stream: setattr(stream, "read", lambda timeout: value))


def closes_once(stream):
    def close():
        if stream.closed:
            raise OSError("bad handle")
        stream.closed = True

    stream.close = close


def raises(error):
    def work(*args):
        raise error

    return work


WALL = replace(INFO, paced=True)
SOURCES = {
    "a name that is no electrode": (lambda: FakeHeadset(CHUNKS, replace(INFO, ch_names=("EEG1", *EIGHT[1:]))), "10-05"),
    "a name twice": (lambda: FakeHeadset(CHUNKS, replace(INFO, ch_names=("Cz",) * 8)), "name twice"),
    "no rate": (lambda: FakeHeadset(CHUNKS, replace(INFO, sfreq=0.0)), "sampling rate"),
    "too few columns": (lambda: played(data=CHUNKS[3].data[:, :7]), r"shape \(n_times, 8\)"),
    "samples that are skipped": (lambda: played(first=CHUNKS[3].first + 5), "follows sample"),
    "samples sent twice": (lambda: played(first=CHUNKS[3].first - 5), "follows sample"),
    "a loss that is not counted": (lambda: played(lost=3), "follows sample"),
    "a negative loss": (lambda: played(lost=-3, first=CHUNKS[3].first - 3), "lost"),
    "stamps that go back": (lambda: played(t_last=-9.0), "rises"),
    "a stamp that is no number": (lambda: played(t_last=float("nan")), "t_last"),
    "stamps on the wall clock": (lambda: FakeHeadset(cut(pink(600, 8), (60,), t0=time.time()), WALL), "monotonic"),
    "a marker before the first sample": (lambda: played(markers=(Marker(-2, "x"),)), "markers"),
    "volts": (lambda: FakeHeadset(cut(1e-6 * pink(600, 8), (60,))), "looks like volts"),
    "counts": (lambda: FakeHeadset(cut(1e5 * pink(600, 8), (60,))), "counts"),
    "something else than chunks": (lambda: gives([1.0]), "returned a list"),
    "no samples": (lambda: FakeHeadset([]), "none before"),
    "a read that hangs": (lambda: Spoiled(lambda s: setattr(s, "read", lambda t: time.sleep(0.7))), "has not returned"),
    "a read that fails": (lambda: Spoiled(lambda s: setattr(s, "read", raises(OSError("gone")))), "OSError: gone"),
    "a close that fails the second time": (lambda: Spoiled(closes_once), "second time"),
    "nothing on opening": (lambda: Nothing(CHUNKS), "returned None"),
}


class Nothing(FakeHeadset):
    def open(self):
        return None


@pytest.mark.parametrize("name", SOURCES)
def test_a_wrong_source_fails(name, monkeypatch):
    make, words = SOURCES[name]
    if "hangs" in name:
        monkeypatch.setattr(sources, "READ_S", 0.2)
    with pytest.raises(Violation, match=words) as found:
        check_source(make)
    assert str(found.value).count(" · ") >= 2


def test_a_source_that_leaves_a_thread_behind_fails(background):
    with pytest.raises(Violation, match="threads still run"):
        check_source(lambda: Spoiled(lambda stream: background()))


class Second(FakeHeadset):
    def open(self):
        self.info = replace(INFO, sfreq=INFO.sfreq + 100 * len(self.streams))
        return super().open()


def test_a_source_that_is_another_one_when_opened_again_fails():
    with pytest.raises(Violation, match="another stream"):
        check_source(lambda: Second(CHUNKS))


class Leaving:
    """A device that can be taken away and brought back."""

    exclusive = False

    def __init__(self, comes_back=True, notices=True):
        self.there, self.comes_back, self.notices = True, comes_back, notices

    def open(self):
        return LeavingStream(self)

    def reopen(self, info):
        if self.there and self.comes_back:
            return LeavingStream(self)
        raise SourceNotFound("headset", "not there")

    def lose(self):
        self.there = False

    def restore(self):
        self.there = True


class LeavingStream:
    info = INFO

    def __init__(self, device):
        self.device, self.end, self.noise = device, 0, pink(40, 8)

    def read(self, timeout):
        if not self.device.there and self.device.notices:
            raise SourceLost("headset", "gone")
        chunk = Chunk(self.noise, self.end, clock.now())
        self.end = chunk.end
        return chunk

    def close(self):
        pass


def test_a_source_that_is_lost_and_returns_passes_and_others_fail():
    good = Leaving()
    check_source(lambda: good, lose=good.lose, restore=good.restore)
    gone = Leaving(comes_back=False)
    with pytest.raises(Violation, match="not found"):
        check_source(lambda: gone, lose=gone.lose, restore=gone.restore)
    deaf = Leaving(notices=False)
    deaf.restore()
    with pytest.raises(Violation, match="goes on giving samples"):
        check_source(lambda: deaf, lose=deaf.lose, restore=deaf.restore)
    with pytest.raises(Violation, match="exclusive"):
        check_source(lambda: FakeHeadset(CHUNKS), lose=lambda: None, restore=lambda: None)


# -- sinks ------------------------------------------------------------------------------------------------------


class GoodSink:
    def __init__(self):
        self.n = 0

    def put(self, emission):
        self.n += 1

    def close(self, health):
        pass


class NoClose:
    def put(self, emission): ...


class NeedsProbabilities(GoodSink):
    def put(self, emission):
        max(emission.reading.probs)


class NeedsPlaces(GoodSink):
    def put(self, emission):
        if emission.reading.readout.coordinates[0]:
            pass


class NeedsNumbers(GoodSink):
    def put(self, emission):
        round(100 * max(emission.reading.probs or (0,)))


class Writes(GoodSink):
    def put(self, emission):
        if hasattr(emission.reading, "attention"):
            emission.reading.attention[:] = 0


class Waits(GoodSink):
    def put(self, emission):
        time.sleep(0.15)


class OneRun(GoodSink):
    def __init__(self):
        super().__init__()
        self.is_open = True

    def put(self, emission):
        if not self.is_open:
            raise ValueError("I/O operation on closed file")

    def close(self, health):
        self.is_open = False


class FailsInClose(GoodSink):
    def close(self, health):
        raise OSError("disk full")


class Miscounts(GoodSink):
    @property
    def outputs(self):
        return (Output("mine", sent=1),)


class NoTuple(GoodSink):
    @property
    def outputs(self):
        return ["mine"]


class NeedsSamples(GoodSink):
    recording = None

    def open(self, info): ...

    def take(self, chunk):
        chunk.data[0].max()

    def mark(self, marker, t): ...


class FailsInPrepare(GoodSink):
    def prepare(self):
        raise OSError("no such port")


SINKS = {
    NoClose: "close", NeedsProbabilities: "TypeError", NeedsPlaces: "IndexError", NeedsNumbers: "NaN",
    Writes: "read-only", Waits: "it takes", OneRun: "closed file", FailsInClose: "disk full",
    Miscounts: "1 sent and 0 dropped", NoTuple: "tuple of Output", NeedsSamples: "0 samples",
    FailsInPrepare: r"prepare\(\)",
}  # fmt: skip


@pytest.mark.parametrize("kind", SINKS)
def test_a_wrong_sink_fails(kind):
    with pytest.raises(Violation, match=SINKS[kind]):
        check_sink(kind)


def test_a_right_sink_passes():
    check_sink(GoodSink)


def test_a_sink_that_leaves_a_thread_behind_fails(background):
    class Leaves(GoodSink):
        def put(self, emission):
            background()

    with pytest.raises(Violation, match="threads still run"):
        check_sink(Leaves)


# -- networks ---------------------------------------------------------------------------------------------------


class Network(FakeNetwork):
    """A network with something changed."""

    def __init__(self, **changes):
        super().__init__()
        for name, value in changes.items():
            setattr(self, name, value)


def answering(answer):
    class Answering(FakeNetwork):
        def __call__(self, features):
            return answer(self, features, super().__call__(features))

    return Answering


def reads_masked(self, features, right):
    features.de[features.step_mask] = 0
    return right


def drifts(self, features, right):
    p = 0.5 + 0.001 * len(self.seen)
    return (p, 1 - p), right[1]


def by_chance(self, features, right):
    p = float(np.random.default_rng().uniform())
    return (p, 1 - p), right[1]


NETWORKS = {
    "one label": (lambda: Network(readout=Readout("a", ("rest",), (), "real")), "two or more"),
    "places that are missing": (lambda: Network(readout=Readout("a", ("x", "y"), ((0, 0),), "real")), "valence"),
    "unknown evidence": (lambda: Network(readout=Readout("a", ("x", "y"), (), "sure")), "evidence"),
    "confidence in percent": (lambda: Network(least_confidence=60), "from 0 to 1"),
    "notes as one text": (lambda: Network(notes="all well"), "tuple of texts"),
    "too few probabilities": (answering(lambda s, f, r: ((1.0,), r[1])), "1 for 2 labels"),
    "logits": (answering(lambda s, f, r: ((2.0, -1.0), r[1])), "sum 1"),
    "no number": (answering(lambda s, f, r: ((float("nan"), 1.0), r[1])), "sum 1"),
    "attention transposed": (answering(lambda s, f, r: (r[0], r[1].T)), "attention"),
    "attention unscaled": (answering(lambda s, f, r: (r[0], 8 * r[1])), "attention"),
    "no attention": (answering(lambda s, f, r: r[0]), "tuple|attention"),
    "features changed": (answering(reads_masked), "read-only"),
    "a memory": (answering(drifts), "remember nothing"),
    "chance": (answering(by_chance), "draw nothing"),
    "too slow": (answering(lambda s, f, r: time.sleep(0.4) or r), "it takes"),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_a_wrong_network_fails(name):
    make, words = NETWORKS[name]
    with pytest.raises(Violation, match=words):
        check_network(lambda info: make())


# -- measures ---------------------------------------------------------------------------------------------------


def counting():
    calls = []

    def kind(power, over):
        calls.append(1)
        return float(power.mean() + len(calls))

    return kind


def in_place(power, over):
    power -= power.mean()
    return float(power[0])


MEASURES = {
    "no number": (lambda power, over: None, "number for each power"),
    "an array": (lambda power, over: power - 1, "number for each power"),
    "infinity": (lambda power, over: float("inf"), "number for each power"),
    "no value ever": (lambda power, over: float("nan"), "NaN for all"),
    "an error": (lambda power, over: power[7], "IndexError"),
    "a memory": (counting(), "keep no state"),
    "power changed": (in_place, "read-only"),
    "too slow": (lambda power, over: time.sleep(0.02) or float(power.mean()), "compute less"),
    "no function": (3, "give a function"),
}


@pytest.mark.parametrize("name", MEASURES)
def test_a_wrong_measure_fails(name):
    kind, words = MEASURES[name]
    with pytest.raises(Violation, match=words):
        check_measure(kind)

"""The check of sinks fails one that is wrong in the way it is there to find."""

from __future__ import annotations

import time

import pytest

from realtime_mood.health import Output
from realtime_mood.testing import Violation, check_sink


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

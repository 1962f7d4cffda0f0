"""Streams that go away and come back: no sample twice, every lost one counted, and closing never waits long."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from waiting import until

from realtime_mood import clock
from realtime_mood.contracts import Returning
from realtime_mood.errors import SourceLost, SourceNotFound, StreamEnded, StreamMismatch
from realtime_mood.sources.timing import reconnect
from realtime_mood.sources.timing.reconnect import Reconnecting, ReconnectingStream
from realtime_mood.types import Chunk, Impedance, Marker, StreamInfo

SFREQ = 100.0
INFO = StreamInfo(("C3", "C4"), SFREQ, name="headset")


class FakeStream:
    """Reads what the test puts in: chunks, or an error to raise."""

    def __init__(self) -> None:
        self.info, self.items, self.closed = INFO, queue.Queue(), False
        self.end = 0

    def send(self, n: int, t_last: float | None = None, lost: int = 0, value: float = 0.0, **also: object) -> None:
        first = self.end + lost
        t_last = clock.now() if t_last is None else t_last
        self.items.put(Chunk(np.full((n, 2), value), first, t_last, lost, **also))
        self.end = first + n

    def read(self, timeout: float) -> Chunk | None:
        try:
            item = self.items.get(timeout=timeout)
        except queue.Empty:
            return None
        if isinstance(item, Exception):
            raise item
        return item

    def close(self) -> None:
        self.closed = True


class FakeDevice:
    """Comes back with what the test lays ready; until then there is nothing, or what `answer` raises."""

    def __init__(self, exclusive: bool = False) -> None:
        self.exclusive, self.first = exclusive, FakeStream()
        self.ready: list[FakeStream] = []
        self.answer: Exception = SourceNotFound("headset", "not there")
        self.tries: list[float] = []
        self.hanging, self.let_go = threading.Event(), threading.Event()
        self.let_go.set()
        self.under_way = 0

    def open(self) -> FakeStream:
        return self.first

    def reopen(self, info: StreamInfo) -> FakeStream:
        assert info == INFO
        assert not self.under_way, "two tries at once"
        self.under_way += 1
        self.tries.append(clock.now())
        try:
            if not self.let_go.is_set():
                self.hanging.set()
                self.let_go.wait(10)
            if self.ready:
                return self.ready.pop(0)
            raise self.answer
        finally:
            self.under_way -= 1


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Silence is noticed, and tries are repeated, ten times as fast."""
    monkeypatch.setattr(reconnect, "SILENT_S", 0.3)
    monkeypatch.setattr(reconnect, "RETRY_S", 0.05)
    monkeypatch.setattr(reconnect, "LOOK_S", 0.005)


@pytest.fixture
def device() -> FakeDevice:
    return FakeDevice()


@pytest.fixture
def stream(device: FakeDevice) -> Iterator[ReconnectingStream]:
    opened = Reconnecting(device).open()
    yield opened
    device.let_go.set()
    opened.close()


def next_chunk(stream: ReconnectingStream) -> Chunk:
    chunks: list[Chunk] = []
    until(lambda: (chunk := stream.read(0.02)) is not None and chunks.append(chunk) is None)
    return chunks[0]


def lose(device: FakeDevice, stream: ReconnectingStream) -> None:
    device.first.items.put(SourceLost("headset", "gone"))
    until(lambda: stream.read(0.01) is None and stream.away_since is not None)


def test_the_fake_is_a_returning_source(device: FakeDevice) -> None:
    assert isinstance(device, Returning)
    assert not isinstance(device.first, Returning)


def test_a_live_stream_passes_through(device: FakeDevice, stream: ReconnectingStream) -> None:
    device.first.send(10, markers=(Marker(3, "a"),))
    device.first.send(10, lost=5)
    one, two = next_chunk(stream), next_chunk(stream)
    assert (one.first, one.lost, two.first, two.lost) == (0, 0, 15, 5)
    assert one.markers == (Marker(3, "a"),)
    assert (stream.away_since, stream.notes, device.tries) == (None, (), [])


def test_what_is_lost_meanwhile_is_counted_by_time(device: FakeDevice, stream: ReconnectingStream) -> None:
    t0 = clock.now() - 30.0
    device.first.send(100, t_last=t0, value=1.0)
    next_chunk(stream)
    lose(device, stream)
    assert device.first.closed
    assert clock.now() - 5.0 < stream.away_since < clock.now()
    back = FakeStream()
    # 20 samples of which the first was taken 7.31 s after the last one we had: 730 fall in between.
    back.send(
        20, t_last=t0 + 7.31 + 0.19, markers=(Marker(4, "key"),), impedances=(Impedance(2, np.array([5.0, 9.0])),)
    )
    back.send(10, t_last=t0 + 7.31 + 0.29 + 0.05, lost=5)
    device.ready.append(back)
    one, two = next_chunk(stream), next_chunk(stream)
    assert (one.lost, one.first, len(one)) == (730, 830, 20)
    assert one.markers == (Marker(834, "key"),)
    assert one.impedances[0].index == 832
    assert (two.lost, two.first) == (5, 855)
    assert stream.away_since is None
    assert stream.notes == (stream.notes[0],)
    assert "730 samples lost" in stream.notes[0]


def test_silence_is_a_going_away_and_the_old_stream_may_be_first(
    device: FakeDevice, stream: ReconnectingStream
) -> None:
    device.first.send(10)
    heard = clock.now()
    next_chunk(stream)
    until(lambda: stream.read(0.02) is None and len(device.tries) > 2)
    assert not device.first.closed
    assert heard <= stream.away_since <= heard + 0.2
    device.first.send(10)
    assert next_chunk(stream).first == 10
    assert stream.away_since is None
    assert "nothing lost" in stream.notes[0]
    tries = len(device.tries)
    device.first.send(10)
    next_chunk(stream)
    assert len(device.tries) <= tries + 1


def test_what_was_found_too_late_is_closed(device: FakeDevice, stream: ReconnectingStream) -> None:
    device.let_go.clear()
    until(lambda: stream.read(0.02) is None and device.hanging.is_set())
    device.first.send(10)
    next_chunk(stream)
    late = FakeStream()
    device.ready.append(late)
    device.let_go.set()
    until(lambda: late.closed)
    assert not device.first.closed


def test_an_exclusive_device_is_let_go_of_before_it_is_tried() -> None:
    device = FakeDevice(exclusive=True)
    stream = Reconnecting(device).open()
    device.first.send(10)
    next_chunk(stream)
    until(lambda: stream.read(0.02) is None and len(device.tries) > 0)
    assert device.first.closed
    device.ready.append(back := FakeStream())
    back.send(10)
    assert next_chunk(stream).first > 10
    stream.close()
    assert back.closed


def test_nothing_is_read_twice(device: FakeDevice, stream: ReconnectingStream) -> None:
    t0 = clock.now() - 3.0
    device.first.send(100, t_last=t0)
    next_chunk(stream)
    lose(device, stream)
    back = FakeStream()
    back.send(30, t_last=t0 - 0.5)  # all of it known
    back.send(60, t_last=t0 + 0.1, markers=(Marker(49, "old"), Marker(80, "new")))  # its first 50 are
    back.send(10, t_last=t0 + 0.2)
    device.ready.append(back)
    one, two = next_chunk(stream), next_chunk(stream)
    assert (one.lost, one.first, len(one), one.markers) == (0, 100, 10, (Marker(100, "new"),))
    assert (two.lost, two.first) == (0, 110)
    assert one.t_last == pytest.approx(t0 + 0.1)


def test_a_clock_set_back_meanwhile_does_not_hide_what_comes(device: FakeDevice, stream: ReconnectingStream) -> None:
    device.first.send(10)
    t_last = next_chunk(stream).t_last
    lose(device, stream)
    back = FakeStream()
    back.send(10, t_last=t_last - 50.0)
    back.send(10, t_last=t_last - 49.9)
    device.ready.append(back)
    one, two = next_chunk(stream), next_chunk(stream)
    assert t_last < one.t_last <= clock.now()
    assert two.t_last == pytest.approx(one.t_last + 0.1)
    assert two.first == one.end
    assert any("clock went back by 50.0 s" in note for note in stream.notes)


def test_what_answers_and_is_another_is_said_once(device: FakeDevice, stream: ReconnectingStream) -> None:
    device.answer = StreamMismatch("headset", "it has 9 channels")
    lose(device, stream)
    until(lambda: stream.read(0.02) is None and len(device.tries) > 3)
    assert len(stream.notes) == 1
    assert "9 channels" in stream.notes[0]
    device.answer = ZeroDivisionError("the library broke")
    until(lambda: stream.read(0.02) is None and len(stream.notes) == 2)
    device.ready.append(back := FakeStream())
    back.send(1)
    assert len(next_chunk(stream)) == 1
    assert stream.away_since is None


def test_it_goes_away_again_and_again(device: FakeDevice, stream: ReconnectingStream) -> None:
    end = 0
    for _ in range(5):
        device.ready.append(back := FakeStream())
        back.send(10)
        back.items.put(SourceLost("headset", "gone"))
        device.first.items.put(SourceLost("headset", "gone"))
        chunk = next_chunk(stream)
        assert chunk.first == end + chunk.lost
        end = chunk.end
        until(lambda: stream.read(0.01) is None and stream.away_since is not None)
    assert sum("came back" in note for note in stream.notes) == 5


def test_a_stream_that_came_back_dumb_is_looked_for_again(device: FakeDevice, stream: ReconnectingStream) -> None:
    lose(device, stream)
    device.ready += [dumb := FakeStream(), back := FakeStream()]
    back.send(10)
    assert len(next_chunk(stream)) == 10
    assert dumb.closed


def test_it_gives_up_when_told_to(device: FakeDevice) -> None:
    stream = Reconnecting(device, give_up_s=0.4).open()
    device.first.send(10)
    next_chunk(stream)
    with pytest.raises(SourceLost, match="headset"):
        until(lambda: stream.read(0.05) is not None)
    assert device.tries
    stream.close()


def test_the_end_of_a_finite_source_is_its_end(device: FakeDevice, stream: ReconnectingStream) -> None:
    device.first.items.put(StreamEnded("script", "played"))
    with pytest.raises(StreamEnded):
        stream.read(0.1)
    assert not device.tries


@pytest.mark.parametrize("hangs", [False, True])
def test_closing_ends_the_search(monkeypatch: pytest.MonkeyPatch, device: FakeDevice, hangs: bool) -> None:
    monkeypatch.setattr(reconnect, "CLOSE_S", 0.1)
    stream = Reconnecting(device).open()
    if hangs:
        device.let_go.clear()
    lose(device, stream)
    until(lambda: device.tries)
    device.ready.append(late := FakeStream())
    stream.close()
    stream.close()
    device.let_go.set()
    until(lambda: threading.active_count() == 1 or not any(t.name == "mood-reconnect" for t in threading.enumerate()))
    assert late.closed or late in device.ready


@settings(deadline=None, max_examples=40)
@given(
    cuts=st.lists(st.integers(1, 40), min_size=1, max_size=8),
    absences=st.lists(st.integers(0, 500), min_size=1, max_size=3),
)
def test_index_is_stream_time_however_it_is_cut(cuts: list[int], absences: list[int]) -> None:
    device, t0, taken = FakeDevice(), clock.now() - 100.0, 0
    stream = Reconnecting(device).open()
    current, got = device.first, []
    for absence in [*absences, 0]:
        for n in cuts:
            taken += n
            current.send(n, t_last=t0 + (taken - 1) / SFREQ)
        taken += absence
        current.items.put(SourceLost("headset", "gone"))
        device.ready.append(current := FakeStream())
    n_chunks = len(cuts) * (len(absences) + 1)
    while len(got) < n_chunks:
        got.append(next_chunk(stream))
    stream.close()
    assert [chunk.first for chunk in got[1:]] == [before.end + chunk.lost for before, chunk in pairwise(got)]
    assert sum(chunk.lost for chunk in got) == sum(absences)
    for chunk in got:
        assert chunk.t_last == pytest.approx(t0 + (chunk.end - 1) / SFREQ)

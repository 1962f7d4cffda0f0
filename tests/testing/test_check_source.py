"""The check of sources fails one that is wrong in the way it is there to find, and says what was asked and found."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from realtime_mood import clock
from realtime_mood.errors import SourceLost, SourceNotFound
from realtime_mood.testing import FakeHeadset, Violation, check_source, cut, pink, sources
from realtime_mood.testing.parts import EIGHT, INFO
from realtime_mood.types import Chunk, Marker

CHUNKS = cut(pink(600, 8), (30, 0, 60))


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

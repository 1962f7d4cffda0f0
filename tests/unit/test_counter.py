"""Package numbers: whatever is dropped, repeated or comes late, every sample is where it belongs or counted as lost."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from realtime_mood.sources.boards.catalogue import cycles_of
from realtime_mood.sources.timing.counter import DROPPED, LATE, Cycle, PackageCounter, learn
from realtime_mood.sources.timing.packages import Packages, sfreq_of
from realtime_mood.types import Chunk

SFREQ = 250.0
CYCLES = [
    *cycles_of("cyton"),
    *cycles_of("cyton_daisy"),
    *cycles_of("ganglion"),
    *cycles_of("muse_2"),
    Cycle(range(2**53)),
]


def numbered(cycle: Cycle, packages: int, start: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """The numbers a board sends, sample by sample, and which package each sample is of."""
    own = [cycle.numbers[(start + k) % len(cycle.numbers)] * cycle.every for k in range(packages)]
    copies = [cycle.copies(number) for number in own]
    return np.repeat(own, copies).astype(float), np.repeat(np.arange(packages), copies)


@given(
    cycle=st.sampled_from(CYCLES),
    start=st.integers(0, 10**6),
    events=st.lists(
        st.tuples(
            st.integers(1, 30),
            st.sampled_from(["drop", "repeat", "late"]),
            st.integers(1, 90),
        ),
        max_size=12,
    ),
    sizes=st.lists(st.integers(1, 40), min_size=1, max_size=20),
)
@settings(max_examples=200, deadline=None)
def test_any_drop_repeat_or_lateness_is_counted_exactly(
    cycle: Cycle, start: int, events: list[tuple[int, str, int]], sizes: list[int]
) -> None:
    at, sent = 0, []  # the packages in the order they come
    for calm, what, n in events:
        sent += range(at, at + calm)
        at += calm
        if what == "drop":
            at += n
        elif what == "repeat":
            sent.append(max(0, at - 1 - n % LATE))
        else:  # the next one comes after its followers
            behind = n % LATE + 1
            sent += [*range(at + 1, at + 1 + behind), at]
            at += 1 + behind
    sent += [at, at + 1]
    numbers, package = numbered(cycle, at + 2, start)
    index = np.concatenate([np.flatnonzero(package == k) for k in sent])
    newest = np.maximum.accumulate(index)
    before = np.concatenate(([-1], newest[:-1]))
    expected = np.where(index > before, index - before - 1, DROPPED)
    stamps = newest / SFREQ + 0.001 * np.sin(index)
    counter, got, taken = PackageCounter([cycle], SFREQ), [], 0
    while taken < len(index):
        part = slice(taken, taken + sizes[len(got) % len(sizes)])
        got.append(counter.feed(numbers[index[part]], stamps[part]))
        taken = part.stop
    np.testing.assert_array_equal(np.concatenate(got), expected)


def test_nearly_a_cycle_that_took_its_time_is_a_loss_and_in_no_time_a_repetition() -> None:
    for gap_s, expected in ((255 / SFREQ, 254), (0.0, DROPPED)):
        counter = PackageCounter(cycles_of("cyton"), SFREQ)
        counter.feed(np.array([3.0, 4.0]), np.array([0.0, 1 / SFREQ]))
        assert counter.feed(np.array([3.0]), np.array([1 / SFREQ + gap_s])).tolist() == [expected]


def test_a_stream_may_begin_within_a_package_and_lose_part_of_one() -> None:
    numbers, _ = numbered(*cycles_of("muse_2"), 10)
    index = np.concatenate((np.arange(5, 40), np.arange(43, 120)))
    lost = PackageCounter(cycles_of("muse_2"), 256.0).feed(numbers[index], index / 256.0)
    assert lost.sum() == 3


def test_a_board_that_begins_to_count_anew_has_lost_nothing_by_that() -> None:
    counter = PackageCounter([Cycle(range(2**53))], SFREQ)
    numbers = np.concatenate((np.arange(10**6, 10**6 + 50), np.arange(50)))
    assert not counter.feed(numbers, np.arange(100) / SFREQ).any()


@pytest.mark.parametrize("firmware", cycles_of("ganglion"))
def test_the_firmware_of_a_ganglion_is_told_by_its_numbers(firmware: Cycle) -> None:
    numbers, _ = numbered(firmware, 450, start=30)
    counter = PackageCounter(cycles_of("ganglion"), 200.0)
    assert not counter.feed(numbers, np.arange(len(numbers)) / 200.0).any()
    assert counter.cycle == firmware


@pytest.mark.parametrize(
    "cycle",
    [Cycle(), Cycle(range(100)), Cycle(range(200), 2), Cycle(range(65536), 12), Cycle(range(1, 129), 4, 2)],
)
def test_a_way_of_counting_is_learnt(cycle: Cycle) -> None:
    numbers, package = numbered(cycle, 500, start=60)
    kept = ~np.isin(package, [350, 351, 352])
    counter = PackageCounter(learn(numbers[:80]), SFREQ, learning=True)
    lost = counter.feed(numbers[kept], np.arange(len(numbers))[kept] / SFREQ)
    assert lost[lost != 0].tolist() == [3 * cycle.per]


@pytest.mark.parametrize("numbers", [np.zeros(100), np.full(100, np.nan), np.random.default_rng(0).normal(size=100)])
def test_numbers_that_count_nothing_are_not_believed(numbers: np.ndarray) -> None:
    assert learn(numbers) == ()
    counter = PackageCounter(cycles_of("cyton"), SFREQ)
    counter.feed(np.array([0.5]), np.array([0.0]))
    assert counter.cycle is None
    assert not counter.feed(np.arange(5.0), np.arange(5.0)).any()


def chunks_of(index: np.ndarray, sizes: list[int], cycles: tuple[Cycle, ...], jitter_s: float = 0.002) -> list[Chunk]:
    """What becomes of those samples of a stream, each of which holds its own index."""
    packages = Packages(SFREQ, 1, cycles)
    stamps = 100 + index / SFREQ + jitter_s * np.random.default_rng(0).random(len(index))
    chunks: list[Chunk] = []
    taken = k = 0
    while taken < len(index):
        part = slice(taken, taken + sizes[k % len(sizes)])
        some, when = index[part], stamps[part]
        chunks += packages.feed(some[:, None].astype(float), np.zeros(len(some)), some % 256, when, float(when[-1]))
        taken, k = part.stop, k + 1
    return chunks + packages.release(float(stamps[-1]) + 1)


def check(chunks: list[Chunk], index: np.ndarray) -> None:
    """Every sample is in its place, and what is not there is counted."""
    assert sum(map(len, chunks)) == len(index)
    assert sum(chunk.lost for chunk in chunks) == index[-1] - index[0] + 1 - len(index)
    end = 0
    for chunk in chunks:
        assert chunk.first == end + chunk.lost
        np.testing.assert_array_equal(chunk.data[:, 0] - index[0], np.arange(chunk.first, chunk.end))
        assert abs(chunk.t_last - (100 + chunk.data[-1, 0] / SFREQ)) < 0.02
        end = chunk.end


@given(
    holes=st.lists(st.tuples(st.integers(1, 200), st.integers(1, 255)), max_size=8),
    sizes=st.lists(st.integers(1, 30), min_size=1, max_size=10),
    known=st.booleans(),
)
@settings(max_examples=60, deadline=None)
def test_however_the_stream_is_cut_every_sample_is_in_its_place(
    holes: list[tuple[int, int]], sizes: list[int], known: bool
) -> None:
    at, index = 5, [np.arange(5)]
    for calm, hole in [(100, 0), *holes, (10, 0)]:
        index.append(np.arange(at, at + calm))
        at += calm + hole
    check(chunks_of(np.concatenate(index), sizes, cycles_of("cyton") if known else ()), np.concatenate(index))


@pytest.mark.parametrize("hole", [256, 257, 300, 511, 512, 1000, 5003])
def test_a_hole_of_more_than_a_cycle_is_told_by_time(hole: int) -> None:
    index = np.concatenate((np.arange(1000), np.arange(1000 + hole, 2500 + hole)))
    check(chunks_of(index, [5], cycles_of("cyton")), index)


def test_a_late_burst_has_lost_nothing() -> None:
    packages = Packages(SFREQ, 1, cycles_of("cyton"))
    index = np.arange(2000)
    arrived = 100 + np.where((index >= 1000) & (index < 1500), 1500, index) / SFREQ
    arrived += np.sort(0.002 * np.random.default_rng(0).random(2000).reshape(-1, 5), axis=1).ravel()
    chunks: list[Chunk] = []
    for first in range(0, 2000, 5):
        some = index[first : first + 5]
        when = arrived[some]
        chunks += packages.feed(some[:, None].astype(float), np.zeros(5), some % 256, when, float(when[-1]))
    check(chunks, index)


def test_markers_and_impedances_keep_their_place() -> None:
    packages = Packages(SFREQ, 2, cycles_of("cyton"))
    index = np.delete(np.arange(1000), 300)
    chunks: list[Chunk] = []
    for first in range(0, 999, 9):
        some = index[first : first + 9]
        packages.measure(np.array([4.0 + (some[0] > 500), np.nan]))
        marks = np.where(some == 301, 7.0, 0.0)
        when = 100 + some / SFREQ
        chunks += packages.feed(np.zeros((len(some), 2)), marks, some % 256, when, float(when[-1]))
    assert [(m.index, m.text) for chunk in chunks for m in chunk.markers] == [(301, "7")]
    said = [it for chunk in chunks for it in chunk.impedances]
    assert [it.kohm.tolist()[0] for it in said] == [4.0, 5.0]
    assert 500 < said[1].index < 515


def test_a_rate_is_measured_though_samples_are_lost_and_believed_where_it_is_a_boards() -> None:
    index = np.flatnonzero(np.random.default_rng(0).random(625) > 0.02)
    for speed, found in ((1.0, 250.0), (1000.0, 256.0)):
        stamps = index / (250 * speed) + 0.002 / speed * np.random.default_rng(1).random(len(index))
        batches = [(index[k : k + 5] % 256, stamps[k : k + 5]) for k in range(0, len(index), 5)]
        sfreq, odd = sfreq_of(batches, cycles_of("cyton"), 256.0)
        assert sfreq == found
        assert bool(odd) == (found != 256.0)
    assert sfreq_of([], cycles_of("cyton"), 256.0) == (256.0, "")


@pytest.mark.parametrize("wrap", [2, 3, 100, 101, 200, 201, 244, 250, 255, 256, 257, 1000, 65535])
@pytest.mark.parametrize("batch", [1, 5, 10])
def test_an_intact_stretch_loses_nothing_whatever_an_unknown_board_wraps_at(wrap: int, batch: int) -> None:
    index = np.arange(5000)  # 20 s: the longest cycle but one comes five times
    arrived = 100 + (index // batch * batch + batch - 1) / SFREQ
    stamps = arrived + np.random.default_rng(0).exponential(0.003, len(index) // batch)[index // batch]
    packages, chunks = Packages(SFREQ, 1, ()), list[Chunk]()
    for some in np.split(index, len(index) // batch):
        when, numbers = stamps[some], (some + 37) % wrap
        chunks += packages.feed(some[:, None].astype(float), np.zeros(batch), numbers, when, float(when[-1]))
    chunks += packages.release(float(stamps[-1]) + 1)
    assert sum(map(len, chunks)) == len(index)
    assert sum(chunk.lost for chunk in chunks) == 0


def test_a_known_board_that_begins_to_count_again_has_lost_nothing() -> None:
    counter = PackageCounter(cycles_of("cyton"), SFREQ)
    numbers = np.concatenate((np.arange(60, 160), np.arange(300) % 256)).astype(float)
    assert not counter.feed(numbers, np.arange(len(numbers)) / SFREQ).any()

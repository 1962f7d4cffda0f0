"""Planted truth for the sample clock: jitter, drift, bursts, holes and clock steps."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from realtime_mood.sources.recordings.placing import indices
from realtime_mood.sources.timing.sample_clock import Piece, SampleClock


def send(
    seconds: float,
    *,
    nominal: float = 256.0,
    real: float | None = None,
    chunk: int = 10,
    jitter_s: float = 0.0,
    gone: tuple[int, int] = (0, 0),
    stall: tuple[float, float] = (0.0, 0.0),
    catch_up: float = math.inf,
    step: tuple[float, float] = (0.0, 0.0),
    seed: int = 0,
) -> tuple[SampleClock, list[Piece], np.ndarray]:
    """Play a device into a clock: chunks stamped on leaving, as outlets do. Returns also the true index of each sample.

    gone : samples lost, (first, how many); stall : nothing leaves between these times (s), then what waited leaves
    `catch_up` times as fast as it was taken;
    step : at this time (s) the sender's clock moves by so much.
    """
    rng, real = np.random.default_rng(seed), real or nominal
    clock, pieces, numbers = SampleClock(nominal), [], []
    for first in range(0, int(seconds * real), chunk):
        index = np.arange(first, first + chunk)
        index = index[(index < gone[0]) | (index >= gone[0] + gone[1])]
        if not len(index):
            continue
        left = 100.0 + index[-1] / real + rng.uniform(0, jitter_s)
        taken = left - 100.0
        if taken >= stall[0]:
            left = max(left, 100.0 + stall[1] + (taken - stall[0]) / catch_up)
        stamp = left + (step[1] if step[0] and left - 100.0 >= step[0] else 0.0)
        pieces += clock.feed(stamp - (index[-1] - index) / nominal, left + 0.0005)
        numbers.append(index)
    return clock, pieces + clock.release(), np.concatenate(numbers)


def lost(pieces: list[Piece]) -> int:
    return sum(piece.lost for piece in pieces)


@settings(deadline=None, max_examples=20)
@given(
    ppm=st.floats(-200, 200),
    jitter_ms=st.floats(0, 30),
    chunk=st.integers(1, 32),
    sfreq=st.sampled_from([125.0, 250.0, 256.0, 500.0]),
    seed=st.integers(0, 99),
)
def test_jitter_and_drift_lose_nothing(ppm: float, jitter_ms: float, chunk: int, sfreq: float, seed: int) -> None:
    real = sfreq * (1 + ppm * 1e-6)
    clock, pieces, index = send(40, nominal=sfreq, real=real, chunk=chunk, jitter_s=jitter_ms / 1e3, seed=seed)
    assert lost(pieces) == 0
    assert sum(piece.n for piece in pieces) == clock.count == len(index)
    late = clock.stamp(clock.count - 1) - (100.0 + index[-1] / real)
    assert -1 / sfreq < late < jitter_ms / 1e3 + 1 / sfreq
    # Uniform jitter has an sd of its width / sqrt(12); a line over 30 s of chunks averages it out.
    assert clock.sfreq == pytest.approx(real, rel=20e-6 + jitter_ms * 2e-5)


def test_a_rate_other_than_nominal_is_measured() -> None:
    clock, pieces, _ = send(30, nominal=256.0, real=250.0, jitter_s=0.002)
    assert lost(pieces) == 0
    assert clock.sfreq == pytest.approx(250.0, rel=1e-3)


@settings(deadline=None, max_examples=25)
@given(
    missing_s=st.floats(0.2, 20.0),
    at_s=st.floats(1.5, 20.0),
    chunk=st.integers(1, 13),
    sfreq=st.sampled_from([125.0, 250.0, 256.0]),
    seed=st.integers(0, 99),
)
def test_a_hole_is_counted_to_the_sample(missing_s: float, at_s: float, chunk: int, sfreq: float, seed: int) -> None:
    told_s = max(0.1, 3 * chunk / sfreq) + 0.02  # what the clock promises to tell from jitter; shorter ones it may not
    missing_s = max(missing_s, told_s)
    gone = (round(at_s * sfreq), round(missing_s * sfreq))
    clock, pieces, index = send(at_s + missing_s + 3, nominal=sfreq, chunk=chunk, gone=gone, jitter_s=0.001, seed=seed)
    assert lost(pieces) == gone[1]
    assert clock.count == index[-1] + 1
    passed = np.cumsum([piece.n for piece in pieces])
    before = [n for piece, n in zip(pieces[1:], passed, strict=False) if piece.lost]
    assert before == [gone[0]]


def test_a_hole_after_drift_uses_the_measured_rate() -> None:
    _, pieces, _ = send(60, nominal=256.0, real=250.0, gone=(250 * 20, 250 * 10), jitter_s=0.0005)
    assert lost(pieces) == pytest.approx(2500, abs=2)


@settings(deadline=None, max_examples=20)
@given(chunk=st.integers(1, 26), stall_s=st.floats(0.1, 6.0), at_s=st.floats(1.5, 12.0))
def test_a_late_burst_loses_nothing(chunk: int, stall_s: float, at_s: float) -> None:
    clock, pieces, index = send(at_s + stall_s + 4, chunk=chunk, stall=(at_s, at_s + stall_s), jitter_s=0.001)
    assert lost(pieces) == 0
    assert clock.count == len(index)
    assert clock.stamp(clock.count - 1) == pytest.approx(100.0 + index[-1] / 256.0, abs=0.03)


@pytest.mark.parametrize("catch_up", [2.0, 3.0, 10.0])
@pytest.mark.parametrize("stall_s", [0.5, 2.0])
def test_a_backlog_that_drains_slowly_loses_nothing(catch_up: float, stall_s: float) -> None:
    clock, pieces, index = send(20, stall=(6.0, 6.0 + stall_s), catch_up=catch_up, jitter_s=0.001)
    assert lost(pieces) == 0
    assert clock.count == len(index)


@pytest.mark.parametrize("by_s", [2.0, -2.0, 3600.0])
def test_a_step_of_the_senders_clock_is_no_hole(by_s: float) -> None:
    clock, pieces, index = send(20, step=(8.0, by_s))
    assert lost(pieces) == 0
    assert clock.stamp(clock.count - 1) == pytest.approx(100.0 + index[-1] / 256.0 + by_s, abs=0.02)


def test_a_suspicious_chunk_is_held_and_then_released_by_silence() -> None:
    clock, rng = SampleClock(100.0), np.random.default_rng(0)
    for k in range(50):
        late = rng.uniform(0, 0.005)
        clock.feed(np.arange(10 * k, 10 * k + 10) / 100 + late, 0.1 * k + 0.1)
    assert clock.feed(np.arange(600, 610) / 100, 6.1) == []
    assert clock.holding == 10
    assert clock.feed(np.empty(0), 6.3) == []
    assert clock.feed(np.empty(0), 6.7) == [Piece(10, 100)]
    assert clock.count == 610


def listen(index: np.ndarray, cuts: list[int], sfreq: float, t0: float = 100.0, **how: float) -> list[int]:
    """Feed computed stamps in chunks of these sizes, over and over; the count of each sample that was released.

    how : `real` rate, and `nominal` one; `step` of the sender's clock (s) at sample `step_at`.
    """
    real, nominal = how.get("real", sfreq), how.get("nominal", sfreq)
    clock, counts, at, k = SampleClock(nominal), [], 0, 0
    stamps = t0 + index / real
    stamps[index >= how.get("step_at", np.inf)] += how.get("step", 0.0)
    while at < len(index):
        part = slice(at, at + cuts[k % len(cuts)])
        arrived = t0 + index[part][-1] / real + 0.001 * (k % 3)
        counts += counted(clock, clock.feed(stamps[part], arrived))
        at, k = part.stop, k + 1
    return counts + counted(clock, clock.release())


def counted(clock: SampleClock, pieces: list[Piece]) -> list[int]:
    """The index of each sample in these pieces, the newest the clock gave."""
    at, counts = clock.count - sum(piece.n + piece.lost for piece in pieces), []
    for piece in pieces:
        at += piece.lost
        counts += range(at, at + piece.n)
        at += piece.n
    return counts


cuttings = st.lists(st.integers(1, 40), min_size=1, max_size=5)


@settings(deadline=None, max_examples=25)
@given(
    share=st.floats(0, 0.05),
    packet=st.sampled_from([1, 1, 2, 12]),
    ppm=st.floats(-200, 200),
    sfreq=st.sampled_from([125.0, 250.0, 256.0, 1000.0]),
    t0=st.sampled_from([0.0, 5e4, 1.7e9]),
    cuts=cuttings,
    seed=st.integers(0, 99),
)
def test_where_stamps_are_computed_every_single_missing_sample_is_counted(
    share: float, packet: int, ppm: float, sfreq: float, t0: float, cuts: list[int], seed: int
) -> None:
    kept = np.random.default_rng(seed).random(int(8 * sfreq) // packet + 1) >= share
    kept[0] = True  # what never came before the first one cannot be known
    index = np.flatnonzero(np.repeat(kept, packet))
    assert listen(index, cuts, sfreq, t0, real=sfreq * (1 + 1e-6 * ppm)) == index.tolist()


@settings(deadline=None, max_examples=30)
@given(cuts=cuttings, by=st.sampled_from([2.0, -2.0, 2.0009, -0.3]), at_s=st.floats(2.0, 6.0))
def test_a_step_of_a_computed_clock_is_no_hole_however_it_is_cut(cuts: list[int], by: float, at_s: float) -> None:
    index = np.arange(2000)
    assert listen(index, cuts, 250.0, step=by, step_at=at_s * 250.0) == index.tolist()


def test_holes_on_both_sides_of_a_step_are_counted() -> None:
    index = np.delete(np.arange(3000), [*range(700, 703), 1200, *range(2100, 2150)])
    assert listen(index, [10], 250.0, step=-2.0, step_at=1500) == index.tolist()


@settings(deadline=None, max_examples=20)
@given(cuts=cuttings, real=st.sampled_from([250.0, 254.0, 260.0]))
def test_holes_are_counted_at_a_rate_that_is_not_as_announced(cuts: list[int], real: float) -> None:
    index = np.delete(np.arange(2500), [300, *range(1000, 1012)])
    assert listen(index, cuts, real, nominal=256.0) == index.tolist()


@settings(deadline=None, max_examples=25)
@given(
    jitter_ms=st.floats(0.1, 10),
    chunk=st.integers(4, 13),
    sfreq=st.sampled_from([125.0, 250.0, 256.0]),
    seed=st.integers(0, 99),
)
def test_jittery_stamps_tell_holes_as_long_as_the_clock_says(
    jitter_ms: float, chunk: int, sfreq: float, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    clock, pieces, first, gone = SampleClock(sfreq), [], 0, []
    while first < 20 * sfreq:
        # After ten seconds the jitter is known, and holes are made that are just as long as can be told from it.
        if first > (10 + 2 * len(gone)) * sfreq and len(gone) < 4:
            gone.append(math.ceil(clock.least_gap_s * sfreq))
            first += gone[-1]
        part = np.arange(first, first + chunk)
        late, first = rng.uniform(0, jitter_ms / 1e3), first + chunk
        pieces += clock.feed(50.0 + part / sfreq + late, 50.0 + part[-1] / sfreq + late)
    pieces += clock.release()
    told = [piece.lost for piece in pieces if piece.lost]
    # How long each was is known to within the jitter.
    assert told == pytest.approx(gone, abs=max(1, jitter_ms / 1e3 * sfreq))
    assert clock.least_gap_s < max(0.05, 8e-3 * jitter_ms)


def test_a_late_chunk_of_jittery_stamps_loses_nothing_and_is_not_held_for_long() -> None:
    clock, pieces = SampleClock(250.0), []
    for first in range(0, 5000, 10):
        part = np.arange(first, first + 10)
        late = 0.3 if first == 3000 else 0.0004 * (first % 3)
        pieces += clock.feed(part / 250.0 + late, part[-1] / 250.0 + late)
        assert clock.holding <= 130
    assert lost(pieces) == 0


def test_stamps_that_run_backwards_lose_nothing_and_hold_nothing_up() -> None:
    clock, pieces, most = SampleClock(250.0), [], 0
    for first in range(0, 5000, 10):
        part = np.arange(first, first + 10)
        pieces += clock.feed(1000.0 - part / 250.0, part[-1] / 250.0)
        most = max(most, clock.holding)
    assert lost(pieces) == 0
    assert most <= 130
    assert sum(piece.n for piece in pieces) + clock.holding == 5000


@settings(deadline=None, max_examples=25)
@given(
    stamps=st.lists(st.floats(allow_nan=True, allow_infinity=True, width=64), min_size=1, max_size=300),
    cuts=cuttings,
)
def test_stamps_without_sense_neither_raise_nor_make_giant_holes(stamps: list[float], cuts: list[int]) -> None:
    clock, at, k, n, missing = SampleClock(250.0), 0, 0, 0, 0
    while at < len(stamps):
        part = np.array(stamps[at : at + cuts[k % len(cuts)]])
        at, k = at + len(part), k + 1
        for piece in clock.feed(part, 100.0 + at / 250.0):
            n, missing = n + piece.n, missing + piece.lost
    for piece in clock.release():
        n, missing = n + piece.n, missing + piece.lost
    assert n == len(stamps)
    assert missing <= len(stamps) * 125 * 250


def test_what_the_senders_clock_was_moved_by_is_known() -> None:
    clock = SampleClock(250.0)
    for first in range(0, 5000, 10):
        part = np.arange(first, first + 10)
        clock.feed(part / 250.0 - (2.0 if first >= 2500 else 0.0), part[-1] / 250.0)
    assert clock.stamp(4999) - clock.stepped == pytest.approx(4999 / 250.0, abs=1e-3)


class Sitting:
    """Packets as they are received, by the true number of each sample; what a clock makes of their computed stamps."""

    def __init__(self, sfreq: float, real: float | None = None, t0: float = 0.0) -> None:
        self.clock, self.real, self.t0 = SampleClock(sfreq), real or sfreq, t0
        self.queue: list[int] = []
        self.released: list[int] = []
        self.places: list[int] = []
        self.lost = 0

    def receive(self, numbers: np.ndarray, arrived: float, stamps: np.ndarray | None = None) -> None:
        self.queue += numbers.tolist()
        stamps = numbers / self.real if stamps is None else stamps
        self.pass_on(self.clock.feed(self.t0 + stamps, self.t0 + arrived))

    def pass_on(self, pieces: list[Piece]) -> None:
        self.places += counted(self.clock, pieces)
        for piece in pieces:
            self.lost += piece.lost
            del self.queue[: piece.dropped]
            self.released += self.queue[: piece.n]
            del self.queue[: piece.n]


def transmitted(
    rng: np.random.Generator, n: int, packet: int, gone: float, twice: float, late: float
) -> tuple[np.ndarray, np.ndarray]:
    """Samples as a bad radio link brings them, and the one each came with: some packets lack, some come twice at once,
    some change places with the next."""
    packets = np.arange(n // packet * packet).reshape(-1, packet)
    packets = packets[rng.random(len(packets)) >= gone]
    order = np.argsort(np.arange(len(packets)) + 1.5 * (rng.random(len(packets)) < late), kind="stable")
    order = order.repeat(1 + (rng.random(len(order)) < twice))
    came_with = np.maximum.accumulate(packets[order, -1])
    return packets[order].ravel(), came_with.repeat(packet)


@settings(deadline=None, max_examples=60)
@given(
    packet=st.sampled_from([1, 2, 5, 10, 12]),
    gone=st.floats(0, 0.1),
    twice=st.floats(0, 0.1),
    late=st.floats(0, 0.1),
    ppm=st.floats(-200, 200),
    sfreq=st.sampled_from([125.0, 250.0, 256.0, 1000.0]),
    t0=st.sampled_from([0.0, 5e4, 1.7e9]),
    delay_ms=st.floats(0, 20),
    cuts=cuttings,
    seed=st.integers(0, 999),
)
def test_where_stamps_are_computed_nothing_is_taken_twice_or_late(
    packet: int, gone: float, twice: float, late: float, ppm: float, sfreq: float, t0: float, delay_ms: float,
    cuts: list[int], seed: int,
) -> None:  # fmt: skip
    rng = np.random.default_rng(seed)
    numbers, came_with = transmitted(rng, int(6 * sfreq), packet, gone, twice, late)
    sitting, at, k = Sitting(sfreq, sfreq * (1 + 1e-6 * ppm), t0), 0, 0
    while at < len(numbers):
        part = slice(at, at + cuts[k % len(cuts)])
        sitting.receive(numbers[part], came_with[part][-1] / sitting.real + rng.uniform(0, delay_ms / 1e3))
        at, k = part.stop, k + 1
    sitting.pass_on(sitting.clock.release())
    new = numbers[np.diff(np.maximum.accumulate(numbers), prepend=-1) > 0]  # those no newer one was before
    assert sitting.released == new.tolist()
    assert sitting.places == (new - new[0]).tolist()
    assert len(new) + sitting.lost == new[-1] - new[0] + 1
    assert sitting.clock.dropped == len(numbers) - len(new)


@settings(deadline=None, max_examples=40)
@given(
    packet=st.sampled_from([4, 10, 12]),
    gone=st.floats(0, 0.1),
    twice=st.floats(0, 0.1),
    late=st.floats(0, 0.1),
    ppm=st.floats(-200, 200),
    sfreq=st.sampled_from([125.0, 250.0, 256.0]),
    seed=st.integers(0, 999),
)
def test_rows_of_a_file_are_put_in_their_places_by_computed_stamps(
    packet: int, gone: float, twice: float, late: float, ppm: float, sfreq: float, seed: int
) -> None:
    numbers, _ = transmitted(np.random.default_rng(seed), int(20 * sfreq), packet, gone, twice, late)
    index, notes = indices(len(numbers), sfreq, 100.0 + numbers / (sfreq * (1 + 1e-6 * ppm)))
    assert index.tolist() == (numbers - numbers.min()).tolist()
    assert not notes


@pytest.mark.parametrize("packet_s", [0.04, 0.3])
def test_a_repeated_packet_and_a_clock_set_back_by_as_much_are_told_by_when_they_come(packet_s: float) -> None:
    packet, by_s = round(250 * packet_s), -0.3
    packets = np.arange(packet * (3000 // packet)).reshape(-1, packet)
    twice, set_back = Sitting(250.0), Sitting(250.0)
    for k, numbers in enumerate(packets):
        for _ in range(2 if k % 10 == 9 else 1):
            twice.receive(numbers, numbers[-1] / 250)
        set_back.receive(numbers, numbers[-1] / 250, numbers / 250 + (by_s if k >= len(packets) // 2 else 0.0))
    for sitting in (twice, set_back):
        sitting.pass_on(sitting.clock.release())
        assert sitting.released == sitting.places == packets.ravel().tolist()
        assert sitting.lost == 0
    assert (twice.clock.dropped, set_back.clock.dropped) == (packet * (len(packets) // 10), 0)


@pytest.mark.parametrize("n_late", [13, 50, 250])
def test_stamps_made_anew_after_a_delay_lose_nothing(n_late: int) -> None:
    packets, sitting = np.arange(5000).reshape(-1, 10), Sitting(250.0)
    for k, numbers in enumerate(packets):
        leaves = max(k, 200 + n_late) if k >= 200 else k
        sitting.receive(numbers, packets[leaves, -1] / 250, packets[leaves] / 250)
    sitting.pass_on(sitting.clock.release())
    assert sitting.released == sitting.places == packets.ravel().tolist()
    assert (sitting.lost, sitting.clock.dropped) == (0, 0)


def test_wrong_stamps_of_every_other_packet_are_no_repeats() -> None:
    packets, sitting = np.arange(5000).reshape(-1, 10), Sitting(250.0)
    for k, numbers in enumerate(packets):
        sitting.receive(numbers, numbers[-1] / 250, numbers / 250 - (0.1 if k >= 200 and k % 2 else 0.0))
    sitting.pass_on(sitting.clock.release())
    assert sitting.released == sitting.places == packets.ravel().tolist()

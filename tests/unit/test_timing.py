"""Planted truth for the sample clock: jitter, drift, bursts, holes and clock steps."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from realtime_mood.sources.timing import Piece, SampleClock


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
    clock, pieces, indices = SampleClock(nominal), [], []
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
        indices.append(index)
    return clock, pieces + clock.release(), np.concatenate(indices)


def lost(pieces: list[Piece]) -> int:
    return sum(piece.lost for piece in pieces)


@settings(deadline=None, max_examples=40)
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


@settings(deadline=None, max_examples=60)
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


@settings(deadline=None, max_examples=40)
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
    clock = SampleClock(100.0)
    for k in range(50):
        clock.feed(np.arange(10 * k, 10 * k + 10) / 100, 0.1 * k + 0.1)
    assert clock.feed(np.arange(600, 610) / 100, 6.1) == []
    assert clock.holding == 10
    assert clock.feed(np.empty(0), 6.3) == []
    assert clock.feed(np.empty(0), 6.7) == [Piece(10, 100)]
    assert clock.count == 610

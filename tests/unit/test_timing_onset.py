"""Computed stamps that begin to jitter in mid-run: now and then one lies where a hole would put it."""

from __future__ import annotations

import numpy as np
import pytest

from realtime_mood.sources.timing.sample_clock import SampleClock


@pytest.mark.parametrize("jitter_ms", [2.0, 5.0, 9.0])
@pytest.mark.parametrize("seed", range(4))
def test_computed_stamps_that_begin_to_jitter_lose_and_repeat_nothing(jitter_ms: float, seed: int) -> None:
    rng, clock, pieces = np.random.default_rng(seed), SampleClock(256.0), []
    for first in range(0, 40 * 256, 10):
        part = np.arange(first, first + 10)
        off = rng.normal(0, jitter_ms / 1e3) if 10 * 256 < first < 30 * 256 else 0.0
        pieces += clock.feed(50.0 + part / 256.0 + off, 50.0 + part[-1] / 256.0)
    pieces += clock.release()
    assert sum(piece.lost for piece in pieces) <= 1  # one packet in a thousand is by chance where a hole would put it
    assert sum(piece.n for piece in pieces) == 10 * len(range(0, 40 * 256, 10))

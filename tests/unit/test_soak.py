"""What the soak says of memory, on memory that is known to grow or not to."""

from __future__ import annotations

import ctypes
import gc
import math

import pytest

from benchmarks.soak import Held, growth, in_use_mb


def an_hour(in_use_mb_per_s: float = 0.0, blocks_per_s: float = 0.0) -> list[Held]:
    """Six minutes of wall time: malloc keeps 2 MB more or less, by turns, and everything warms up for a minute."""
    return [
        Held(
            float(s),
            350 + min(s, 60) + 2 * (s // 20 % 2) + in_use_mb_per_s * s,
            130 + min(s, 60) / 10 + in_use_mb_per_s * s,
            870_000 + 100 * min(s, 60) + round(blocks_per_s * s),
        )
        for s in range(1, 361)
    ]


def test_warming_up_is_no_growth():
    seen = growth(an_hour())
    assert seen["in_use_growth_mb"] == seen["blocks_growth"] == 0
    assert abs(seen["rss_growth_mb"]) < 1.5


def test_what_grows_with_time_is_growth():
    seen = growth(an_hour(in_use_mb_per_s=0.05, blocks_per_s=20))
    assert seen["in_use_growth_mb"] == pytest.approx(0.05 * 240, rel=0.01)
    assert seen["blocks_growth"] == pytest.approx(20 * 240, rel=0.01)
    assert seen["rss_growth_mb"] == pytest.approx(0.05 * 240, abs=1.5)
    assert seen["rss_mb"] == pytest.approx(350 + 60 + 2 * (360 // 20 % 2) + 0.05 * 360)


@pytest.mark.skipif(math.isnan(in_use_mb()), reason="this C library does not say what is in use")
@pytest.mark.parametrize("n_bytes", [10_000, 50_000_000])  # from a heap of malloc's; mapped for itself
def test_what_is_in_use_is_known_whatever_malloc_keeps(n_bytes: int):
    gc.collect()  # what earlier tests left would be freed in between
    before = in_use_mb()
    kept = [ctypes.create_string_buffer(n_bytes) for _ in range(50_000_000 // n_bytes)]
    assert in_use_mb() - before == pytest.approx(50, abs=2)
    del kept
    assert in_use_mb() - before == pytest.approx(0, abs=2)

"""The derived signal of the traces does not depend on when it was looked at, and follows gaps of the stream."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from realtime_mood.ring import RingBuffer
from realtime_mood.types import Chunk, StreamInfo
from realtime_mood.viewmodel.derived import DerivedSignal

NAMES = ("Fp1", "Fp2", "F3", "F4", "C3", "C4", "P3", "P4", "O1", "O2", "T7", "T8", "Fz", "Cz", "Pz")
INFO = StreamInfo(NAMES, 128.0)
N, CAPACITY = 1500, 1000
DATA = np.random.default_rng(1).normal(0, 20, (N, len(NAMES))).astype(np.float32)


def shown(cuts, reference, band, looks):
    base = RingBuffer(INFO, CAPACITY)
    derived = DerivedSignal(base, reference, band)
    bounds = [0, *sorted(cuts), N]
    for k in range(len(bounds) - 1):
        a, b = bounds[k], bounds[k + 1]
        first = max(a, 700) if a < 700 <= b and b > 700 else a  # 20 samples are lost before sample 700
        for start, stop in ((a, min(b, 680)), (max(first, 700), b)) if b > 680 else ((a, b),):
            if start < stop:
                base.write(Chunk(DATA[start:stop], start, stop / 128))
                if looks[k % len(looks)]:
                    derived.update()
    return derived.update().latest(CAPACITY)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, N), max_size=20), st.sampled_from(["recorded", "average", "bipolar", "laplacian"]),
       st.sampled_from(["", "alpha", "delta"]), st.lists(st.booleans(), min_size=1, max_size=5))  # fmt: skip
def test_any_cut_and_any_looks_show_the_same(cuts, reference, band, looks):
    whole, cut = shown([], reference, band, [True]), shown(cuts, reference, band, [True])
    assert (whole.first, whole.end) == (cut.first, cut.end)
    np.testing.assert_allclose(cut.data, whole.data, atol=1e-3)
    seldom = shown(cuts, reference, band, looks)
    settled = slice(600, None)  # a look after more than a minute starts the filter again
    np.testing.assert_allclose(seldom.data[settled], whole.data[settled], atol=0.5)


def test_a_band_keeps_what_lies_in_it():
    t = np.arange(1000) / 128
    base = RingBuffer(INFO, 1000)
    both = np.sin(2 * np.pi * 10 * t) + np.sin(2 * np.pi * 25 * t)
    base.write(Chunk(np.repeat(both[:, None], len(NAMES), 1).astype(np.float32), 0, 1.0))
    alpha = DerivedSignal(base, "recorded", "alpha").update().latest(600).data[:, 0]
    power = np.abs(np.fft.rfft(alpha * np.hanning(600))) ** 2
    freqs = np.fft.rfftfreq(600, 1 / 128)
    assert power[np.abs(freqs - 25) < 1].max() < 0.02 * power[np.abs(freqs - 10) < 1].max()
    gamma = DerivedSignal(RingBuffer(StreamInfo(NAMES, 64.0), 10), "recorded", "gamma")  # above what is sampled
    assert gamma.update().end == 0

"""However streams beside the EEG are cut, the measures of the body are the same, and use nothing that comes later."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from realtime_mood.aux_ring import AuxRing
from realtime_mood.auxiliary import AuxChunk, AuxInfo, SenderClock
from realtime_mood.body.monitor import measures_at
from realtime_mood.body.signals import signals_of

SECONDS, LATER_S = 56.0, 8.0
KINDS = {"PPG": ("", 25.0), "EDA": ("uS", 4.0), "RESP": ("", 10.0), "ACC": ("g", 20.0)}


@given(
    kind=st.sampled_from(sorted(KINDS)), seed=st.integers(0, 99), noise=st.floats(0, 2),
    cuts=st.lists(st.floats(0, 1), max_size=12), lost=st.tuples(st.floats(0, 1), st.floats(0, 0.3)),
)  # fmt: skip
@settings(max_examples=50, deadline=None)
def test_measures_do_not_depend_on_cuts_or_on_what_comes_later(kind, seed, noise, cuts, lost):
    unit, sfreq = KINDS[kind]
    rng = np.random.default_rng(seed)
    stamps = 500 + np.arange(round((SECONDS + LATER_S) * sfreq)) / sfreq + rng.uniform(0, 0.01 / sfreq)
    there = ~((stamps > 500 + 56 * lost[0]) & (stamps < 500 + 56 * (lost[0] + lost[1])))
    stamps = stamps[there]
    values = 3 + np.sin(2 * np.pi * stamps * (1.1 if kind == "PPG" else 0.2)) + noise * rng.normal(size=len(stamps))
    info = AuxInfo("lsl://x", "x", kind, ("a",), (unit,), sfreq)
    t = 500 + SECONDS

    def measured(edges: list[int]) -> object:
        ring = AuxRing(info)
        for a, b in pairwise(edges):
            ring.write(AuxChunk(values[a:b, None].astype(np.float32), stamps[a:b], stamps[a:b], a, SenderClock(0, 0)))
        return measures_at([(ring, signal) for signal in signals_of(info)], t)

    n, known = len(stamps), int(np.searchsorted(stamps, t, "right"))
    whole = measured([0, known])
    assert measured([0, *sorted(round(cut * known) for cut in cuts), known]) == whole
    later = measured([0, *sorted(round(cut * n) for cut in cuts), n])
    if kind != "EDA":  # the ring keeps a minute, from which the oldest seconds are gone by then
        assert later == whole
    assert all((it.value is None) == bool(it.why) and 0 <= it.quality <= 1 for it in whole)

from __future__ import annotations

from functools import cache

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from realtime_mood.sources.synthetic.person import Script, VirtualPerson

NAMES = ("Fp1", "T7", "Cz", "P4", "O2")
RATES = (100.0, 128.0, 250.5)


def person(sfreq: float) -> VirtualPerson:
    return VirtualPerson(7, NAMES, sfreq, Script.parse("neutral:1.3,positive:2,negative:1.1", loop=True), "easy")


@cache
def whole(sfreq: float) -> np.ndarray:
    return person(sfreq).take(1500)


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(RATES), st.lists(st.integers(0, 400), min_size=1, max_size=40))
def test_cutting_changes_no_bit(sfreq, lengths):
    cut = person(sfreq)
    begin = 0
    for n in lengths:
        n = min(n, 1500 - begin)
        piece = cut.take(n)
        assert piece.dtype == np.float32
        assert np.array_equal(piece, whole(sfreq)[begin : begin + n])
        begin += n

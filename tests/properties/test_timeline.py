"""Whatever breaks a file states, each stored sample that is no filler has one place, in order, and is found there."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from realtime_mood.sources.recordings.timeline import UNKNOWN_S, Break, Timeline

SFREQ = 10.0
BREAKS = st.lists(
    st.builds(Break, st.integers(-3, 60), st.none() | st.integers(-5, 40) | st.just(10**9), st.integers(0, 25))
)


@given(st.integers(1, 50), BREAKS)
def test_stored_samples_keep_their_order_and_their_number(n: int, breaks: list[Break]) -> None:
    time = Timeline(n, SFREQ, breaks)
    filler = {at for b in breaks if 0 <= b.at < n for at in range(b.at, min(n, b.at + b.filler))}
    signal = [at for at in range(n) if at not in filler]
    places = [time.index(at) for at in signal]
    assert places == [place for first, end in time.runs for place in range(first, end)]
    assert all(before < after for before, after in pairwise(places))
    assert [time.stored(place) for place in places] == signal
    for first, end in time.runs:
        assert time.until(time.stored(first)) == time.stored(first) + end - first
    assert all(a_end < b_first for (_, a_end), (b_first, _) in pairwise(time.runs))


@given(st.integers(2, 50), st.data())
def test_what_is_missing_is_what_the_breaks_say(n: int, data: st.DataObject) -> None:
    lost = data.draw(st.dictionaries(st.integers(1, n - 1), st.none() | st.integers(1, 40)))
    time = Timeline(n, SFREQ, [Break(at, said) for at, said in lost.items()])
    assumed = round(UNKNOWN_S * SFREQ)
    assert time.runs[-1][1] == n + sum(assumed if said is None else said for said in lost.values())
    assert time.unknown == sum(said is None for said in lost.values())
    assert bool(time.notes()) == bool(time.unknown)

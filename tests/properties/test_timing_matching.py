"""Markers and onsets are matched one to one, and the result does not depend on how the stream was cut."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from realtime_mood.timing_tests.live_traces import trace_of
from realtime_mood.timing_tests.matching import match
from realtime_mood.timing_tests.onsets import OnsetOptions, evaluate
from realtime_mood.types import Chunk, Marker, StreamInfo

SFREQ, N = 500.0, 6000
TIMES = st.lists(st.floats(0, 30), max_size=40).map(lambda times: np.unique(np.array(times)))
INFO = StreamInfo(("Cz",), SFREQ)


@settings(deadline=None)
@given(TIMES, TIMES)
def test_each_is_matched_at_most_once_and_within_reach(markers, onsets):
    found = match(markers, onsets, 0.1)
    assert len(np.unique(found.markers)) == len(found.markers)
    assert len(np.unique(found.onsets)) == len(found.onsets)
    assert np.all(np.abs(onsets[found.onsets] - markers[found.markers] - found.usual_s) <= 0.1 + 1e-9)


@settings(deadline=None)
@given(st.floats(-0.4, 0.4), st.sets(st.integers(0, 59), max_size=15), st.sets(st.integers(0, 59), max_size=15),
       st.integers(0, 10**6))  # fmt: skip
def test_the_planted_pairs_are_found_whatever_is_missing(delay, missing, added, seed):
    rng = np.random.default_rng(seed)
    markers = np.cumsum(rng.uniform(0.8, 1.6, 60))
    true = markers + delay + rng.normal(0, 0.003, 60)
    kept = np.array([k for k in range(60) if k not in missing])
    onsets = np.concatenate((true[kept], markers[sorted(added)] + delay + 0.35 if added else []))
    order = np.argsort(onsets)
    found = match(markers, onsets[order], 0.1)
    assert found.markers.tolist() == kept.tolist()
    assert order[found.onsets].tolist() == list(range(len(kept)))


def chunks_of(values: np.ndarray, cuts: list[int], markers: list[Marker]) -> list[Chunk]:
    """The signal cut at `cuts`, with an empty chunk where two are the same; a sample of 40 is lost at 3000."""
    bounds = [0, *sorted(cuts), N]
    chunks, lost_at = [], 3000
    for a, b in pairwise(bounds):
        for first, end in ((a, min(b, lost_at)), (max(a, lost_at + 40), b)):
            if end > first or first == a == b:
                lost = 40 if first == lost_at + 40 else 0
                inside = tuple(m for m in markers if first <= m.index < end)
                chunks.append(
                    Chunk(values[first : max(end, first), None], first, 100 + (end - 1) / SFREQ, lost, inside)
                )
    return chunks


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, N), max_size=30))
def test_the_result_does_not_depend_on_how_the_stream_was_cut(cuts):
    rng = np.random.default_rng(4)
    markers = [Marker(300 + 400 * k + int(rng.integers(100)), "flash") for k in range(13)]
    values = rng.normal(0, 0.05, N).astype(np.float32)
    for marker in markers:
        values[marker.index + 10 : marker.index + 60] += 1

    def result(cuts):
        return evaluate(trace_of(chunks_of(values, cuts, markers), INFO, "Cz", "x", None), OnsetOptions(), "x")

    whole, cut = result([]), result(cuts)
    assert np.array_equal(whole.delays, cut.delays)
    assert (whole.markers, whole.missed, whole.extra) == (cut.markers, cut.missed, cut.extra)
    assert (whole.missed, whole.extra) == (0, 0)

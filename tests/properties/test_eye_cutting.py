"""However an eye tracker's stream is cut, the same features come out, bit for bit, at any rate."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from realtime_mood.dsp.eye import EyeExtractor, by_step

SECONDS = 13
cuts = st.lists(st.integers(0, 400), max_size=30)  # empty chunks among them
holes = st.lists(st.tuples(st.floats(0, SECONDS), st.floats(0, 6)), max_size=6)


def samples(sfreq: float, holes: list[tuple[float, float]]) -> np.ndarray:
    rng = np.random.default_rng(round(sfreq))
    t = np.arange(round(SECONDS * sfreq)) / sfreq
    place = 6 * rng.standard_normal((SECONDS * 3 + 1, 2))[(3 * t).astype(int)]
    rows = np.column_stack([place + 0.05 * rng.standard_normal((len(t), 2)), 4 + 0.1 * np.sin(2 * t)])
    for start, length in holes:
        rows[(t >= start) & (t < start + length)] = np.nan
    return rows.astype(np.float32)


@given(st.floats(30, 1000), cuts, holes)
@settings(max_examples=25, deadline=None)
def test_cutting_changes_nothing(sfreq, cuts, holes):
    rows = samples(sfreq, holes)
    features, quality = by_step(rows, sfreq)
    extractor, steps, at = EyeExtractor(sfreq), [], 0
    for n in [*cuts, len(rows)]:
        steps += extractor.push(rows[at : at + n])
        at += n
    assert [s.end for s in steps] == [round(k * sfreq) for k in range(1, len(steps) + 1)]
    assert len(steps) in (SECONDS - 1, SECONDS)  # the last ends within half a sample of the stream's end
    np.testing.assert_array_equal([s.features for s in steps], features)
    np.testing.assert_array_equal([s.quality for s in steps], quality)
    assert (np.isfinite(features).all(axis=1) | np.isnan(features).all(axis=1)).all()
    assert not np.isfinite(features[quality == 0]).any()


@given(st.floats(30, 1000), cuts)
@settings(max_examples=10, deadline=None)
def test_a_tracker_that_never_sees_an_eye_gives_no_feature(sfreq, cuts):
    extractor = EyeExtractor(sfreq)
    steps = [s for n in [*cuts, round(2 * sfreq)] for s in extractor.push(np.full((n, 3), np.nan, np.float32))]
    assert len(steps) >= 2
    assert all(np.isnan(s.features).all() and s.quality == 0 for s in steps)

"""However a stream is cut, and wherever it has short holes, the same features come out, bit for bit."""

from __future__ import annotations

import numpy as np
from fakes import EIGHT, INFO, cut, pink, pipeline
from hypothesis import given, settings
from hypothesis import strategies as st

from realtime_mood.dsp.spec import FeatureSpec
from realtime_mood.pipeline import Pipeline
from realtime_mood.ring import RingBuffer
from realtime_mood.types import Chunk, StreamInfo

SECONDS = 11
SIGNAL = pink(round(SECONDS * INFO.sfreq), len(EIGHT), offset_uv=60_000)
SIGNAL[1300:, 1] += 4000  # electrodes that jump, die and come back must not show the cutting either
SIGNAL[1500:1700, 2] = 0
SIGNAL[900:1400, 3] += 400 * np.sin(np.arange(500) * np.pi / 2)
SIGNAL[1650::7, 4] *= 1.01
sizes = st.lists(st.integers(0, 300), max_size=40).map(lambda some: [*some, 100])  # empty chunks among them
holes = st.lists(st.tuples(st.integers(0, len(SIGNAL) - 60), st.integers(1, 50)), max_size=12)  # at most 0.25 s each


def features(chunks):
    p = Pipeline(INFO, FeatureSpec(), None, "auto")
    return [(w, p.features(w)) for c in chunks for w in p.push(c)]


def assert_same(found, expected):
    assert [w.end for w, _ in found] == [w.end for w, _ in expected]
    for (_, f), (_, g) in zip(found, expected, strict=True):
        for name in ("de", "patches", "step_mask", "patch_mask"):
            np.testing.assert_array_equal(getattr(f, name), getattr(g, name), err_msg=name)
        np.testing.assert_array_equal(f.quality.scores, g.quality.scores)
        assert f.quality.faults == g.quality.faults
        assert f.coverage == g.coverage


def normal():
    """Every window's features in the subject's standard deviations, the stream being pushed at once and then read."""
    p = pipeline()
    windows = p.push(Chunk(SIGNAL, 0, SECONDS))
    return {w.end: (p.read(w) and p.normal.de, p.normal.patches) for w in windows}


WHOLE, NORMAL = features([Chunk(SIGNAL, 0, SECONDS)]), normal()


@given(sizes)
@settings(max_examples=15, deadline=None)
def test_cutting_changes_nothing(sizes):
    assert_same(features(cut(SIGNAL, sizes)), WHOLE)


@given(sizes, holes)
@settings(max_examples=15, deadline=None)
def test_nor_do_short_holes_depend_on_it(sizes, holes):
    gone = np.zeros(len(SIGNAL), bool)
    for start, length in holes:
        gone[start : start + length] = True
    edges = np.flatnonzero(np.diff(np.concatenate(([True], gone, [True])).astype(int)))
    long = [b - a for a, b in zip(edges[1::2], edges[2::2], strict=False) if b - a > 50]
    gone &= not long  # holes that merged into a long one are another test's business
    as_nan = np.where(gone[:, None], np.float32(np.nan), SIGNAL)
    whole = features([Chunk(as_nan, 0, SECONDS)])
    assert_same(features(cut(as_nan, sizes)), whole)
    assert_same(features(told_lost(SIGNAL, gone, sizes)), whole)


@given(sizes, st.sets(st.integers(0, 43)))
@settings(max_examples=15, deadline=None)
def test_what_is_read_or_skipped_changes_no_reading(sizes, skipped):
    p, found = pipeline(), []
    for i, w in enumerate(w for c in cut(SIGNAL, sizes) for w in p.push(c)):
        if i not in skipped:
            p.read(w)
            found.append((w.end, p.normal.de, p.normal.patches))
    for end, de, patches in found:
        np.testing.assert_array_equal(de, NORMAL[end][0])
        np.testing.assert_array_equal(patches, NORMAL[end][1])


def told_lost(signal, gone, sizes):
    """The same holes as a device reports them: samples absent, their number told."""
    chunks, lost = [], 0
    for c in cut(signal, sizes):
        for start, stop in _runs(~gone[c.first : c.end]):
            first = c.first + start
            lost = first - (chunks[-1].end if chunks else 0)
            chunks.append(Chunk(c.data[start:stop], first, (first + stop - start - 1) / INFO.sfreq, lost))
    return chunks


def _runs(there):
    edges = np.flatnonzero(np.diff(np.concatenate(([0], there.astype(int), [0]))))
    return zip(edges[::2], edges[1::2], strict=True)


@given(st.integers(1, 50), st.lists(st.tuples(st.integers(0, 70), st.integers(0, 60)), max_size=30))
def test_the_ring_is_the_tail_of_the_stream(capacity, writes):
    ring, whole = RingBuffer(StreamInfo(("Cz",), 1.0), capacity), np.zeros((0, 1), np.float32)
    for n, lost in writes:
        rows = np.arange(len(whole) + lost, len(whole) + lost + n, dtype=np.float32)[:, None]
        ring.write(Chunk(rows, len(whole) + lost, float(len(whole) + lost + n), lost))
        whole = np.concatenate((whole, np.full((lost, 1), np.nan, np.float32), rows))
        np.testing.assert_array_equal(ring.read(ring.oldest, ring.end).data, whole[ring.oldest :])
        np.testing.assert_array_equal(ring.latest(7).data, whole[max(ring.oldest, ring.end - 7) :])

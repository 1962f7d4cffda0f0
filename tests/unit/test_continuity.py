"""A source says where each chunk lies twice: what agrees is kept whole, what does not ends the run by name."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from fakes import EIGHT, INFO, FakeSource, Keep, cut, pink, pipeline
from hypothesis import given
from hypothesis import strategies as st
from waiting import until

from realtime_mood.errors import StreamMismatch
from realtime_mood.run.continuity import Continuity
from realtime_mood.run.engine import Engine
from realtime_mood.types import Chunk, Impedance, Marker

SIGNAL = pink(2000, len(EIGHT))


def run(chunks, info=INFO):
    engine = Engine(FakeSource(chunks, info), pipeline, [Keep()])
    engine.start()
    until(engine.done.is_set, 60)
    return engine


def empty(first, lost=0, **said):
    return Chunk(np.empty((0, len(EIGHT))), first, 0.0, lost, **said)


def later(chunks, by):
    return [replace(c, first=c.first + by) for c in chunks]


def test_a_loss_reported_on_an_empty_chunk_moves_ring_readings_and_markers_alike():
    chunks = cut(SIGNAL, [100])
    said = empty(1500, 500, markers=(Marker(1500, "back"),), impedances=(Impedance(1500, np.full(8, 7.0)),))
    engine = run([*chunks[:10], said, *later(chunks[10:], 500)])
    engine.stop()
    assert (engine.raw.end, engine.health.samples, engine.health.lost) == (2500, 2000, 500)
    assert engine.latest.end == 2500
    assert [(m.index, m.text) for m in engine.markers] == [(1500, "back")]
    assert engine.raw.impedance.index == 1500
    whole = engine.raw.read(0, 2500).data
    assert np.isnan(whole[1000:1500]).all()
    np.testing.assert_array_equal(np.delete(whole, slice(1000, 1500), axis=0), SIGNAL)


def test_a_loss_after_the_last_sample_is_counted():
    engine = run([*cut(SIGNAL, [100]), empty(2100, 100), empty(2130, 30)])
    engine.stop()
    assert (engine.health.samples, engine.health.lost) == (2000, 130)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (lambda c: replace(c, first=c.first + 500), "it begins at 1500 and reports 0 samples lost"),
        (lambda c: replace(c, lost=500), "it begins at 1000 and reports 500 samples lost"),
        (lambda c: replace(c, first=c.first - 100), "it begins at 900 and reports 0"),
        (lambda c: replace(c, first=c.first - 100, lost=-100), "it begins at 900 and reports -100"),
        (lambda c: empty(1400, 500), "it begins at 1400 and reports 500"),
        (lambda c: replace(c, data=c.data[:, :5]), r"a chunk of shape \(100, 5\)"),
        (lambda c: replace(c, data=c.data[:, 0]), r"a chunk of shape \(100,\)"),
    ],
)
def test_a_source_that_contradicts_itself_ends_the_run_by_name(wrong, says):
    chunks = cut(SIGNAL, [100])
    engine = run([*chunks[:10], wrong(chunks[10]), *chunks[11:]], replace(INFO, name="my source"))
    with pytest.raises(StreamMismatch, match=f"my source.* · .*{says}"):
        engine.stop()
    assert engine.raw.end == 1000  # and all before it is kept


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 6)), max_size=30))
def test_chunks_that_follow_one_another_come_out_whole(parts):
    place, end, rows, out = Continuity(INFO), 0, [], []
    for n, lost in parts:
        end += lost
        out.append(place(Chunk(SIGNAL[end : end + n], end, 0.0, lost, markers=(Marker(end, str(end)),))))
        rows += range(end, end + n)
        end += n
    came = [c for c in out if c is not None]
    assert [i for c in came for i in range(c.first, c.end)] == rows
    assert sum(c.lost for c in came) + place.pending == end - len(rows)
    assert all(len(c) for c in came)
    place(Chunk(SIGNAL[:1], end, 0.0))

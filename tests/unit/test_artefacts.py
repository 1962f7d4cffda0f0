"""Planted artefacts of many electrodes: their seconds are masked with the reason, others are not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from fakes import INFO, FakeNetwork, cut, pink, pipeline
from hypothesis import given, settings
from hypothesis import strategies as st

from realtime_mood.montage import SPREAD
from realtime_mood.reasons import ARTEFACTS
from realtime_mood.types import Abstained, Estimate, Fault, Why

SFREQ, SECONDS, AT = INFO.sfreq, 40, 20
N = round(SECONDS * SFREQ)
SIXTEEN = replace(INFO, ch_names=tuple(SPREAD[:16]))
SHARES = np.array([1.0, 0.95, 0.3, 0.3, 0.1, 0.1, 0.0, 0.0])


def brain(n_chans=8, seed=2):
    return pink(N, n_chans, seed=seed) / 3


def clench(x, seconds, channels=slice(None), at=AT):
    """Noise of muscles: little of it is slow."""
    part = slice(round(at * SFREQ), round((at + seconds) * SFREQ))
    noise = np.diff(60 * np.random.default_rng(1).standard_normal(x[part].shape), axis=0, prepend=0)
    x[part, channels] += noise[:, channels]
    return x


def blink(x, per_s, seconds, uv=120.0, at=AT):
    shape = uv * np.sin(np.pi * np.arange(round(0.25 * SFREQ)) / (0.25 * SFREQ)) ** 2
    for t in np.arange(at, at + seconds, 1 / per_s):
        x[round(t * SFREQ) :][: len(shape)] += np.outer(shape, SHARES[: x.shape[1]])
    return x


def run(signal, info=INFO, network=None, sizes=(50,), marks=True):
    p = pipeline(info, network)
    p.marks_artefacts = marks
    return [(w, p.read(w)) for c in cut(signal, list(sizes)) for w in p.push(c)]


def marked(found, why):
    """Seconds whose newest hop was marked with `why`."""
    code = 1 + ARTEFACTS.index(why)
    return [w.end / SFREQ for w, _ in found if w.artefacts is not None and w.artefacts[-1] == code]


def silent(found):
    return {t: r.why for w, r in found if (t := w.end / SFREQ) > 8 and isinstance(r, Abstained)}


def test_a_clenched_jaw_marks_its_hops_and_says_why_there_is_no_reading():
    found = run(clench(brain(), 2.0))
    hops = marked(found, Why.MUSCLE)
    assert hops[0] == AT + 0.25
    assert 8 <= len(hops) <= 10
    said = silent(found)
    assert set(said.values()) == {Why.MUSCLE}
    assert AT + 0.5 <= min(said) <= AT + 1.5
    assert AT + 6 <= max(said) <= AT + 13  # until most of it has left the context
    assert all(r.coverage < 1 for w, r in found if AT + 0.5 < w.end / SFREQ < AT + 11)


def test_the_features_are_those_of_the_signal_beside_it():
    seen = [], []
    for part, x in zip(seen, (clench(brain(), 0.5), brain()), strict=True):
        network = FakeNetwork()
        run(x, network=network)
        part += [f for f in network.seen if AT + 6 < f.t_last < AT + 10]
    apart = max(np.abs((a.de - b.de)[~a.step_mask]).max() for a, b in zip(*seen, strict=True))
    assert any(f.step_mask.any() for f in seen[0])
    assert apart < 1.0  # SD of the subject; the burst itself is some 10 above
    assert max(np.abs(f.de).max() for f in seen[0]) < 6


@pytest.mark.parametrize("channels", [[0], [2, 5]])
def test_few_loud_electrodes_are_faults_and_no_artefact(channels):
    x = brain(16)
    found = run(clench(x, 10, channels), SIXTEEN)
    assert marked(found, Why.MUSCLE) == []
    assert {found[-1][0].quality.faults[c] for c in channels} <= {None, Fault.MUSCLE}


def test_what_stays_loud_is_a_fault_of_the_electrodes():
    found = run(clench(brain(16), 16, [0, 1, 2, 3, 4, 5]), SIXTEEN)
    assert AT + 7.5 <= max(marked(found, Why.MUSCLE)) <= AT + 10
    loud = next(w for w, _ in found if w.end == (AT + 15) * SFREQ)
    assert loud.quality.faults[3] is Fault.MUSCLE


@pytest.mark.parametrize(("per_s", "rapid"), [(1 / 3, False), (1.5, False), (3.0, True), (4.0, True)])
def test_rapid_blinking_is_marked_and_blinking_is_not(per_s, rapid):
    found = run(blink(brain(), per_s, 4.0))
    assert bool(marked(found, Why.BLINKS)) == rapid
    if rapid:
        assert silent(found)
        assert set(silent(found).values()) == {Why.BLINKS}
    else:
        assert all(isinstance(r, Estimate) for w, r in found if w.end / SFREQ > 8.1)


def test_alpha_of_closed_eyes_is_no_blinking():
    wave = 75 * np.sin(2 * np.pi * 10 * np.arange(N) / SFREQ)[:, None]
    assert not [w for w, _ in run(brain() + wave) if w.artefacts is not None]


def test_older_recordings_are_read_without_marks():
    found = run(clench(brain(), 0.6), marks=False)
    assert all(isinstance(r, Estimate) for w, r in found if w.end / SFREQ > 8.1)
    assert {r.coverage for w, r in found if w.end / SFREQ > 15} == {1.0}


def test_lost_samples_are_still_a_gap_beside_an_artefact():
    chunks = cut(clench(brain(), 0.2, at=AT + 3), [25])
    lost = [c for c in chunks if not AT * SFREQ <= c.first < (AT + 4) * SFREQ or c.first // 25 % 2]
    lost = [replace(c, lost=25 if c.first and c.first - 25 not in {o.first for o in lost} else 0) for c in lost]
    p = pipeline()
    found = [(w, p.read(w)) for c in lost for w in p.push(c)]
    assert Why.GAP in silent(found).values()


@settings(max_examples=4, deadline=None)
@given(sizes=st.lists(st.integers(1, 300), min_size=1, max_size=5), seed=st.integers(0, 99))
def test_marks_do_not_depend_on_how_the_stream_is_cut(sizes, seed):
    rng = np.random.default_rng(seed)
    x = blink(clench(brain(seed=seed), rng.uniform(0.1, 2), at=rng.uniform(5, 9)), 3.3, 2, at=rng.uniform(4, 9))
    one, other = run(x[: round(12 * SFREQ)]), run(x[: round(12 * SFREQ)], sizes=sizes)
    for (w, r), (v, s) in zip(one, other, strict=True):
        assert (r.coverage, getattr(r, "why", None)) == (s.coverage, getattr(s, "why", None))
        assert (w.artefacts is None) == (v.artefacts is None)
        np.testing.assert_array_equal(w.counts, v.counts)
        np.testing.assert_array_equal(w.valid, v.valid)

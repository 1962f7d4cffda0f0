"""Fast measures: the same however the stream is cut, right on planted rhythms, silent on what is no brain."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from realtime_mood.errors import ConfigError, StreamMismatch
from realtime_mood.feedback.measures import RATE_HZ, FastMeasures, lag_of
from realtime_mood.feedback.plan import Measure
from realtime_mood.types import Chunk, Fault, Quality, StreamInfo

INFO = StreamInfo(("F3", "F4", "O1", "O2"), 200.0)
ALPHA = Measure(kind="band", band="alpha", electrodes=("O1", "O2"))
RATIO = Measure(kind="ratio", band="theta", over="beta", electrodes=("F3", "F4"))
ASYMMETRY = Measure(kind="asymmetry", band="alpha", electrodes=("F3", "F4"))
T = np.arange(round(20 * INFO.sfreq)) / INFO.sfreq


def signal(alpha_uv=(10.0, 10.0, 10.0, 10.0), seed=0) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(0, 5, (len(T), 4))
    return (noise + np.sin(2 * np.pi * 10 * T)[:, None] * np.array(alpha_uv)).astype(np.float32)


def chunks(data: np.ndarray, cuts=()) -> list[Chunk]:
    edges = [0, *sorted(set(cuts)), len(data)]
    return [Chunk(data[a:b], a, b / 200) for a, b in pairwise(edges) if b > a]


def run(data: np.ndarray, *measures: Measure, cuts=()):
    it = FastMeasures(measures, INFO, ())
    return [sample for chunk in chunks(data, cuts) for sample in it.push(chunk)]


@settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(1, 3999), max_size=12), st.booleans())
def test_cutting_the_stream_changes_no_bit(cuts, holes):
    data = signal()
    if holes:
        data[1500:1520] = np.nan
        data[2600:2900] = np.nan
    whole, cut = run(data, ALPHA, RATIO), run(data, ALPHA, RATIO, cuts=cuts)
    assert [(s.index, s.why) for s in whole] == [(s.index, s.why) for s in cut]
    np.testing.assert_array_equal([s.values for s in whole], [s.values for s in cut])


def test_thirty_a_second_and_none_before_it_has_settled():
    samples = run(signal(), ALPHA)
    assert len(samples) == 20 * RATE_HZ
    first = next(s for s in samples if not s.why)
    assert first.index / 200 == pytest.approx(2 + 3 * 0.5, abs=0.05)
    assert all(math.isnan(s.values[0]) for s in samples if s.why)


def test_power_is_that_of_the_rhythm():
    (value,) = run(signal((20, 20, 20, 20)), ALPHA)[-1].values
    assert math.exp(value) == pytest.approx(200, rel=0.2)  # half of 20² µV²


def test_asymmetry_is_right_less_left_and_a_ratio_is_of_its_bands():
    (more_right,) = run(signal((5, 20, 5, 5)), ASYMMETRY)[-1].values
    assert more_right > 1
    theta = signal((0, 0, 0, 0)) + 20 * np.sin(2 * np.pi * 6 * T)[:, None].astype(np.float32)
    (slow,) = run(theta, RATIO)[-1].values
    (fast,) = run(signal((0, 0, 0, 0)), RATIO)[-1].values
    assert slow > fast + 2


def test_a_step_is_followed_as_soon_as_the_lag_says():
    data = signal((2, 2, 2, 2))
    data[2000:] += (30 * np.sin(2 * np.pi * 10 * T[2000:]))[:, None].astype(np.float32)
    samples = [s for s in run(data, ALPHA) if not s.why]
    power = np.exp([s.values[0] for s in samples])
    at = np.array([s.index for s in samples]) / 200
    half = at[np.argmax(power > power[-1] / 2)] - 10
    lag = lag_of(ALPHA, 200.0)
    assert half == pytest.approx(lag.filter_s + 0.5 * math.log(2), abs=0.1)
    assert lag.total_s == pytest.approx(0.5 + 0.075, abs=0.01)


@pytest.mark.parametrize(
    ("harm", "why"),
    [
        (lambda d: d.__setitem__((slice(2000, 2400), 2), 3.0), "flat"),
        (lambda d: d.__setitem__((slice(2000, 2400), 3), 500 * np.sin(40 * np.pi * T[2000:2400])), "too loud"),
        (lambda d: d.__setitem__(slice(2000, 2045), np.nan), "samples lost"),
        (lambda d: d.__setitem__(slice(2000, 2200), np.nan), "settling"),
    ],
)
def test_what_is_no_brain_is_invalid_and_says_why(harm, why):
    data = signal()
    harm(data)
    samples = [s for s in run(data, ALPHA) if s.index > 2000]
    assert any(s.why == why for s in samples)
    assert not next(s for s in samples if s.index >= 3990).why  # and it comes back


def test_an_electrode_that_the_pipeline_found_poor_says_nothing():
    it, data = FastMeasures((ALPHA,), INFO, ()), signal()
    assert not it.push(Chunk(data[:2000], 0, 10.0))[-1].why
    it.judge(Quality(np.ones(4), (None, None, Fault.MUSCLE, None)))
    assert it.push(Chunk(data[2000:3000], 2000, 15.0))[-1].why == "poor signal"
    it.judge(Quality(np.ones(4), (None, Fault.FLAT, None, None)))  # one that is not used
    assert not it.push(Chunk(data[3000:], 3000, 20.0))[-1].why


def test_a_headset_without_the_electrodes_is_refused_in_words():
    with pytest.raises(StreamMismatch, match="has no P3"):
        FastMeasures((Measure(kind="band", electrodes=("P3",)),), INFO)
    with pytest.raises(StreamMismatch, match="200 Hz"):
        FastMeasures((Measure(kind="band", band=(60.0, 95.0), electrodes=("O1",)),), INFO)


def test_a_measure_of_another_package_is_a_kind_like_ours(registered):
    registered("measures", "spread", lambda power, over: float(power.max() - power.min()))
    mine = run(signal((1.0, 30.0, 5.0, 5.0)), Measure(kind="spread", band="alpha", electrodes=("F3", "F4")))
    ours = run(signal((1.0, 30.0, 5.0, 5.0)), ASYMMETRY)
    np.testing.assert_allclose([s.values for s in mine], [s.values for s in ours])


@pytest.mark.parametrize("value", [math.inf, None, "much"])
def test_one_that_breaks_leaves_the_others_and_is_named(registered, value):
    registered("measures", "mine", lambda power, over: value)
    reported: list[str] = []
    mine = Measure(kind="mine", band="alpha", electrodes=("O1", "O2"))
    it = FastMeasures((ALPHA, mine), INFO, (), reported.append)
    samples = [sample for chunk in chunks(signal()) for sample in it.push(chunk)]
    settled = [s for s in samples if s.why != "settling"]
    assert settled
    assert {s.why for s in settled} == {"no value of mine"}
    assert [s.values[0] for s in settled] == [s.values[0] for s in run(signal(), ALPHA) if not s.why]
    assert all("measure 'mine' of this program failed" in text for text in reported)
    assert 0 < len(reported) <= 5 if not isinstance(value, float) else not reported


def test_an_unknown_kind_is_refused_with_those_there_are():
    with pytest.raises(ValueError, match="known measures are band, ratio, asymmetry, readout"):
        Measure(kind="mine", electrodes=("O1",))


CHAINS = "Fp1 F7 T7 P7 O1 F3 C3 P3 Fz Cz Pz Fp2 F4 C4 P4 O2 F8 T8 P8"
CAP = StreamInfo(tuple(CHAINS.split()), 200.0)


def run_in_a_cap(data, measure, reference, cuts=(), judge=None):
    it = FastMeasures((measure,), CAP, (), reference=reference)
    if judge is not None:
        it.judge(judge)
    return [sample for chunk in chunks(data, cuts) for sample in it.push(chunk)]


def cap_signal(common_uv=0.0):
    """A rhythm of 10 µV at C3, and one that all electrodes share."""
    noise = np.random.default_rng(2).normal(0, 1, (len(T), CAP.n_chans))
    noise[:, CAP.ch_names.index("C3")] += 10 * np.sin(2 * np.pi * 10 * T)
    return (noise + common_uv * np.sin(2 * np.pi * 10.5 * T)[:, None]).astype(np.float32)


@pytest.mark.parametrize(
    ("reference", "electrode", "gain"),
    [("recorded", "C3", 1), ("average", "C3", 18 / 19), ("laplacian", "C3", 1), ("recorded", "C3-P3", 1)],
)
def test_a_measure_has_the_reference_of_its_session(reference, electrode, gain):
    measure = Measure(kind="band", band="alpha", electrodes=(electrode,))
    value = run_in_a_cap(cap_signal(), measure, reference)[-1].values[0]
    assert value == pytest.approx(math.log((10 * gain) ** 2 / 2), abs=0.2)
    shared = run_in_a_cap(cap_signal(40.0), measure, reference)[-1].values[0]
    is_as_recorded = (reference, electrode) == ("recorded", "C3")
    assert shared == pytest.approx(value, abs=1e-3) or is_as_recorded
    assert (shared > value + 1) == is_as_recorded


@settings(max_examples=10, deadline=None)
@given(st.lists(st.integers(1, 3999), max_size=12), st.sampled_from(["average", "laplacian"]))
def test_cutting_changes_no_bit_of_a_derived_measure(cuts, reference):
    data = cap_signal(5.0)
    data[1500:1520] = np.nan
    measure = Measure(kind="band", electrodes=("C3", "Cz-Pz"))
    whole, cut = (run_in_a_cap(data, measure, reference, cuts=these) for these in ([], cuts))
    np.testing.assert_array_equal([s.values for s in whole], [s.values for s in cut])


@pytest.mark.parametrize(
    ("reference", "electrode", "bad", "valid"),
    [("laplacian", "C3", "T7", False), ("average", "C3", "T7", True), ("average", "C3", "C3", False),
     ("recorded", "C3-P3", "P3", False), ("recorded", "C3-P3", "Pz", True)],
)  # fmt: skip
def test_the_electrodes_that_a_measure_rests_on_have_to_be_good(reference, electrode, bad, valid):
    faults = tuple(Fault.MUSCLE if name == bad else None for name in CAP.ch_names)
    quality = Quality(np.array([fault is None for fault in faults], np.float32), faults)
    measure = Measure(kind="band", electrodes=(electrode,))
    last = run_in_a_cap(cap_signal(), measure, reference, judge=quality)[-1]
    assert last.why == ("" if valid else "poor signal")


def test_a_reference_that_the_montage_cannot_give_is_refused():
    with pytest.raises(ConfigError, match="laplacian of O1 · it has no neighbours on all sides"):
        FastMeasures((Measure(kind="band", electrodes=("O1",)),), CAP, (), reference="laplacian")
    with pytest.raises(ConfigError, match="4 electrodes, whose mean is no reference"):
        FastMeasures((ALPHA,), INFO, (), reference="average")
    with pytest.raises(StreamMismatch, match="the headset has no P3"):
        FastMeasures((Measure(kind="band", electrodes=("F3-P3",)),), INFO, ())

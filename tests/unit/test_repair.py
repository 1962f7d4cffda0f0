"""Repair of planted blinks: they go, what is beside them stays, and how the signal is cut does not matter."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from fakes import INFO, POPULATION, cut, pink, pipeline
from hypothesis import given, settings
from hypothesis import strategies as st

from realtime_mood.api.options import ReadingOptions
from realtime_mood.dsp.repair import DEAD_UV, EyeRepair, frontal, shared
from realtime_mood.dsp.spec import FeatureSpec
from realtime_mood.errors import ProfileError, StreamMismatch
from realtime_mood.estimator import SignalOnly
from realtime_mood.models.building import PipelineBuilder
from realtime_mood.pipeline import Pipeline
from realtime_mood.profile import Profile
from realtime_mood.ring import RingBuffer
from realtime_mood.viewmodel.derived import ShownSignal
from realtime_mood.viewmodel.lanes import TraceSettings

SFREQ, N = INFO.sfreq, round(60 * INFO.sfreq)
REPAIRED = FeatureSpec(repair="eog")
SHARES = np.array([1.0, 0.95, 0.5, 0.5, 0.2, 0.2, 0.05, 0.0])  # of the blink, in the order of INFO's electrodes


def blinks(every_s=3.0, uv=150.0):
    """(N,): blinks of 0.3 s."""
    course, shape = np.zeros(N), uv * np.sin(np.pi * np.arange(round(0.3 * SFREQ)) / (0.3 * SFREQ)) ** 2
    for at in np.arange(6.0, 59.0, every_s):
        course[round(at * SFREQ) :][: len(shape)] = shape
    return course


def clean(signal, spec, sizes=(50,)):
    p = Pipeline(INFO, spec, SignalOnly(spec, SFREQ), ())
    windows = [w for c in cut(signal, list(sizes)) for w in p.push(c)]
    return p.clean.latest(N).data, windows


def test_blinks_shrink_to_a_quarter_at_the_forehead_and_alpha_stays():
    t = np.arange(N) / SFREQ
    brain = pink(N, 8, seed=3) / 4
    brain[:, 4:] += 15 * np.sin(2 * np.pi * 10 * t)[:, None]
    with_blinks = brain + np.outer(blinks(), SHARES)
    (truth, _), (found, _), (raw, _) = (clean(x, s) for x, s in (
        (brain, FeatureSpec()), (with_blinks, REPAIRED), (with_blinks, FeatureSpec()),
    ))  # fmt: skip
    late = slice(N // 2, None)
    before, after = (np.abs(x[late] - truth[late]).max(axis=0) for x in (raw, found))
    assert before[0] > 100
    assert (after[:2] < DEAD_UV + 25).all()
    assert (after[2:4] < 0.6 * before[2:4]).all()
    calm = np.abs(blinks()) < 1e-9
    untouched = np.all(found == raw, axis=1)
    assert untouched[calm].mean() > 0.95  # the high-pass filter swings back after a large blink
    assert untouched[late][blinks()[late] > 120].mean() < 0.05


def test_factors_are_what_reaches_each_electrode():
    repair, hop = EyeRepair(INFO.ch_names, SFREQ), round(SFREQ / 4)
    rows = np.outer(blinks(), SHARES)
    for start in range(0, N, hop):
        repair(rows[start : start + hop], [len(rows[start : start + hop])])
    eye = shared(rows[:, repair._frontal])  # the smaller of the two: of Fp2
    np.testing.assert_allclose(repair.factors, np.clip(SHARES / 0.95, -1, 1), atol=0.02)
    assert eye.max() == pytest.approx(0.95 * 150)


@pytest.mark.parametrize("how", ["one electrode loose", "opposite signs", "no blink"])
def test_what_is_no_blink_changes_nothing(how):
    signal = pink(N, 8, seed=5) / 4
    if how == "one electrode loose":
        signal[:, 0] += blinks(uv=400)
    if how == "opposite signs":  # of a horizontal movement of the eyes
        signal[:, 0] += blinks()
        signal[:, 1] -= blinks()
    np.testing.assert_array_equal(clean(signal, REPAIRED)[0], clean(signal, FeatureSpec())[0])


@settings(max_examples=8, deadline=None)
@given(sizes=st.lists(st.integers(1, 300), min_size=1, max_size=6), seed=st.integers(0, 99))
def test_the_repaired_signal_does_not_depend_on_how_the_stream_is_cut(sizes, seed):
    n = round(9 * SFREQ)
    signal = (pink(N, 8, seed=seed) / 4 + np.outer(blinks(1.3), SHARES))[:n]
    (one, first), (other, second) = clean(signal, REPAIRED), clean(signal, REPAIRED, sizes)
    np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(first[-1].power, second[-1].power)


def test_frontal_electrodes_are_needed_and_the_best_pair_is_taken():
    assert frontal(("AF8", "Cz", "Fp1", "AF7")) == [3, 0]
    assert frontal(("Oz", "AFz")) == [1]
    with pytest.raises(StreamMismatch, match=r"repair 'eog' · there is no pair .* Fp1 and Fp2"):
        Pipeline(replace(INFO, ch_names=tuple(f"O{k}" for k in (1, 2))), REPAIRED, None)


def test_a_profile_is_valid_with_the_repair_it_was_made_with():
    steps = np.random.default_rng(0).normal(2.5, 0.3, (60, 8, 5))
    good = np.ones((60, 8), bool)
    for made, run in (("none", "eog"), ("eog", "none")):
        profile = Profile.from_steps(INFO, FeatureSpec(repair=made), steps, good)
        profile.statistics(INFO, FeatureSpec(repair=made), POPULATION.sd)
        with pytest.raises(ProfileError, match=rf"with(out)? .*repair.* · this one .* · run with --repair {made}, or"):
            PipelineBuilder(ReadingOptions(repair=run), profile)(INFO)


def test_where_nothing_is_repaired_stored_features_are_as_before():
    assert "repair" not in FeatureSpec().model_dump(mode="json")
    assert FeatureSpec.model_validate(REPAIRED.model_dump(mode="json")) == REPAIRED


def test_a_run_with_repair_says_so():
    built = PipelineBuilder(ReadingOptions(repair="eog"))
    assert built(INFO).notes[0] == "repair of the signal: eog; the network was trained with: none"
    assert built.about()["repair"] == "eog"
    assert pipeline().notes == ()


def test_the_traces_say_whether_what_they_show_is_repaired():
    ring, shown = RingBuffer(INFO, 1000), ShownSignal()
    for repair, raw, words in (
        ("eog", False, "filtered · blinks repaired"),
        ("eog", True, "raw"),
        ("none", False, "filtered"),
    ):
        shown.ring(SimpleNamespace(raw=ring, clean=ring, repair=repair), TraceSettings(raw=raw), ())
        assert shown.words == words

"""Statistics of a person: running, frozen, stored."""

from __future__ import annotations

import json
import os
import stat

import numpy as np
import pytest
from fakes import INFO, POPULATION, cut, pink, pipeline

from realtime_mood.dsp.spec import FeatureSpec
from realtime_mood.entropy import Statistics
from realtime_mood.errors import ProfileError
from realtime_mood.profile import DRIFT_SD_PER_MIN, LEARN_S, PRIOR_S, Normaliser, Profile
from realtime_mood.types import Chunk, Features, Quality, StreamInfo

SPEC = FeatureSpec()
GOOD = Quality(np.ones(8, np.float32), (None,) * 8)


def profile(info=INFO, n=60, seed=0):
    de = np.random.default_rng(seed).normal(3, 0.5, (n, info.n_chans, 5))
    return Profile.from_steps(info, SPEC, de, np.ones(de.shape[:2], bool))


def start():
    return Statistics.of_population(POPULATION.mean, POPULATION.sd, 8)


def test_without_a_profile_a_minute_is_learnt_from_and_what_lasts_does_not_become_normal():
    normaliser, rng, everywhere = (
        Normaliser(start(), 200.0, frozen=False),
        np.random.default_rng(0),
        np.ones((8, 1), bool),
    )
    for _ in range(60):
        normaliser.take_in(rng.normal(4.0, 0.5, (8, 5)), everywhere, 1.0)
    learnt, sd = normaliser.statistics.mean, normaliser.statistics.sd
    share = PRIOR_S / (PRIOR_S + LEARN_S)
    assert learnt == pytest.approx(share * POPULATION.mean[0] + (1 - share) * 4.0, abs=0.25)
    assert ((sd > 0.4) & (sd < 1.0)).all()  # the way from the population to the person counts as spread, too
    for _ in range(600):
        normaliser.take_in(rng.normal(6.0, 0.5, (8, 5)), everywhere, 1.0)
    moved = (normaliser.statistics.mean - learnt) / sd
    assert (moved > 0).all()
    assert (moved <= 10 * DRIFT_SD_PER_MIN + 1e-9).all()
    assert (normaliser.statistics.sd == sd).all()


def test_a_profile_moves_no_faster_than_it_may():
    normaliser = Normaliser(start(), 200.0, frozen=True)
    for _ in range(60):
        normaliser.take_in(np.full((8, 5), 50.0), np.ones((8, 1), bool), 1.0)
    moved = (normaliser.statistics.mean - POPULATION.mean) / POPULATION.sd
    assert (moved > 0).all()
    assert (moved <= DRIFT_SD_PER_MIN + 1e-9).all()
    assert (normaliser.statistics.sd == start().sd).all()


def test_a_bad_channel_moves_nothing():
    normaliser, good = Normaliser(start(), 200.0, frozen=False), np.ones((8, 1), bool)
    good[3] = False
    normaliser.take_in(np.full((8, 5), 9.0), good, 1.0)
    moved = (normaliser.statistics.mean != POPULATION.mean).any(axis=1)
    assert moved.tolist() == [i != 3 for i in range(8)]


@pytest.mark.parametrize("every", [1, 3, 7, 81])
def test_each_second_is_taken_in_once_however_many_windows_are_read_or_skipped(every):
    p, taken = pipeline(), []
    normaliser = p._estimator._normaliser
    take_in = normaliser.take_in
    normaliser.take_in = lambda de, *more: (taken.append(de), take_in(de, *more))
    windows = [w for c in cut(pink(4000, 8), [400]) for w in p.push(c)]
    for w in windows[::every]:
        p.read(w)
    assert normaliser._seconds == 46  # 30 s of prior and the 16 s after the filters had settled
    steps = [p.features(w).de[-1] for w in windows if w.end % 200 == 0 and w.end > 800]
    np.testing.assert_array_equal(taken, steps)


@pytest.mark.parametrize("sfreq", [99.7, 127.93, 160.0, 250.0, 500.5])
def test_steps_keep_to_stream_time_at_any_rate(sfreq):
    normaliser, ends = Normaliser(start(), sfreq, frozen=False), []
    normaliser.take_in = lambda de, *_: ends.append(de[0, 0])
    for k in range(1, 241):
        end = SPEC.grid(k, sfreq)
        de, there = np.full((10, 8, 5), end, np.float32), np.zeros(10, bool)
        features = Features(de, np.empty((8, 0, 128)), there, np.empty(0, bool), GOOD, 1.0, end / sfreq)
        normaliser(features, end, SPEC.step_s)
    np.testing.assert_array_equal(ends, [SPEC.grid(4 * n, sfreq) for n in range(1, 61)])


def both(statistics):
    return statistics.mean, statistics.sd


def test_a_bad_electrode_of_the_stream_moves_no_statistics_while_it_is_bad():
    signal = pink(4000, 8)
    signal[1000:, 3] += 300 * np.sin(np.arange(3000) * 2 * np.pi * 50 / 200)  # mains
    p, moved = pipeline(), []
    p.leave_out(["O1"], 0)
    before = None
    for w in p.push(Chunk(signal, 0, 20.0)):
        if before is not None and w.end % 200 == 0 and w.end > 1800:
            moved.append([(x != y).any(axis=1) for x, y in zip(both(w.statistics), both(before), strict=True)])
        before = w.statistics
    bad = [name in ("C4", "O1") for name in INFO.ch_names]
    assert len(moved) == 11
    np.testing.assert_array_equal(moved, np.broadcast_to(~np.array(bad), (11, 2, 8)))


def test_a_baseline_rests_on_the_seconds_in_which_each_electrode_was_good():
    de = np.random.default_rng(0).normal(3, 0.5, (60, 8, 5))
    good = np.ones((60, 8), bool)
    good[40:, 2] = False
    spoilt = np.where(good[:, :, None], de, 9.0)
    np.testing.assert_array_equal(*(Profile.from_steps(INFO, SPEC, x, good).mean for x in (de, spoilt)))
    np.testing.assert_array_equal(*(Profile.from_steps(INFO, SPEC, x, good).sd for x in (de, spoilt)))


def test_stored_and_read_back_it_is_the_same_and_only_its_owner_can_read_it(tmp_path):
    path = tmp_path / "deep" / "p.json"
    profile().save(path)
    assert Profile.load(path) == profile().model_copy(update={"made": Profile.load(path).made})
    if os.name == "posix":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_subset_of_its_channels_is_served_in_the_streams_order():
    some = StreamInfo(("O2", "Fp1", "C3", "C4"), 200.0)
    mean = np.asarray(profile().mean)
    assert profile().statistics(some, SPEC, POPULATION.sd).mean == pytest.approx(mean[[7, 0, 2, 3]])


@pytest.mark.parametrize(
    ("info", "spec", "says"),
    [
        (StreamInfo(("Fp1", "Cz"), 200.0), SPEC, "made without Cz"),
        (StreamInfo(INFO.ch_names, 200.0, virtual=True), SPEC, "a real headset"),
        (INFO, SPEC.model_copy(update={"highpass_hz": 1.0}), "other bands or filters"),
    ],
)
def test_a_profile_for_something_else_is_refused(info, spec, says):
    with pytest.raises(ProfileError, match=says):
        profile().statistics(info, spec, POPULATION.sd)


@pytest.mark.parametrize("kind", ["missing", "altered", "not json", "a list", "extra key", "binary"])
def test_a_bad_file_is_one_line_and_no_crash(tmp_path, kind):
    path = tmp_path / "p.json"
    profile().save(path)
    body = json.loads(path.read_text())
    body["mean"][0][0] += 0.5
    contents = {"not json": "{", "a list": "[1]", "extra key": json.dumps(body | {"x": 1}), "altered": json.dumps(body)}
    if kind == "missing":
        path.unlink()
    elif kind == "binary":
        path.write_bytes(b"\xff\xfe\x00")
    else:
        path.write_text(contents[kind])
    with pytest.raises(ProfileError) as caught:
        Profile.load(path)
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)

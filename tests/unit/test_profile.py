"""Statistics of a person: running, frozen, stored."""

from __future__ import annotations

import json
import os
import stat

import numpy as np
import pytest
from fakes import INFO, POPULATION, cut, pink, pipeline

from realtime_mood.dsp.spec import FeatureSpec
from realtime_mood.errors import ProfileError
from realtime_mood.profile import DRIFT_SD_PER_MIN, LEARN_S, PRIOR_S, Normaliser, Profile, Statistics
from realtime_mood.types import StreamInfo

SPEC = FeatureSpec()


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


def test_each_second_is_taken_in_once_however_many_windows_are_read_or_skipped():
    chunks, ends = cut(pink(4000, 8), [400]), []
    for every in (1, 3, 7):
        p = pipeline()
        normaliser = p._estimator._normaliser
        for i, w in enumerate(w for c in chunks for w in p.push(c)):
            if i % every == 0 or w.end == 4000:
                p.read(w)
        ends.append((normaliser._seconds, normaliser.statistics.mean))
    assert ends[0][0] == pytest.approx(46)  # 30 s of prior and the 16 s after the filters had settled
    for seconds, mean in ends[1:]:
        assert seconds == pytest.approx(ends[0][0], abs=2.0)
        assert mean == pytest.approx(ends[0][1], abs=0.05)


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

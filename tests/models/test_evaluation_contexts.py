"""Every method is shown the same, what a live run would see, and nothing of the future."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from evaluation_people import NAMES, SPEC, planted, view
from trial_people import with_trials

from realtime_mood.entropy import Statistics
from realtime_mood.models.datasets import virtual
from realtime_mood.models.datasets.person import NO_LABEL, person, population
from realtime_mood.models.evaluation import contexts
from realtime_mood.models.evaluation.contexts import View, scored_seconds, thinned
from realtime_mood.models.evaluation.mood_reader import batch
from realtime_mood.models.evaluation.riemannian import _covariances, _running, _tangent_at_rest
from realtime_mood.models.subject_sampler import SubjectSampler
from realtime_mood.profile import DRIFT_SD_PER_MIN
from realtime_mood.sources.synthetic.person import Script, VirtualPerson
from realtime_mood.types import StreamInfo


@pytest.fixture(scope="module")
def people():
    return [planted(seed) for seed in range(4)]


@pytest.mark.parametrize(("track", "frozen"), [("c1", True), ("running", False)])
def test_the_reader_is_fed_what_training_feeds_it(people, track, frozen):
    sampler, seen = SubjectSampler(people, population(people), SPEC), view(people, track, NAMES[2:])
    c = seen.contexts(people[1])
    rows = np.array([0, 7, len(c) - 1])
    made = batch(c, rows)
    for k, row in enumerate(rows):
        de, patches, good, there, positions = sampler.sample(
            1, int(c.at[row]), sampler.statistics(1, frozen=frozen), np.arange(2, 6)
        )
        np.testing.assert_allclose(made.de[k], de, atol=1e-6)
        np.testing.assert_allclose(made.patches[k], patches, atol=1e-6)
        np.testing.assert_array_equal(made.keep_chans[k], good)
        np.testing.assert_array_equal(made.keep_steps[k], there)
        np.testing.assert_array_equal(made.positions[k], positions)


def test_the_raw_context_is_ten_seconds_that_end_where_the_de_ends(people):
    p, c = people[0], view(people).contexts(people[0])
    signal = c.microvolts([5])[0]
    assert signal.shape == (6, 1280)
    t = int(c.at[5])
    np.testing.assert_array_equal(signal[:, -128:], p.patches[t].astype(np.float32))
    assert not signal[:, : 128 * int((~c.there[5]).sum())].any()
    assert c.raw([5])[..., -640:].std() == pytest.approx(1, abs=0.5)  # in the rms of rest


def test_tracks_differ_in_statistics_and_in_nothing_else(people):
    found = {track: view(people, track).contexts(people[2]) for track in ("z", "c1", "drifting", "running")}
    pop = population(people)
    for c in found.values():
        np.testing.assert_array_equal(c.at, found["c1"].at)
        assert not people[2].rest[c.at].any()
    np.testing.assert_allclose(found["z"].mean[3], Statistics.of_population(pop.mean, pop.sd, 6).mean)
    rest = people[2].de[4:60].mean(axis=0)
    np.testing.assert_allclose(found["c1"].mean[90], rest, atol=0.05)
    assert np.ptp(found["running"].mean, axis=0).max() > 0.01
    drift = np.abs(found["drifting"].mean[-1] - found["c1"].mean[-1]) / found["c1"].sd[-1]
    assert 0.01 < drift.max() <= DRIFT_SD_PER_MIN * (len(people[2].label) - 60) / 60 + 1e-6
    assert np.ptp(found["z"].mean, axis=0).max() == np.ptp(found["c1"].mean, axis=0).max() == 0


def test_only_the_transductive_track_knows_what_is_scored(people):
    p = people[0]
    c = view(people, "t").contexts(p)
    z = c.de[c.there]
    assert np.abs(z.mean(axis=0)).max() < 0.3 < np.abs(view(people, "c1").contexts(p).de[c.there].mean(axis=0)).max()
    other = replace(p, de=np.where(np.arange(len(p.label))[:, None, None] >= 100, p.de + 1, p.de))
    for track, knows in (("t", True), ("c1", False), ("z", False), ("running", False), ("drifting", False)):
        a, b = (view(people, track).contexts(who) for who in (p, other))
        before = np.flatnonzero(a.at < 100)
        assert (np.abs(a.mean_de[before] - b.mean_de[before]).max() > 0.1) == knows


def test_an_electrode_that_cannot_be_trusted_says_nothing(people):
    p = people[0]
    p.good[60:, 1] = False
    try:
        features = view(people).contexts(p).mean_de.reshape(-1, 6, 5)
    finally:
        p.good[60:, 1] = True
    assert not features[:, 1].any()
    assert features[:, 0].any()


@pytest.mark.parametrize("track", ["z", "c1", "drifting", "running"])
def test_nothing_later_in_a_record_reaches_a_feature(track):
    """From the signal up: another ending of the same record changes no context before it."""
    names, seconds, cut = ("Fp1", "Fp2", "C3", "C4", "O1", "O2"), 110, 95
    signal = VirtualPerson(3, names, 128.0, Script.parse("rest:60,positive:50"), "easy").signal(seconds)
    other = signal.copy()
    other[cut * 128 :] = 3 * other[cut * 128 :][::-1] + 20
    label = np.where(np.arange(seconds) < 62, NO_LABEL, np.arange(seconds) % 3)
    one, two = (
        person("p", StreamInfo(names, 128.0, virtual=True), [s], [label], slice(0, 60), SPEC) for s in (signal, other)
    )
    pop = population([planted(0), planted(1)])
    seen = View(virtual.LABELS, SPEC, track, names, pop)
    a, b = seen.contexts(one), seen.contexts(two)
    before = np.flatnonzero(a.at < cut)
    assert len(before) > 20
    np.testing.assert_array_equal(a.at[before], b.at[: len(before)])
    np.testing.assert_array_equal(a.mean_de[before], b.mean_de[before])
    np.testing.assert_array_equal(a.raw(before), b.raw(before))
    ca, cb = (_covariances(c, True) for c in (a, b))
    np.testing.assert_array_equal(ca[before], cb[before])
    np.testing.assert_array_equal(*(_tangent_at_rest(c, True, [c])[before] for c in (a, b)))
    np.testing.assert_array_equal(*(np.stack(list(_running(c, True, ca[0])))[before] for c in (a, b)))
    assert np.abs(a.mean_de[-1] - b.mean_de[-1]).max() > 0.5


def test_seconds_scored_are_labelled_whole_and_after_the_baseline(people):
    at = scored_seconds(people[0], SPEC)
    assert (people[0].label[at] != NO_LABEL).all()
    assert all(people[0].there[at - back].all() for back in range(4))


def test_of_a_large_set_some_seconds_of_every_trial_are_scored(monkeypatch):
    subjects = [with_trials(seed) for seed in range(3)]
    every_second = [scored_seconds(p, SPEC) for p in subjects]
    n = sum(map(len, every_second))
    for limit, every in ((n, 1), (n - 1, 2), (n // 5 + 1, 5), (1, SPEC.n_steps)):
        monkeypatch.setattr(contexts, "MOST_CONTEXTS", limit)
        some = thinned(subjects, SPEC)
        assert {p.every for p in some} == {every}
        for p, before in zip(some, every_second, strict=True):
            at = scored_seconds(p, SPEC)
            assert set(at) <= set(before)
            for trial in np.unique(p.trial[before]):
                own = at[p.trial[at] == trial]
                assert own[-1] == before[p.trial[before] == trial][-1]
                assert set(np.diff(own)) <= {every}

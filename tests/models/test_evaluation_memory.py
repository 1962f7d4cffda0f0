"""Evaluation of a large corpus: memory is limited, and results are those of before where the limits are not reached."""

from __future__ import annotations

import weakref
from dataclasses import replace

import numpy as np
import pytest
from evaluation_people import NAMES, SPEC, planted, study, view
from memory import peak_of
from trial_people import in_sessions, with_trials

from realtime_mood.errors import MoodError
from realtime_mood.models.datasets.person import frozen_statistics, population
from realtime_mood.models.evaluation import baselines, riemannian
from realtime_mood.models.evaluation.baselines import Classical, Majority, fitted_to_some
from realtime_mood.models.evaluation.contexts import Contexts, scored_seconds
from realtime_mood.models.evaluation.eegnet import EEGNetMethod
from realtime_mood.models.evaluation.own_trials import OwnReadout
from realtime_mood.models.evaluation.riemannian import Riemannian, _features
from realtime_mood.models.evaluation.splits import plan
from realtime_mood.models.evaluation.store import Store, StoredResults


@pytest.fixture(scope="module")
def people():
    return [planted(seed) for seed in range(12)]


@pytest.fixture(autouse=True)
def nothing_kept():
    riemannian._kept.clear()


# -- contexts ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("track", ["z", "c1", "running"])
def test_the_average_in_blocks_is_the_same_bits_for_less_memory(track):
    p = in_sessions(1)
    c = view([p], track).contexts(p)
    at = np.sort(np.tile(c.at, 1 if track == "running" else 24))
    c, one_by_one = replace(c, at=at), replace(c, at=at)
    average = one_by_one.de.sum(axis=1) / one_by_one.there.sum(axis=1)[:, None, None]
    np.testing.assert_array_equal(c.mean_de, (average * c.good[:, :, None]).reshape(len(c), -1))
    if track == "c1":
        assert peak_of(lambda: replace(c, at=at).mean_de) < one_by_one.de.nbytes


def test_statistics_of_one_baseline_are_one_row(people):
    p = people[0]
    mean, sd = frozen_statistics(p, population([p]), SPEC)
    fixed = p.profile(SPEC).statistics(p.info, SPEC, population([p]).sd)
    assert mean.strides[0] == sd.strides[0] == 0
    np.testing.assert_array_equal(mean[70], fixed.mean.astype(np.float32))
    for track in ("z", "c1", "t"):
        c = view([p], track, NAMES[2:]).contexts(p)
        assert c.mean.shape == (len(p.label), 4, 5)
        assert c.mean.strides[0] == c.sd.strides[0] == 0
    assert frozen_statistics(in_sessions(0), population([p]), SPEC)[0].strides[0] > 0


def test_few_windows_are_all_fitted_to():
    subjects, seen = [in_sessions(seed) for seed in range(2)], view([in_sessions(0)])
    x, y = seen.features(subjects, 10_000, lambda c: c.mean_de)
    contexts = [seen.contexts(p) for p in subjects]
    np.testing.assert_array_equal(x, np.concatenate([c.mean_de for c in contexts]))
    np.testing.assert_array_equal(y, np.concatenate([c.labels for c in contexts]))


def test_of_many_windows_evenly_spaced_ones_of_every_trial_are_taken():
    subjects = [with_trials(seed) for seed in range(3)]
    seen, n = view(subjects), sum(len(scored_seconds(p, SPEC)) for p in subjects)
    most = n // 3
    taken = list(seen.training(subjects, most))
    assert most * 0.9 < sum(map(len, taken)) <= most + len(subjects)
    for p, c in zip(subjects, taken, strict=True):
        np.testing.assert_array_equal(c.at, scored_seconds(p, SPEC)[::3])
        assert set(p.trial[c.at]) == set(range(8))
    x, _ = seen.features(subjects, most, lambda c: c.mean_de)
    np.testing.assert_array_equal(x, np.concatenate([c.mean_de for c in taken]))


def test_contexts_of_one_subject_are_in_memory_at_a_time(people):
    seen, made, alive = view(people), [], []

    def of(c: Contexts) -> np.ndarray:
        made.append(weakref.ref(c))
        alive.append(sum(each() is not None for each in made))
        return c.mean_de

    seen.features(people, 10_000, of)
    assert alive == 12 * [1]


# -- methods -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "method",
    [Classical("lr"), Classical("lda"), Classical("svm"), Riemannian(), EEGNetMethod((1,))],
    ids=lambda m: m.name,
)
def test_more_subjects_take_the_memory_of_their_features_only(people, method):
    """A context is ten seconds of DE and of raw signal: of these, nothing is kept but the features."""
    seen, setting = view(people), method.settings[0]
    method.fit(people[:2], seen, setting, 0)  # libraries are loaded
    few, many = (peak_of(lambda some=some: method.fit(some, seen, setting, 0)) for some in (people[:4], people))
    c = seen.contexts(people[0])
    of_signal = method.name in ("riemann", "eegnet")
    assert (many - few) / 8 < (0.1 * c.raw(np.arange(len(c))).nbytes if of_signal else 0.5 * c.de.nbytes)


def test_a_limit_that_is_reached_changes_little_and_is_said(people, monkeypatch):
    seen, setting = view(people), {"C": 5e-3}
    whole = Classical("lr").fit(people[:8], seen, setting, 0)
    folds = plan(12, "groups", 3, 1, 0)
    methods = [Majority(), Classical("lr"), OwnReadout(Classical("svm")), Riemannian(), EEGNetMethod()]
    assert not list(fitted_to_some(methods, study(people), folds))
    monkeypatch.setattr(baselines, "MOST_NUMBERS", 30 * 200)
    some = Classical("lr").fit(people[:8], seen, setting, 0)
    c = seen.contexts(people[9])
    assert np.corrcoef(whole(c)[:, 1], some(c)[:, 1])[0, 1] > 0.95
    lines = list(fitted_to_some(methods, study(people), folds))
    assert [line.partition(":")[0] for line in lines] == [
        "logistic regression, all channels", "SVM (rbf), and own trials, all channels"
    ]  # fmt: skip
    assert "fitted to one in 3 of the 512 windows of training subjects" in lines[0]


@pytest.mark.parametrize("track", ["z", "c1", "running", "t"])
def test_a_long_subject_is_scored_in_parts(track, monkeypatch):
    *train, tested = (planted(seed, n_blocks=2) for seed in range(3))
    seen = view(train, track)
    score, c = Riemannian().fit(train, seen, {"bank": False, "C": 1e-2}, 0), seen.contexts(tested)
    whole = score(c)
    monkeypatch.setattr(riemannian, "AT_ONCE", 10 * 21)
    if track == "c1":
        assert list(map(len, _features(c, False, None))) == [8, 8, 8, 8]
    # float32, whose sums depend on the processor; on t, part of it is the reference
    np.testing.assert_allclose(score(c), whole, atol=0.3 if track == "t" else 1e-5)


def test_what_is_kept_for_other_fits_is_limited(people, monkeypatch):
    monkeypatch.setattr(riemannian, "MOST_NUMBERS", 3 * 64 * 21)
    seen, setting = view(people), Riemannian.settings[0]
    for p in people[:5]:
        list(_features(seen.contexts(p), bool(setting["bank"]), None))
        assert sum(x.size for _, x in riemannian._kept.values()) <= 3 * 64 * 21
    assert len(riemannian._kept) == 2  # emptied after three


# -- results -------------------------------------------------------------------------------------------------------


def test_results_are_read_when_they_are_used(tmp_path):
    store = Store(tmp_path)
    for key in "ab":
        store.put(key, {"all|p": np.full((3, 2), ord(key))})
    found = StoredResults(store, "ab")
    assert list(found) == ["a", "b"]
    assert not store._memory
    assert found["b"]["all|p"][0, 0] == ord("b")
    (tmp_path / "a.npz").unlink()
    with pytest.raises(MoodError, match="removed from the cache"):
        found["a"]

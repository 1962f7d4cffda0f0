"""What is planted is found by every method, what is not is not, and nothing computed is computed again or lost."""

from __future__ import annotations

import errno
import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from evaluation_people import SPEC, planted, quick_reader, study

from realtime_mood.models.datasets.person import population
from realtime_mood.models.evaluation import cohorts
from realtime_mood.models.evaluation import store as storing
from realtime_mood.models.evaluation.baselines import Classical, Majority
from realtime_mood.models.evaluation.compare import EvaluationJob, Runner, compare, simplest
from realtime_mood.models.evaluation.contexts import View
from realtime_mood.models.evaluation.controls.changed import blocks, first_and_last, permuted, without_gamma
from realtime_mood.models.evaluation.controls.sustained import sustained
from realtime_mood.models.evaluation.eegnet import EEGNetMethod
from realtime_mood.models.evaluation.figures import of_person
from realtime_mood.models.evaluation.report import summary
from realtime_mood.models.evaluation.riemannian import Riemannian
from realtime_mood.models.evaluation.splits import Fold, Split, plan
from realtime_mood.models.executor import ProcessesExecutor, SerialExecutor

N = 9
SERIAL = SerialExecutor()
SETS = {"all": ("Fp1", "Fp2", "C3", "C4", "O1", "O2"), "2": ("Fp1", "Fp2")}


@pytest.mark.parametrize("method", [quick_reader(), Riemannian(), EEGNetMethod(), Classical("svm")])
def test_fits_can_be_sent_to_other_processes(method):
    split = Split("group 0", (1, 2), (0,))
    sent = pickle.loads(pickle.dumps(EvaluationJob(method, split, method.settings[0], ("all",))))
    made = study([planted(seed) for seed in range(3)])
    assert sent.key(made) == EvaluationJob(method, split, method.settings[0], ("all",)).key(made)


class Counting(Classical):
    """Logistic regression that says what it fitted."""

    def __init__(self, name: str = "lr"):
        super().__init__(name)
        self.fitted = []

    def fit(self, people, view, setting, seed):
        self.fitted.append([p.name for p in people])
        return super().fit(people, view, setting, seed)


@pytest.fixture(scope="module")
def people():
    return [planted(seed) for seed in range(N)]


@pytest.fixture(scope="module")
def folds():
    return plan(N, "groups", 3, 2, 0)


def auc(found, seed=0) -> dict:
    return {
        (channels, name): m["auc"]["mean"] for channels, row in summary(found, seed).items() for name, m in row.items()
    }


def auc_of(row) -> float:
    return of_person(row.scores, 1.0)["auc"]


@pytest.mark.parametrize("track", ["z", "c1", "running"])
def test_classical_methods_find_what_is_planted(people, folds, track):
    # How far a person is from a baseline says something only where there is one.
    names = ["lr", "lda", "svm", *(["distance"] if track == "c1" else [])]
    methods = [Majority(), *map(Classical, names), Riemannian()]
    found = auc(compare(Runner(study(people, track), None, SERIAL, print), methods, folds, choose=False))
    assert found.pop(("all", "majority")) == 0.5
    assert min(found.values()) > (0.7 if track == "running" else 0.85), found


def test_networks_find_what_is_planted_and_the_reader_on_every_montage(people, folds):
    one = folds[:1]
    found = auc(compare(Runner(study(people), None, SERIAL, print), [EEGNetMethod(steps=(40,))], one, choose=False))
    found |= auc(compare(Runner(study(people, sets=SETS), None, SERIAL, print), [quick_reader()], one, choose=False))
    assert len(found) == 3
    assert min(found.values()) > 0.75, found


def test_shuffled_labels_score_at_chance(people, folds):
    rng = np.random.default_rng(0)
    scores = []
    for _ in range(4):
        shuffled = study([permuted(p, SPEC, rng) for p in people])
        scores.append(auc(compare(Runner(shuffled, None, SERIAL, print), [Classical("lda")], folds, choose=False)))
    assert np.mean([s["all", "lda"] for s in scores]) == pytest.approx(0.5, abs=0.12)
    first = study([first_and_last(p, SPEC) for p in people])
    found = auc(compare(Runner(first, None, SERIAL, print), [Classical("lda")], folds, choose=False))
    assert found["all", "lda"] == pytest.approx(0.5, abs=0.15)


def test_the_reader_learns_nothing_from_shuffled_labels(people, folds):
    shuffled = study([permuted(p, SPEC, np.random.default_rng(2)) for p in people])
    found = auc(compare(Runner(shuffled, None, SERIAL, print), [quick_reader()], folds, choose=False))
    assert found["all", "reader"] == pytest.approx(0.5, abs=0.2)


def test_controls_keep_blocks_whole(people):
    p = people[0]
    found = blocks(p, SPEC)
    assert [int(p.label[b[0]]) for b in found] == [1, 0, 1, 0]
    changed = permuted(p, SPEC, np.random.default_rng(1))
    assert all(len(set(changed.label[b])) == 1 for b in found)
    assert sorted(changed.label) == sorted(p.label)
    halves = first_and_last(p, SPEC)
    assert set(halves.label[found[1]]) == {0}
    assert set(halves.label[found[3]]) == {1}
    assert (halves.label >= 0).sum() == len(found[1]) + len(found[3])


@pytest.mark.parametrize(("drift", "expected"), [(0.0, 0.5), (1.0, 0.9)])
def test_a_readout_that_takes_later_seconds_for_the_state_is_exposed(people, folds, drift, expected):
    """The last block of label 0 drifts towards label 1; networks are trained without it."""

    def drifting(p):
        de = p.de.copy()
        de[blocks(p, SPEC)[3 if p.label[blocks(p, SPEC)[3][0]] == 0 else 2], :2, 3] += drift
        return replace(p, de=de)

    tested = [first_and_last(drifting(p), SPEC) for p in people]
    found = compare(Runner(replace(study(people), tested=tested), None, SERIAL, print), [Classical("lr")], folds)
    reached = auc(found)["all", "lr"]
    assert reached > expected if drift else reached == pytest.approx(expected, abs=0.15)


def test_a_state_held_long_shows_who_forgets_it():
    labels = ("negative", "neutral", "positive")
    seen = View(labels, SPEC, "running", cohorts.TEN_TWENTY, population([planted(0), planted(1)]))

    def forgets(c):
        right = np.eye(3)[c.labels]
        return np.where((c.at < 60 + 150)[:, None], right, -right)

    found = sustained(forgets, seen, n_subjects=1, hold_s=240)
    assert (found["first_two"], found["last_two"]) == (1, 0.25)
    assert found["lost"] == 0.75


def test_without_gamma_there_is_no_gamma(people):
    found = without_gamma(people[0], SPEC)
    np.testing.assert_array_equal(found.de[..., 4], people[0].de[..., 3])
    power = np.abs(np.fft.rfft(found.patches.astype(np.float32)))
    assert power[..., 31:].max() < 0.01 * power[..., :31].max()


def test_nothing_of_the_people_tested_reaches_what_is_chosen_or_fitted(people, folds):
    """Other signals and labels for the people tested change neither setting, temperature nor thresholds."""
    tested = folds[0].split.left
    others = [replace(planted(50 + i, effect=-2.0), name=p.name) if i in tested else p for i, p in enumerate(people)]
    rows = []
    for who in (people, others):
        found = compare(Runner(study(who), None, SERIAL, print), [Classical("lr")], folds)["lr", "all"]
        rows.append({r.person: r for r in found if r.fold == folds[0].split.name})
    for name, row in rows[0].items():
        again = rows[1][name]
        assert (row.setting, row.temperature, row.thresholds) == (again.setting, again.temperature, again.thresholds)
        assert not np.array_equal(row.scores.logits, again.scores.logits)


def test_the_setting_is_the_best_on_inner_people(people, folds):
    method = Classical("lr")
    method.settings = [{"C": 1e-9}, {"C": 0.05}]
    noisy = [planted(seed, effect=0.3) for seed in range(N)]
    runner = Runner(study(noisy), None, SERIAL, print)
    found = compare(runner, [method], folds)["lr", "all"]
    for fold in folds:
        by_setting = []
        for setting in method.settings:
            alone = Classical("lr")
            alone.settings = [setting]
            reached = []
            for split, who in fold.inner:
                rows = compare(runner, [alone], [Fold(split, ())], choose=False)["lr", "all"]
                reached += [auc_of(row) for row in rows if row.person in {noisy[i].name for i in who}]
            by_setting.append(reached)
        best = method.settings[simplest(np.array(by_setting))]
        assert {row.setting["C"] for row in found if row.fold == fold.split.name} == {best["C"]}


def test_a_setting_is_taken_before_simpler_ones_only_if_it_is_surely_better():
    people = np.linspace(0.6, 0.9, 6)
    wobble = np.array([0.02, -0.02, 0.02, -0.02, 0.02, -0.02])
    assert simplest(np.array([people - 0.1, people - 0.005 + wobble, people])) == 1
    assert simplest(np.array([people - 0.1 + wobble, people - 0.1, people])) == 2
    assert simplest(np.array([people, people])) == 0
    assert simplest(np.array([[0.5], [0.6]])) == 1
    one_label = np.full((3, 1), np.nan)
    assert simplest(np.hstack([np.array([people - 0.1, people - 0.005 + wobble, people]), one_label])) == 1
    assert simplest(one_label) == 1  # the middle one


def test_a_second_run_goes_on_where_the_first_stopped(people, folds, tmp_path):
    class Stops(Counting):
        def fit(self, people, view, setting, seed):
            if len(self.fitted) == 5:
                raise KeyboardInterrupt
            return super().fit(people, view, setting, seed)

    first, second, third = Stops(), Counting(), Counting()
    for method in (first, second, third):
        method.settings = method.settings[:2]
    with pytest.raises(KeyboardInterrupt):
        compare(Runner(study(people), tmp_path, SERIAL, print), [first], folds)
    # Another class is other code: only what is the same is taken from the folder.
    assert len(list(tmp_path.glob("*.npz"))) == 5
    found = compare(Runner(study(people), tmp_path, SERIAL, print), [second], folds)
    assert len(second.fitted) == 2 * 3 + 3 - 5
    again = compare(Runner(study(people), tmp_path, SERIAL, print), [third], folds)
    assert third.fitted == []
    assert summary(found, 0) == summary(again, 0)


def test_a_result_depends_on_everything_it_was_made_of(people, folds, tmp_path):
    def fits(who, **change) -> int:
        method = Counting()
        method.settings = method.settings[:1]
        compare(Runner(replace(study(who), **change), tmp_path, SERIAL, print), [method], folds, choose=False)
        return len(method.fitted)

    assert [fits(people), fits(people)] == [3, 0]
    assert fits(people, seed=1) == 3
    assert fits(people, track="z") == 3
    label = people[0].label.copy()
    label[80] = 1 - label[80]
    assert fits([replace(people[0], label=label), *people[1:]]) == 3


def test_a_damaged_file_is_made_again(people, folds, tmp_path):
    runner = Runner(study(people), tmp_path, SERIAL, print)
    before = compare(runner, [Counting("lda")], folds, choose=False)
    for path in list(tmp_path.glob("*.npz"))[:2]:
        path.write_bytes(path.read_bytes()[:100])
    again = Counting("lda")
    after = compare(Runner(study(people), tmp_path, SERIAL, print), [again], folds, choose=False)
    assert len(again.fitted) == 2
    assert summary(before, 0) == summary(after, 0)


def test_a_reader_fitted_once_serves_other_tracks_and_montages(people, folds, tmp_path):
    method, said = quick_reader(), []
    compare(Runner(study(people), tmp_path, SERIAL, said.append), [method], folds[:1], choose=False)
    method.fit = None  # would fail if it were asked to fit again
    found = compare(Runner(study(people, "z", SETS), tmp_path, SERIAL, said.append), [method], folds[:1], choose=False)
    assert set(found) == {("reader", "all"), ("reader", "2")}


def test_a_full_disk_loses_nothing(people, folds, tmp_path, monkeypatch):
    full, write = [True], storing.write_whole

    def no_room(path: Path, blob: bytes) -> None:
        if full[0]:
            raise OSError(errno.ENOSPC, "No space left on device")
        write(path, blob)

    monkeypatch.setattr(storing, "write_whole", no_room)
    said: list[str] = []
    store = storing.Store(tmp_path, said.append)
    store.put("one", {"x": np.arange(3)})
    assert "No space left" in said[0]
    np.testing.assert_array_equal(store.get("one")["x"], np.arange(3))
    full[0] = False
    store.put("two", {"x": np.arange(2)})
    np.testing.assert_array_equal(storing.Store(tmp_path).get("one")["x"], np.arange(3))


def test_two_at_a_time_find_the_same(people, folds, tmp_path):
    executors = SERIAL, ProcessesExecutor(2)
    runners = [Runner(study(people), None, executor, print) for executor in executors]
    one, two = (compare(runner, [Classical("lr")], folds, choose=False) for runner in runners)
    assert summary(one, 0) == summary(two, 0)

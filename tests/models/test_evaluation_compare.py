"""What is planted is found by every method, what is not is not, and nothing computed is computed again or lost."""

from __future__ import annotations

import errno
import json
from dataclasses import replace
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from evaluation_people import SPEC, planted, study
from rich.console import Console

import app
from models.datasets.person import population
from models.evaluation import cohorts
from models.evaluation import run as running
from models.evaluation import store as storing
from models.evaluation.baselines import Classical, Majority, Riemannian
from models.evaluation.compare import Runner, compare
from models.evaluation.contexts import View
from models.evaluation.controls import blocks, first_and_last, permuted, sustained, without_gamma
from models.evaluation.eegnet import EEGNetMethod
from models.evaluation.figures import of_person
from models.evaluation.mood_reader import ReaderMethod
from models.evaluation.protocol import Fold, plan
from models.evaluation.report import summary
from models.evaluation.run import Options, evaluate
from models.reader import ReaderConfig
from models.train import Recipe
from realtime_mood.errors import ConfigError

N = 9
SETS = {"all": ("Fp1", "Fp2", "C3", "C4", "O1", "O2"), "2": ("Fp1", "Fp2")}


def quick_reader(steps: int = 30) -> ReaderMethod:
    config = ReaderConfig(dim=16, band_dim=8, raw_dim=16, raw_depth=1, rounds=1, dropout=0.1, head_dropout=0.1)
    return ReaderMethod(Recipe(steps=steps, batches={"effort": 16}, lr=5e-3), config)


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
    methods = [Majority(), *(Classical(name) for name in ("lr", "lda", "svm")), Riemannian()]
    found = auc(compare(Runner(study(people, track), None, 1, print), methods, folds, choose=False))
    assert found.pop(("all", "majority")) == 0.5
    assert min(found.values()) > (0.7 if track == "running" else 0.85), found


def test_networks_find_what_is_planted_and_the_reader_on_every_montage(people, folds):
    found = auc(compare(Runner(study(people), None, 1, print), [EEGNetMethod(steps=(40,))], folds, choose=False))
    found |= auc(compare(Runner(study(people, sets=SETS), None, 1, print), [quick_reader()], folds, choose=False))
    assert len(found) == 3
    assert min(found.values()) > 0.75, found


def test_shuffled_labels_score_at_chance(people, folds):
    rng = np.random.default_rng(0)
    scores = []
    for _ in range(4):
        shuffled = study([permuted(p, SPEC, rng) for p in people])
        scores.append(auc(compare(Runner(shuffled, None, 1, print), [Classical("lda")], folds, choose=False)))
    assert np.mean([s["all", "lda"] for s in scores]) == pytest.approx(0.5, abs=0.12)
    first = study([first_and_last(p, SPEC) for p in people])
    found = auc(compare(Runner(first, None, 1, print), [Classical("lda")], folds, choose=False))
    assert found["all", "lda"] == pytest.approx(0.5, abs=0.15)


def test_the_reader_learns_nothing_from_shuffled_labels(people, folds):
    shuffled = study([permuted(p, SPEC, np.random.default_rng(2)) for p in people])
    found = auc(compare(Runner(shuffled, None, 1, print), [quick_reader()], folds, choose=False))
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


def test_a_state_held_long_shows_who_forgets_it():
    labels = ("negative", "neutral", "positive")
    seen = View(labels, SPEC, "running", cohorts.TEN_TWENTY, population([planted(0), planted(1)]))

    def forgets(c):
        right = np.eye(3)[c.labels]
        return np.where((c.at < 60 + 150)[:, None], right, -right)

    found = sustained(forgets, seen, n_people=1, hold_s=240)
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
        found = compare(Runner(study(who), None, 1, print), [Classical("lr")], folds)["lr", "all"]
        rows.append({r.person: r for r in found if r.fold == folds[0].split.name})
    for name, row in rows[0].items():
        again = rows[1][name]
        assert (row.setting, row.temperature, row.thresholds) == (again.setting, again.temperature, again.thresholds)
        assert not np.array_equal(row.scores.logits, again.scores.logits)


def test_the_setting_is_the_best_on_inner_people(people, folds):
    method = Classical("lr")
    method.settings = [{"C": 1e-9}, {"C": 0.05}]
    noisy = [planted(seed, effect=0.3) for seed in range(N)]
    runner = Runner(study(noisy), None, 1, print)
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
            by_setting.append(np.mean(reached))
        best = method.settings[int(np.argmax(by_setting))]
        assert {row.setting["C"] for row in found if row.fold == fold.split.name} == {best["C"]}


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
        compare(Runner(study(people), tmp_path, 1, print), [first], folds)
    # Another class is other code: only what is the same is taken from the folder.
    assert len(list(tmp_path.glob("*.npz"))) == 5
    found = compare(Runner(study(people), tmp_path, 1, print), [second], folds)
    assert len(second.fitted) == 2 * 3 + 3 - 5
    again = compare(Runner(study(people), tmp_path, 1, print), [third], folds)
    assert third.fitted == []
    assert summary(found, 0) == summary(again, 0)


def test_a_result_depends_on_everything_it_was_made_of(people, folds, tmp_path):
    def fits(who, **change) -> int:
        method = Counting()
        method.settings = method.settings[:1]
        compare(Runner(replace(study(who), **change), tmp_path, 1, print), [method], folds, choose=False)
        return len(method.fitted)

    assert [fits(people), fits(people)] == [3, 0]
    assert fits(people, seed=1) == 3
    assert fits(people, track="z") == 3
    label = people[0].label.copy()
    label[80] = 1 - label[80]
    assert fits([replace(people[0], label=label), *people[1:]]) == 3


def test_a_damaged_file_is_made_again(people, folds, tmp_path):
    runner = Runner(study(people), tmp_path, 1, print)
    before = compare(runner, [Counting("lda")], folds, choose=False)
    for path in list(tmp_path.glob("*.npz"))[:2]:
        path.write_bytes(path.read_bytes()[:100])
    again = Counting("lda")
    after = compare(Runner(study(people), tmp_path, 1, print), [again], folds, choose=False)
    assert len(again.fitted) == 2
    assert summary(before, 0) == summary(after, 0)


def test_a_reader_fitted_once_serves_other_tracks_and_montages(people, folds, tmp_path):
    method, said = quick_reader(), []
    compare(Runner(study(people), tmp_path, 1, said.append), [method], folds[:1], choose=False)
    method.fit = None  # would fail if it were asked to fit again
    found = compare(Runner(study(people, "z", SETS), tmp_path, 1, said.append), [method], folds[:1], choose=False)
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
    runners = [Runner(study(people), None, n_jobs, print) for n_jobs in (1, 2)]
    one, two = (compare(runner, [Classical("lr")], folds, choose=False) for runner in runners)
    assert summary(one, 0) == summary(two, 0)


def test_the_whole_command_writes_figures_a_table_and_pictures(people, tmp_path, monkeypatch):
    monkeypatch.setattr(running, "load", lambda *_: (people, ("rest", "arithmetic")))
    monkeypatch.setattr(running, "methods_of", lambda *_: [Majority(), Classical("lr"), quick_reader(steps=4)])
    options = Options("effort", tmp_path / "out.json", channels="all,C3,C4", n_folds=3, n_inner=1, controls=True)
    text = StringIO()
    evaluate(options, ["evaluate", "--readout", "effort"], lambda _: None, Console(file=text, width=200))
    found = json.loads((tmp_path / "out.json").read_text())
    assert found["about"]["command"] == "python app.py evaluate --readout effort"
    assert set(found["results"]) == {"all", "2 of yours"}
    lr = found["results"]["all"]["lr"]
    assert {p["person"] for p in lr["people"]} == {p.name for p in people}
    assert lr["auc"]["interval"][0] <= lr["auc"]["mean"] <= lr["auc"]["interval"][1]
    assert set(lr["reader_minus_this"]) >= {"auc", "balanced_accuracy"}
    assert set(found["controls"]) >= {"permuted labels", "first against last", "without gamma"}
    assert "logistic regression" in text.getvalue()
    assert "| all | logistic regression |" in (tmp_path / "out.md").read_text()
    for kind in ("reliability", "coverage"):
        assert (tmp_path / f"out-{kind}.png").read_bytes()[:4] == b"\x89PNG"


def test_no_room_for_the_report_is_said_and_the_results_are_kept(people, tmp_path, monkeypatch):
    monkeypatch.setattr(running, "load", lambda *_: (people, ("rest", "arithmetic")))

    def no_room(path: Path, blob: bytes) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(running, "write_whole", no_room)
    options = Options("effort", tmp_path / "out.json", channels="all", methods="majority", n_folds=3, n_inner=1)
    with pytest.raises(ConfigError, match=r"No space left.*out\.cache"):
        evaluate(options, [], lambda _: None, Console(file=StringIO()))
    assert list((tmp_path / "out.cache").glob("*.npz"))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--track", "l"], "comes with calibration"),
        (["--readout", "joy"], "effort or emotion3"),
        (["--steps", "many"], "not whole numbers"),
        (["--methods", "magic"], "no magic"),
        ([], "--data"),
        (["--encoder", "/nowhere"], "pre-train it again"),
    ],
)
def test_what_cannot_be_evaluated_is_one_line_and_a_code(words, said, tmp_path, capsys):
    assert app.command(["evaluate", "--json", str(tmp_path / "x.json"), *words]) == 2
    assert said in capsys.readouterr().err

"""Ratings that are planted in the signal are predicted in unseen subjects, and by nothing else."""

from __future__ import annotations

import json
from dataclasses import replace
from io import StringIO

import numpy as np
import pytest
from evaluation_people import quick_reader, study
from rich.console import Console
from trial_people import info_of, with_trials

import app
from realtime_mood.errors import ConfigError
from realtime_mood.models.datasets.labels import THIRDS, label_of, labels_of
from realtime_mood.models.datasets.person import NO_LABEL
from realtime_mood.models.datasets.trials import Trial
from realtime_mood.models.evaluation import labelled, run
from realtime_mood.models.evaluation.compare import Runner
from realtime_mood.models.evaluation.rating_methods import (
    WITHOUT_SIGNAL,
    RatingMethod,
    RatingReader,
    rating_methods,
    ratings_of,
)
from realtime_mood.models.evaluation.ratings import compare_ratings, measures, result_of, rows, same_order, warnings
from realtime_mood.models.evaluation.run import Options, evaluate
from realtime_mood.models.evaluation.splits import plan
from realtime_mood.models.executor import SerialExecutor

SCALE = "valence"
OF_STIMULI = (0.0, 0.9, 0.2, 1.0, 0.4, 0.7, 0.1, 0.6)


def rated(seed: int, *, own: bool):
    """Eight trials whose beta follows the rating: that of the stimulus, or the subject's own."""
    ratings = np.random.default_rng([3, seed]).permutation(OF_STIMULI).tolist() if own else OF_STIMULI
    p = with_trials(seed, effect=1.2, ratings=ratings)
    third = np.array([label_of(t, "valence-rating", info_of(), felt=True) for t in p.trials])
    return replace(p, label=np.where(p.label == NO_LABEL, NO_LABEL, third[np.maximum(p.trial, 0)]))


@pytest.fixture(scope="module")
def people():
    return [rated(seed, own=True) for seed in range(6)]


def runner_of(people) -> Runner:
    return Runner(replace(study(people), labels=THIRDS), None, SerialExecutor(), print)


@pytest.fixture(scope="module")
def found(people):
    methods = rating_methods("ridge,svr", SCALE, (), None)
    assert [m.name for m in methods] == ["mean", "position", "stimulus", "ridge", "svr"]
    return compare_ratings(runner_of(people), SCALE, methods, plan(6, "groups", 3, 1, 0))["all"]


def test_measures_are_those_of_the_definitions():
    truth = np.array([1.0, 2.0, 4.0, 7.0])
    assert measures(truth, truth) == pytest.approx({"r": 1, "ccc": 1, "mae": 0})
    assert measures(truth, 2 * truth + 1)["r"] == pytest.approx(1)
    shifted = measures(truth, truth + 2)  # Lin (1989): 2·var / (2·var + 2²)
    assert shifted["ccc"] == pytest.approx(2 * truth.var() / (2 * truth.var() + 4))
    assert shifted["mae"] == pytest.approx(2)
    assert measures(truth, np.full(4, 3.0)) == pytest.approx({"r": 0, "ccc": 0, "mae": 2})


@pytest.mark.parametrize("name", ["ridge", "svr"])
def test_what_is_planted_in_the_signal_is_predicted_in_unseen_subjects(found, name):
    assert found[name]["r"]["interval"][0] > 0.6
    assert found[name]["ccc"]["mean"] > 0.4
    assert found[name]["less"]["mean"]["interval"][1] < 0


def test_controls_without_signal_predict_nothing_when_ratings_are_the_subjects_own(found):
    for name in ("mean", "position", "stimulus"):
        assert found[name]["r"]["interval"][0] < 0.2
    assert found["mean"]["ccc"] == {"mean": 0.0, "interval": [0.0, 0.0]}
    assert found["mean"]["mae"]["mean"] == pytest.approx(2.36, abs=0.3)  # eight ratings from 1 to 9


def test_ratings_that_follow_the_stimulus_are_known_without_a_signal_and_named():
    people = [rated(seed, own=False) for seed in range(6)]
    methods = [RatingMethod(name, SCALE) for name in ("mean", "position", "stimulus", "ridge")]
    found = compare_ratings(runner_of(people), SCALE, methods, plan(6, "groups", 3, 1, 0))
    assert found["all"]["stimulus"]["mae"]["mean"] < 0.01
    said = list(warnings(found, {m.name: m.title for m in methods}))
    assert any("not below that of “mean rating of the stimulus”" in line for line in said)


def with_ratings(people, change):
    """The same signals with other ratings: `change` gets a subject's number and its ratings."""

    def changed(i, p):
        ratings = change(i, np.array([t.ratings[SCALE] for t in p.trials]))
        pairs = zip(p.trials, ratings.tolist(), strict=True)
        return replace(p, trials=tuple(replace(t, ratings={SCALE: r}) for t, r in pairs), sha256=f"{p.sha256} changed")

    return [changed(i, p) for i, p in enumerate(people)]


@pytest.mark.parametrize(
    ("change", "where"),
    [
        (lambda i, ratings: ratings, "above"),
        (lambda i, ratings: np.random.default_rng([11, i]).permutation(ratings), "within"),
        (lambda i, ratings: ratings if i % 2 else 10 - ratings, "below"),
    ],
    ids=["planted", "nothing known", "opposite in half of the subjects"],
)
def test_chance_is_what_permuted_ratings_give(people, change, where):
    runner, folds = runner_of(with_ratings(people, change)), plan(6, "loso", 3, 1, 0)
    found = result_of(runner, SCALE, [RatingMethod(name, SCALE) for name in (*WITHOUT_SIGNAL, "ridge")], folds)
    chance, r = found["chance"]["all"], found["results"]["all"]["ridge"]["r"]["mean"]
    low, high = chance["interval"]
    assert abs(chance["mean"]) < 0.1, "nothing is known of permuted ratings, so r is about zero and not below"
    assert {"below": r < low, "within": low <= r <= high, "above": r > high}[where]
    said = [line for line in found["warnings"] if "permuted ratings give" in line]
    assert [f"is {where} what" in line for line in said] == ([] if where == "above" else [True])
    assert any("ratings permuted (control)" in row[1] for row in rows(found))


def test_one_order_for_all_subjects_is_named(people):
    assert not same_order(people)
    assert same_order([people[0], replace(people[0], name="other")])


def test_the_ratings_tested_do_not_reach_what_is_predicted(people):
    folds = plan(6, "groups", 3, 1, 0)[:1]

    def predicted(some):
        methods = rating_methods("ridge", SCALE, (), None)
        rows = compare_ratings(runner_of(some), SCALE, methods, folds)["all"]["ridge"]["people"]
        return [row["setting"] for row in rows], [row["r"] for row in rows]

    def reversed_ratings(p):
        return replace(p, trials=tuple(replace(t, ratings={SCALE: 10 - t.ratings[SCALE]}) for t in p.trials))

    tested = folds[0].split.left
    settings, r = predicted(people)
    other_settings, other_r = predicted([reversed_ratings(p) if i in tested else p for i, p in enumerate(people)])
    assert settings == other_settings
    np.testing.assert_allclose(r, np.negative(other_r), atol=1e-3)


def test_the_reader_predicts_an_expected_value(people):
    reader = RatingReader(SCALE, quick_reader(20))
    seen = runner_of(people).study.view(people[:6], people[0].info.ch_names)
    c = seen.contexts(people[5])
    predicted = reader.fit(people[:4], seen, reader.settings[0], 0)(c)
    assert predicted.shape == (len(c), 1)
    numbers, row, means = c.by_trial(predicted)
    np.testing.assert_allclose(means[row], predicted)  # one prediction a trial
    assert 1 <= predicted.min() <= predicted.max() <= 9
    assert measures(ratings_of(people[5], numbers, SCALE), means[:, 0])["r"] > 0.3


def test_thirds_of_the_scale():
    labels = [label_of(Trial(0, "x", "", {"valence": v}), "valence-rating", info_of(), felt=False) for v in (1, 5, 9)]
    assert labels == [0, 1, 2]
    assert label_of(Trial(0, "x"), "valence-rating", info_of(), felt=True) == NO_LABEL
    with pytest.raises(ConfigError, match=r"no ratings of joy.*valence-rating"):
        labels_of("joy-rating", info_of())


def test_subjects_with_one_rating_are_left_out(people):
    same = replace(people[0], trials=tuple(replace(t, ratings={SCALE: 3.0}) for t in people[0].trials))
    args = (run.FeatureSpec(), SCALE)
    assert labelled._unusable(people[0], *args) == ""
    assert labelled._unusable(same, *args) == "8 rated trials that can be scored, 1 different ratings"


def test_the_command_prints_and_writes_a_table(people, tmp_path, monkeypatch):
    monkeypatch.setattr(run, "load_labelled", lambda *_: (people, info_of(6)))
    options = Options(
        "valence-rating",
        tmp_path / "out.json",
        tmp_path,
        "planted",
        "groups",
        "c1",
        "all",
        "ridge",
        n_folds=3,
        n_inner=1,
    )
    text = StringIO()
    evaluate(options, [], print, Console(file=text, width=200))
    result = json.loads((tmp_path / "out.json").read_text())
    assert result["about"]["scale"] == [1.0, 9.0]
    assert result["about"]["labels_mean"] == "what subjects reported to have felt"
    assert set(result["results"]["all"]) == {"mean", "position", "stimulus", "ridge"}
    assert "| all | ridge regression | " in (tmp_path / "out.md").read_text()
    assert "mean rating of the stimulus (control)" in text.getvalue()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--track", "l"], "use track c1"),
        (["--protocol", "open-eeg-bench"], "use groups or loso"),
        (["--controls"], "leave them out"),
        (["--methods", "lda"], "no lda for ratings"),
    ],
)
def test_what_ratings_do_not_have_is_refused(words, said, tmp_path, capsys):
    base = ["evaluate", "--json", str(tmp_path / "x.json"), "--dataset", "dasps", "--readout", "valence-rating"]
    assert app.command([*base, *words]) == 2
    assert said in capsys.readouterr().err

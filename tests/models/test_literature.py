"""The literature's figure is larger than the honest one where nothing can be read, and is marked as not comparable."""

from __future__ import annotations

import json
from dataclasses import replace
from io import StringIO

import numpy as np
import pytest
from evaluation_people import planted, study
from rich.console import Console

from realtime_mood.models.evaluation import run
from realtime_mood.models.evaluation.baselines import Classical, Majority
from realtime_mood.models.evaluation.compare import Runner, compare
from realtime_mood.models.evaluation.literature import literature, looking_ahead, smoothed
from realtime_mood.models.evaluation.report import summary
from realtime_mood.models.evaluation.run import Options, evaluate
from realtime_mood.models.evaluation.splits import plan
from realtime_mood.models.executor import SerialExecutor


@pytest.fixture(scope="module")
def people():
    """Nothing is planted: chance is .5."""
    return [planted(seed, effect=0.0) for seed in range(6)]


def weights_of_windows(n: int) -> np.ndarray:
    """(n, n): weight of each window (column) in each smoothed one (row)."""
    return smoothed(np.eye(n))


def test_the_smoother_looks_ahead_as_published_features_do():
    """Shares of the weight on later windows of 235: .99 at the first, .53 in the middle, .26 at window 200."""
    weights = weights_of_windows(235)
    np.testing.assert_allclose(weights.sum(axis=1), 1)
    later = [weights[t, t + 1 :].sum() for t in (0, 117, 200)]
    assert later == pytest.approx([0.99, 0.53, 0.26], abs=0.03)


def test_the_smoother_is_the_least_squares_solution():
    """The states that minimise the negative log likelihood of the model, solved as linear equations."""
    rng, n = np.random.default_rng(0), 12
    x = rng.standard_normal(n)
    step = np.diff(np.eye(n), axis=0)
    system = np.eye(n) + step.T @ step / 1e-4
    system[0, 0] += 1 / 0.01
    right = x.copy()
    right[0] += x.mean() / 0.01
    np.testing.assert_allclose(smoothed(x[:, None])[:, 0], np.linalg.solve(system, right), atol=1e-9)


def test_trials_are_smoothed_each_by_itself(people):
    p = people[0]
    alone = looking_ahead(p)
    other = replace(p, de=np.where((p.piece == 2)[:, None, None], p.de + 5, p.de))
    np.testing.assert_array_equal(looking_ahead(other).de[p.piece != 2], alone.de[p.piece != 2])
    first = (p.piece == 1) & p.there
    assert alone.de[first].std(axis=0).mean() < 0.2 * p.de[first].std(axis=0).mean()
    assert not np.shares_memory(alone.de, p.de)


def test_it_is_above_chance_where_nothing_can_be_read(people):
    methods = [Majority(), Classical("lr")]
    folds = plan(6, "literature", 3, 1, 0)
    assert [fold.split.left for fold in folds] == [fold.split.left for fold in plan(6, "loso", 3, 1, 0)]
    runner = Runner(study(people), None, SerialExecutor(), print)
    result = {"results": summary(compare(runner, methods, folds, choose=False), 0), "about": {"looks_ahead": False}}
    found = literature(runner, methods, folds, result, print)
    lr = found["results"]["all"]["lr"]
    assert set(found["results"]["all"]) == {"lr"}  # nothing is chosen for the majority
    assert lr["inflation"]["mean"] > 0.05
    assert lr["mean"] > 0.55 > result["results"]["all"]["lr"]["balanced_accuracy"]["mean"]
    assert result["results"]["all"]["lr"]["literature"]["mean"] == lr["mean"]
    assert "by looking at the test subject, the best of 4 settings" in found["lines"][1]


def test_the_command_marks_the_column(people, tmp_path, monkeypatch):
    monkeypatch.setattr(run, "load", lambda *_: (people[:4], ("rest", "arithmetic")))
    monkeypatch.setattr(run.report, "pictures", lambda *_: [])
    options = Options(
        "effort",
        tmp_path / "out.json",
        None,
        "virtual",
        "literature",
        channels="all",
        methods="lr",
        n_folds=3,
        n_inner=1,
    )
    text = StringIO()
    evaluate(options, [], print, Console(file=text, width=140))
    assert "NOT COMPARABLE, looks at the test subject" in text.getvalue()
    assert "| NOT COMPARABLE, literature-style |" in (tmp_path / "out.md").read_text()
    assert (
        json.loads((tmp_path / "out.json").read_text())["literature"]["results"]["all"]["lr"]["inflation"]["mean"] > 0
    )

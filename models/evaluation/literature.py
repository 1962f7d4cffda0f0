"""The field's usual figure beside the honest one, so that the distance between them is seen. It is NOT comparable.

Three looks at the test subject are taken at once, as in much of the literature: DE is smoothed over each whole trial by
a linear dynamical system that also runs backwards [1]_; statistics are those of the scored seconds themselves (track
``t``); and of the settings tried, the one that is best on the test subject counts. Subjects are left out one at a time.

References
----------
.. [1] Shi & Lu (2010), "Off-line and on-line vigilance estimation based on linear dynamical system and manifold
   learning", Annual International Conference of the IEEE EMBS; constants as in public code of the field: process noise
   1e-4, observation noise 1, initial variance 0.01, initial state the mean of the trial.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ..datasets.person import Person
from . import figures
from .baselines import Method
from .compare import EvaluationJob, Runner, scores_of
from .splits import Fold

PROTOCOL = "literature"
METHODS = ("lr", "lda", "svm", "reader")
PROCESS_NOISE, OBSERVATION_NOISE, INITIAL_VARIANCE = 1e-4, 1.0, 0.01


def smoothed(x: np.ndarray) -> np.ndarray:
    """Features (n_windows, …) of one trial after forward Kalman filter and backward smoother [1]_."""
    n = len(x)
    filtered, variance = np.empty(x.shape), np.empty(n)
    predicted = np.full(n, INITIAL_VARIANCE)
    state = x.mean(axis=0)
    for t in range(n):
        if t:
            predicted[t] = variance[t - 1] + PROCESS_NOISE
        gain = predicted[t] / (predicted[t] + OBSERVATION_NOISE)
        state = filtered[t] = state + gain * (x[t] - state)
        variance[t] = (1 - gain) * predicted[t]
    for t in range(n - 2, -1, -1):
        filtered[t] += variance[t] / predicted[t + 1] * (filtered[t + 1] - filtered[t])
    return filtered


def looking_ahead(p: Person) -> Person:
    """The subject with DE smoothed over each trial; without trials, over each stretch of one label in a piece."""
    de = p.de.copy()
    cut = np.diff(p.piece) != 0
    if p.trial is None:
        cut = cut | (np.diff(p.label) != 0)
    for at in np.split(np.arange(len(de)), np.flatnonzero(cut) + 1):
        if len(there := at[p.there[at]]):
            de[there] = smoothed(p.de[there].astype(np.float64))
    return replace(p, de=de)


def literature(
    runner: Runner, methods: Sequence[Method], folds: Sequence[Fold], result: dict[str, Any],
    log: Callable[[str], None],
) -> dict[str, Any]:  # fmt: skip
    """Figures of the `METHODS` that look at the test subject.

    Parameters
    ----------
    runner : Runner
    methods : sequence of Method
    folds : sequence of Fold
    result : dict
        With ``results``, a `report.summary` of the honest figures, and ``about``. Each method's measures there get
        ``literature``, its figure, for the table.
    log : callable
        Receives messages on progress.

    Returns
    -------
    dict
        By channel set and method: ``mean`` and ``interval`` of the balanced accuracy, ``inflation`` (the paired
        difference to the honest figure) and ``people``; and ``lines``.
    """
    study, chosen = runner.study.of_scored(), [m for m in methods if m.name in METHODS]
    log("literature-style figures: features smoothed over whole trials, choices on the test subject")
    smooth = [p if result["about"]["looks_ahead"] else looking_ahead(p) for p in study.subjects]
    changed = replace(study, subjects=smooth, track="t")
    names = tuple(study.channel_sets)
    jobs = {
        (m.name, name, fold.split.name, k): EvaluationJob(m, fold.split, setting, names if m.any_montage else (name,))
        for m in chosen
        for name in names
        for fold in folds
        for k, setting in enumerate(m.settings)
    }
    logits = runner.on(changed)(jobs.values())
    found: dict[str, Any] = {}
    lines = [
        "each is the balanced accuracy by the usual protocol: one subject left out, DE smoothed over whole trials with "
        "later windows, statistics of the test recording, and the setting that is best on the test subject"
    ]
    for m in chosen:
        for name in names:
            best: dict[str, float] = {}
            for fold in folds:
                for k in range(len(m.settings)):
                    job = jobs[m.name, name, fold.split.name, k]
                    for i, scores in scores_of(changed, name, job.split.left, logits[job.key(changed)]).items():
                        reached = figures.of_person(scores, 1.0)["balanced_accuracy"]
                        best[smooth[i].name] = max(reached, best.get(smooth[i].name, 0.0))
            honest = result["results"][name][m.name]
            found.setdefault(name, {})[m.name] = row = _beside(best, honest, study.seed)
            honest["literature"] = {"mean": row["mean"], "interval": row["interval"]}
            was = honest["balanced_accuracy"]["mean"]
            lines.append(
                f"{m.title} ({name} channels): {row['mean']:.3f} in place of {was:.3f}; "
                f"{figures.text_of(row['inflation'], '+')} by looking at the test subject"
                + (f", the best of {len(m.settings)} settings" if len(m.settings) > 1 else "")
            )
    return {"results": found, "lines": lines}


def _beside(best: Mapping[str, float], honest: Mapping[str, Any], seed: int) -> dict[str, Any]:
    """The figure, and its paired difference to the honest one."""
    names = [p["person"] for p in honest["people"]]
    weights, values = figures.draws(len(names), seed), [best[name] for name in names]
    more = [best[p["person"]] - p["balanced_accuracy"] for p in honest["people"]]
    return {
        **figures.mean_with_interval(values, weights), "inflation": figures.mean_with_interval(more, weights),
        "people": {name: round(best[name], 4) for name in names},
    }  # fmt: skip

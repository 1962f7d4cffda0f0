"""Controls of labelled data sets that stand in the same table: what is known without looking at the brain.

* `PositionControl`: the label from the place of the trial in the session, and the second in the trial;
* `NeighbourControl`: the label from the label of the trial before, which the order of playing gives away;
* `clip_identity`: whether the stimulus itself can be told among those of the same label. Where it can, a label that
  is read may be the stimulus that is recognised: hold out stimuli, too (protocol ``subject-clip``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from ..datasets.person import Person
from .baselines import Scorer, Setting, fitted_logits, logistic_regression
from .compare import Study
from .contexts import Contexts, View
from .figures import draws, mean_with_interval
from .splits import Fold

LEAST_CLIPS = 2
"""Stimuli of a label without which nothing can be confused."""


class _TrialMethod:
    """Logistic regression on features of the trials' order."""

    any_montage = True
    depends: Sequence[object] = ()
    settings: Sequence[Setting] = ({"C": 1.0},)
    features: Callable[[Contexts], np.ndarray]

    def fit(self, subjects: Sequence[Person], view: View, setting: Setting, seed: int) -> Scorer:
        contexts = [view.contexts(p) for p in subjects]
        x, y = np.concatenate([self.features(c) for c in contexts]), np.concatenate([c.labels for c in contexts])
        logits = fitted_logits(logistic_regression(setting["C"]), x, y, len(view.labels))
        return lambda c: logits(self.features(c))


class PositionControl(_TrialMethod):
    """The label from the place of the trial in its session: a smooth function of it, and each place by itself."""

    name, title = "position", "position in the session (control)"

    @staticmethod
    def features(c: Contexts) -> np.ndarray:
        p = c.person
        assert p.trial is not None
        place = np.array([t.position for t in p.trials])[p.trial[c.at]]
        share = place / max(1, max(t.position for t in p.trials))
        return np.column_stack([share[:, None] ** np.arange(1, 5), place[:, None] == np.arange(MOST_PLACES)])


class NeighbourControl(_TrialMethod):
    """The label from the true label of the trial before it in the same session."""

    name, title = "neighbour", "label of the trial before (control)"

    @staticmethod
    def features(c: Contexts) -> np.ndarray:
        p = c.person
        assert p.trial is not None
        by_trial = label_by_trial(p)
        before = np.array([
            by_trial[i - 1] if i and p.trials[i - 1].session == t.session else -1 for i, t in enumerate(p.trials)
        ])  # fmt: skip
        return before[p.trial[c.at]][:, None] == np.arange(-1, MOST_LABELS)


MOST_PLACES, MOST_LABELS = 40, 9


def label_by_trial(p: Person) -> np.ndarray:
    """(n_trials,) int: the label of each trial's seconds; -1 where it has none."""
    assert p.trial is not None
    return np.array([p.label[p.trial == i].max(initial=-1) for i in range(len(p.trials))])


def clip_identity(study: Study, folds: Sequence[Fold], seed: int) -> dict[str, Any] | None:
    """How often the stimulus is told rightly among those of the same label, by subjects that were not trained on.

    Returns
    -------
    dict or None
        ``accuracy`` and ``chance``, means over subjects, and ``above`` chance with its interval; None where no label
        has two stimuli that all groups of subjects saw.
    """
    rows: dict[int, tuple[float, float]] = {}
    for fold in folds:
        train, left = [study.subjects[i] for i in fold.split.train], fold.split.left
        view = study.view(train, study.ch_names)
        seen = [_trial_means(view.contexts(p)) for p in train]
        x = np.concatenate([means for means, _, _ in seen])
        clips = np.concatenate([names for _, names, _ in seen])
        label_of_clip = {clip: y for _, names, ys in seen for clip, y in zip(names, ys, strict=True)}
        if max(np.bincount(list(label_of_clip.values()))) < LEAST_CLIPS:
            return None
        model = make_pipeline(StandardScaler(), LogisticRegression(C=1e-2, max_iter=500)).fit(x, clips)
        known = np.array([label_of_clip[clip] for clip in model.classes_])
        for i in left:
            hits, chances = [], []
            for row, clip, y in zip(*_trial_means(view.contexts(study.subjects[i])), strict=True):
                same = np.flatnonzero(known == y)
                if clip in model.classes_[same] and len(same) >= LEAST_CLIPS:
                    guess = model.classes_[same[model.decision_function(row[None])[0][same].argmax()]]
                    hits.append(guess == clip)
                    chances.append(1 / len(same))
            if hits:
                rows[i] = float(np.mean(hits)), float(np.mean(chances))
    if not rows:
        return None
    hit, chance = np.array(list(rows.values())).T
    above = mean_with_interval((hit - chance).tolist(), draws(len(rows), seed))
    return {"accuracy": round(float(hit.mean()), 4), "chance": round(float(chance.mean()), 4), "above": above}


def _trial_means(c: Contexts) -> tuple[np.ndarray, list[str], list[int]]:
    """Mean DE (n_trials, n_features), stimulus and label of each trial that is scored."""
    p = c.person
    assert p.trial is not None
    trial = p.trial[c.at]
    numbers = np.unique(trial)
    means = np.stack([c.mean_de[trial == k].mean(axis=0) for k in numbers])
    return means, [p.trials[k].stimulus for k in numbers], [int(c.labels[trial == k][0]) for k in numbers]


def leaks(result: Mapping[str, Any]) -> list[str]:
    """Sentences on what else than the brain may explain a table: for controls above chance, by their intervals."""
    labels = result["about"]["labels"]
    found = []
    for methods in result["results"].values():
        for control in (PositionControl, NeighbourControl):
            low = methods[control.name]["balanced_accuracy"]["interval"][0]
            if low > 1 / len(labels):
                mean = methods[control.name]["balanced_accuracy"]["mean"]
                found.append(
                    f"{control.title}: balanced accuracy {mean:.3f} without any signal (chance {1 / len(labels):.3f}): "
                    "the order of playing gives labels away; compare every method with it"
                )
        break  # these are the same on all channels
    clips = result.get("clip_identity")
    if clips and clips["above"]["interval"][0] > 0:
        found.append(
            f"the stimulus itself is recognised among those of the same label in {clips['accuracy']:.3f} of trials "
            f"(chance {clips['chance']:.3f}): labels may be read from the stimulus; see --protocol subject-clip"
        )
    return found

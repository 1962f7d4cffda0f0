"""Whether the stimulus itself can be told among those of the same label.

Where it can, a label that is read may be the stimulus that is recognised: hold out stimuli, too (protocol
``subject-clip``).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from ..compare import Study
from ..contexts import Contexts
from ..figures import draws, mean_with_interval
from ..splits import Fold

LEAST_CLIPS = 2
"""Stimuli of a label without which nothing can be confused."""


def clip_identity(study: Study, folds: Sequence[Fold], seed: int) -> dict[str, Any] | None:
    """How often the stimulus of a trial is recognised among those of the same label, in held-out subjects.

    Returns
    -------
    dict or None
        ``accuracy`` with its ``interval``, and ``chance``, means over subjects, and the distance ``above`` chance with
        its interval; None where no label has two stimuli that all groups of subjects saw.
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
                    guess = model.classes_[same[model.predict_log_proba(row[None])[0][same].argmax()]]
                    hits.append(guess == clip)
                    chances.append(1 / len(same))
            if hits:
                rows[i] = float(np.mean(hits)), float(np.mean(chances))
    if not rows:
        return None
    hit, chance = np.array(list(rows.values())).T
    weights = draws(len(rows), seed)
    accuracy = mean_with_interval(hit.tolist(), weights)
    return {
        "accuracy": accuracy["mean"], "interval": accuracy["interval"], "chance": round(float(chance.mean()), 4),
        "above": mean_with_interval((hit - chance).tolist(), weights),
    }  # fmt: skip


def _trial_means(c: Contexts) -> tuple[np.ndarray, list[str], list[int]]:
    """Mean DE (n_trials, n_features), stimulus and label of each trial that is scored."""
    numbers, row, means = c.by_trial(c.mean_de)
    labels = c.labels[np.unique(row, return_index=True)[1]]
    return means, [c.person.trials[k].stimulus for k in numbers], labels.tolist()

"""A linear probe: logistic or ridge regression on frozen features, with people or days left out.

The regularisation is chosen by inner folds on other people, the strongest that is not clearly worse (`simplest`).
Features are standardised over the training windows and divided by the root of their number, so that one grid of
penalties suits five features and thousands [1]_.

References
----------
.. [1] Alain & Bengio (2017), "Understanding intermediate layers using linear classifier probes", arXiv:1610.01644:
   linear probes of frozen layers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from sklearn.linear_model import LogisticRegression, Ridge

from .baselines import LEAST_LOGIT
from .compare import simplest
from .figures import Scores, auc, balanced_accuracy
from .ratings import measures
from .splits import Fold, Split

CS = (0.1, 1.0, 10.0, 100.0)
"""Inverse penalties, the strongest first."""
Predict = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True, eq=False)
class ProbeData:
    """Features (n, F), targets (n,) and trials (n,) of one unit."""

    name: str
    subject: str
    x: np.ndarray
    target: np.ndarray
    trial: np.ndarray

    def with_fewer_labels(self, share: float, seed: int, *, classes: bool) -> ProbeData:
        """The unit with a `share` of the labelled windows: one run of each class, or of trials of a rating."""
        if share >= 1:
            return self
        rng = np.random.default_rng([seed, *self.name.encode()])
        keep: list[np.ndarray] = []
        if classes:
            for y in np.unique(self.target):
                keep.append(_run(np.flatnonzero(self.target == y), share, rng))
        else:
            kept = _run(np.unique(self.trial), share, rng)
            keep.append(np.flatnonzero(np.isin(self.trial, kept)))
        at = np.sort(np.concatenate(keep))
        return replace(self, x=self.x[at], target=self.target[at], trial=self.trial[at])


def _run(rows: np.ndarray, share: float, rng: np.random.Generator) -> np.ndarray:
    n = max(1, round(share * len(rows)))
    first = int(rng.integers(len(rows) - n + 1))
    return rows[first : first + n]


def fitted(data: Sequence[ProbeData], c: float, n_labels: int) -> Predict:
    """A probe of the inverse penalty `c`: features to logits (n, n_labels), or for 0 labels to ratings (n, 1)."""
    x, y = np.concatenate([d.x for d in data]), np.concatenate([d.target for d in data])
    mean, scale = x.mean(axis=0), x.shape[1] ** 0.5 * np.maximum(x.std(axis=0), 1e-6)  # both in the type of x
    if n_labels == 0:
        ridge = Ridge(alpha=100 / c).fit((x - mean) / scale, y)
        return lambda new: ridge.predict((new - mean) / scale)[:, None]
    model = LogisticRegression(C=c, class_weight="balanced", tol=1e-3, max_iter=1000).fit(
        (x - mean) / scale, y.astype(int)
    )

    def logits(new: np.ndarray) -> np.ndarray:
        every = np.full((len(new), n_labels), LEAST_LOGIT)
        every[:, model.classes_] = np.maximum(model.predict_log_proba((new - mean) / scale), LEAST_LOGIT)
        return every

    return logits


def probe(
    data: Sequence[ProbeData], folds: Sequence[Fold], n_labels: int, label_share: float = 1.0, seed: int = 0
) -> dict[int, np.ndarray]:
    """Predictions for each unit by a probe fitted to others: logits (n, n_labels), or ratings (n, 1) for 0 labels.

    Parameters
    ----------
    data : sequence of ProbeData
    folds : sequence of Fold
        Indices into `data`.
    n_labels : int
    label_share : float
        Share of the labels of each training unit that is used.
    seed : int
    """
    few = [d.with_fewer_labels(label_share, seed, classes=n_labels > 0) for d in data]
    known: dict[tuple[Split, float], dict[int, np.ndarray]] = {}

    def held_out(split: Split, c: float) -> dict[int, np.ndarray]:
        if (split, c) not in known:
            predict = fitted([few[i] for i in split.train], c, n_labels)
            known[split, c] = {i: predict(data[i].x) for i in split.left}
        return known[split, c]

    found: dict[int, np.ndarray] = {}
    for fold in folds:
        inner = [(split, i) for split, subjects in fold.inner for i in subjects]
        reached = [[_goodness(held_out(split, c)[i], data[i], n_labels) for split, i in inner] for c in CS]
        found |= held_out(fold.split, CS[simplest(np.array(reached))])
    return found


def _goodness(predicted: np.ndarray, d: ProbeData, n_labels: int) -> float:
    """What the penalty is chosen by on inner people: AUC, or minus the squared error."""
    if n_labels:
        return auc(predicted, d.target.astype(int))
    return -float(np.mean((predicted[:, 0] - d.target) ** 2))


def scores_of_subject(parts: Sequence[tuple[ProbeData, np.ndarray]], n_labels: int) -> dict[str, float]:
    """Measures of one subject over its units: balanced accuracy and AUC, or for ratings r, CCC and error by trial."""
    predicted = np.concatenate([p for _, p in parts])
    target = np.concatenate([d.target for d, _ in parts])
    if n_labels:
        s = Scores(predicted, target.astype(int))
        return {"balanced_accuracy": balanced_accuracy(s), "auc": auc(predicted, s.labels), "windows": len(target)}
    trial = np.concatenate([d.trial for d, _ in parts])
    trials = np.unique(trial)
    by_trial = [(target[trial == k][0], predicted[trial == k, 0].mean()) for k in trials]
    truth, mean = (np.array(x) for x in zip(*by_trial, strict=True))
    return measures(truth, mean) | {"windows": len(target)}

"""What a linear prediction of ratings reaches by chance: the same regression on permuted ratings.

Chance is no point where subjects are few. Where the relation of signal and rating differs from subject to subject and
cancels over all of them, the subjects that a model is fitted to show the opposite of the one left out, and r is below
zero although nothing is predicted. Bootstrap intervals over subjects do not include this, because all models share
most of their training subjects; permuted ratings do.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..datasets.person import Person
from .baselines import Setting
from .compare import Study
from .rating_methods import RatingMethod, ratings_of, regressor
from .splits import Fold

N_PERMUTATIONS = 200


def permuted_r(
    study: Study, ch_names: tuple[str, ...], scale: str, setting: Setting, folds: Sequence[Fold],
    n_permutations: int = N_PERMUTATIONS,
) -> np.ndarray:  # fmt: skip
    """Pearson's r within held-out subjects, averaged over them, of ridge regression on permuted ratings.

    Ratings are permuted within each subject; trials of the same stimulus that follow one another keep theirs together.

    Parameters
    ----------
    study : Study
    ch_names : tuple of str
    scale : str
    setting : mapping
        Of the regression.
    folds : sequence of Fold
    n_permutations : int

    Returns
    -------
    (n_permutations,) float
    """
    method, rng = RatingMethod("ridge", scale), np.random.default_rng([5, study.seed])
    view, xs, ys = study.view(study.subjects, ch_names), [], []
    for p in study.subjects:
        numbers, _, x = method.by_trial(view.contexts(p))
        xs.append(x)
        ys.append(np.stack([_permuted(p, numbers, scale, rng) for _ in range(n_permutations)], axis=1))
    total = np.zeros(n_permutations)
    for fold in folds:
        train, left = fold.split.train, fold.split.left
        model = regressor("ridge", setting)
        model.fit(np.concatenate([xs[i] for i in train]), np.concatenate([ys[i] for i in train]))
        total += np.sum([_r(ys[i], model.predict(xs[i])) for i in left], axis=0)
    return total / sum(len(fold.split.left) for fold in folds)


def _permuted(p: Person, numbers: np.ndarray, scale: str, rng: np.random.Generator) -> np.ndarray:
    ratings, stimuli = ratings_of(p, numbers, scale), np.array([p.trials[k].stimulus for k in numbers])
    runs = np.split(ratings, np.flatnonzero(stimuli[1:] != stimuli[:-1]) + 1)
    return np.concatenate([runs[i] for i in rng.permutation(len(runs))])


def _r(truth: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    """Pearson's r of each column of (n_trials, n); 0 where one of both is constant."""
    a, b = truth - truth.mean(axis=0), predicted - predicted.mean(axis=0)
    spread = np.sqrt((a**2).sum(axis=0) * (b**2).sum(axis=0))
    return np.where(spread > 1e-9, (a * b).sum(axis=0) / np.maximum(spread, 1e-9), 0.0)

"""Performance measures: per subject, over subjects with confidence intervals, and calibration of the confidence.

All measures use equally many seconds of each class within a subject. Intervals are percentiles of a
bootstrap over subjects [1]_; the same draws serve every method, so differences are paired.

References
----------
.. [1] Efron & Tibshirani (1993), An Introduction to the Bootstrap.
.. [2] Guo, Pleiss, Sun, Weinberger (2017), "On calibration of modern neural networks", ICML: temperature scaling and
   the expected calibration error.
.. [3] Geifman & El-Yaniv (2017), "Selective classification for deep neural networks", NeurIPS: risk and coverage.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax

DRAWS = 10_000
BINS = 15
COVERAGES = tuple(round(0.1 * i, 1) for i in range(1, 11))


@dataclass(frozen=True, eq=False)
class Scores:
    """One subject's logits (n, n_labels), labels (n,), and, where there are any, numbers of trials (n,)."""

    logits: np.ndarray
    labels: np.ndarray
    trials: np.ndarray | None = None

    def even(self) -> Scores:
        """The first seconds of every class that the subject has, equally many."""
        classes, counts = np.unique(self.labels, return_counts=True)
        keep = np.concatenate([np.flatnonzero(self.labels == y)[: counts.min()] for y in classes])
        return Scores(self.logits[keep], self.labels[keep])

    def by_trial(self) -> Scores:
        """The mean log probability of each trial's seconds, a row a trial."""
        assert self.trials is not None
        logs, first, rows = log_softmax(self.logits, axis=1), *np.unique(self.trials, return_index=True)
        means = np.stack([logs[self.trials == trial].mean(axis=0) for trial in first])
        return Scores(means, self.labels[rows])


def auc(probs: np.ndarray, labels: np.ndarray) -> float:
    """Area under the ROC curve; for more than two labels the mean over one against the rest."""
    from sklearn.metrics import roc_auc_score  # of the extra for training: calibration does without it

    if probs.shape[1] == 2:
        return float(roc_auc_score(labels, probs[:, 1]))
    return float(np.mean([roc_auc_score(labels == y, probs[:, y]) for y in np.unique(labels)]))


def of_person(scores: Scores, temperature: float) -> dict[str, float]:
    """Balanced accuracy, macro-F1, AUC, and expected calibration error, Brier score and NLL after temperature."""
    from sklearn.metrics import f1_score

    s = scores.even()
    probs, guess = softmax(s.logits / temperature, axis=1), s.logits.argmax(axis=1)
    rows = np.arange(len(s.labels))
    truth = np.eye(probs.shape[1])[s.labels]
    by_trial = {} if scores.trials is None else {"trial_balanced_accuracy": balanced_accuracy(scores.by_trial())}
    return by_trial | {
        "balanced_accuracy": float(np.mean(guess == s.labels)),  # classes are equally long
        "macro_f1": float(f1_score(s.labels, guess, average="macro", labels=np.unique(s.labels), zero_division=0)),
        "auc": auc(s.logits - s.logits.mean(axis=1, keepdims=True) if probs.shape[1] == 2 else probs, s.labels),
        "ece": float(expected_calibration_error(binned(probs, s.labels))),
        "brier": float(np.sum((probs - truth) ** 2, axis=1).mean()),
        "nll": float(-log_softmax(s.logits / temperature, axis=1)[rows, s.labels].mean()),
        "seconds": len(rows),
    }


def balanced_accuracy(s: Scores) -> float:
    """Mean over the classes that there are of the share of their rows that is right."""
    hit = s.logits.argmax(axis=1) == s.labels
    return float(np.mean([hit[s.labels == y].mean() for y in np.unique(s.labels)]))


# -- over subjects ------------------------------------------------------------------------------------------------


def draws(n_people: int, seed: int, n_draws: int = DRAWS) -> np.ndarray:
    """How often each subject is drawn, (n_draws, n_people) int."""
    picked = np.random.default_rng(seed).integers(n_people, size=(n_draws, n_people))
    numbered = picked + n_people * np.arange(n_draws)[:, None]
    return np.bincount(numbered.ravel(), minlength=n_draws * n_people).reshape(n_draws, n_people)


def interval(values: np.ndarray, level: float = 0.95) -> list[float] | None:
    """Percentile interval of bootstrap values, those that could not be computed left out; None when none could."""
    if np.isnan(values).all():
        return None
    low, high = np.nanquantile(values, [(1 - level) / 2, (1 + level) / 2])
    return [round(float(low), 4), round(float(high), 4)]


def mean_with_interval(values: Sequence[float], weights: np.ndarray) -> dict[str, object]:
    """Mean over subjects, and its interval; `weights` are `draws`."""
    x = np.asarray(values, float)
    return {"mean": round(float(x.mean()), 4), "interval": interval(weights @ x / len(x))}


# -- confidence ---------------------------------------------------------------------------------------------------


def binned(probs: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Count, summed confidence and hits in equal-width bins of confidence: (3, BINS)."""
    confidence, hit = probs.max(axis=1), probs.argmax(axis=1) == labels
    where = np.minimum((confidence * BINS).astype(int), BINS - 1)
    return np.stack([np.bincount(where, weights=w, minlength=BINS) for w in (np.ones(len(hit)), confidence, hit)])


def expected_calibration_error(bins: np.ndarray) -> np.ndarray:
    """Mean distance of confidence and accuracy over bins [2]_, of sums (…, 3, BINS)."""
    count, confidence, hits = np.moveaxis(bins, -2, 0)
    return np.abs(confidence - hits).sum(-1) / np.maximum(count.sum(-1), 1e-12)


def temperature(scores: Sequence[Scores]) -> float:
    """The temperature of least loss on held-out subjects [2]_."""
    logits = np.concatenate([s.even().logits for s in scores])
    labels = np.concatenate([s.even().labels for s in scores])
    rows = np.arange(len(labels))

    def loss(log_t: float) -> float:
        return float(-log_softmax(logits / np.exp(log_t), axis=1)[rows, labels].mean())

    return float(np.exp(minimize_scalar(loss, bounds=(-4, 4), method="bounded").x))


def thresholds(scores: Sequence[Scores], temperature: float) -> dict[float, float]:
    """For each coverage, the confidence that this share of the seconds of held-out subjects reaches."""
    probs = softmax(np.concatenate([s.even().logits for s in scores]) / temperature, axis=1)
    return {c: 0.0 if c == 1 else float(np.quantile(probs.max(axis=1), 1 - c)) for c in COVERAGES}


def kept(scores: Scores, temperature: float, threshold: float) -> np.ndarray:
    """Seconds, seconds kept and hits among them, by label: (3, n_labels)."""
    s = scores.even()
    probs = softmax(s.logits / temperature, axis=1)
    keep = probs.max(axis=1) >= threshold
    hit = keep & (probs.argmax(axis=1) == s.labels)
    return np.stack([np.bincount(s.labels, weights=w, minlength=probs.shape[1]) for w in (keep * 0 + 1, keep, hit)])


def selective(counts: np.ndarray, weights: np.ndarray) -> dict[str, object]:
    """Coverage and balanced accuracy [3]_ pooled over subjects, of `kept` (n_people, 3, n_labels), with intervals."""

    def of(total: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        with np.errstate(invalid="ignore"):
            return total[..., 1, :].sum(-1) / total[..., 0, :].sum(-1), (total[..., 2, :] / total[..., 1, :]).mean(-1)

    # No second may be left: then the accuracy is undefined.
    (coverage, accuracy), (all_coverage, all_accuracy) = of(counts.sum(0)), of(np.tensordot(weights, counts, 1))
    return {
        "coverage": round(float(coverage), 4), "coverage_interval": interval(all_coverage),
        "balanced_accuracy": None if np.isnan(accuracy) else round(float(accuracy), 4),
        "interval": interval(all_accuracy),
    }  # fmt: skip

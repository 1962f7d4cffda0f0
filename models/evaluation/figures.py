"""Performance measures: per subject, over subjects with confidence intervals, and calibration of the confidence.

All measures use equally many seconds of each class of a subject. Intervals are percentiles of a bootstrap over subjects
[1]_; the same draws serve every method, so differences are paired.

References
----------
.. [1] Efron & Tibshirani (1993), An Introduction to the Bootstrap.
.. [2] Guo, Pleiss, Sun, Weinberger (2017), "On calibration of modern neural networks", ICML: temperature scaling and
   the expected calibration error.
.. [3] Geifman & El-Yaniv (2017), "Selective classification for deep neural networks", NeurIPS: risk and coverage.
.. [4] Hanley & McNeil (1982), "The meaning and use of the area under a receiver operating characteristic (ROC) curve",
   Radiology 143(1), 29-36.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax
from scipy.stats import rankdata

DRAWS = 10_000
BINS = 15
COVERAGES = tuple(round(0.1 * i, 1) for i in range(1, 11))


@dataclass(frozen=True, eq=False)
class Scores:
    """One subject's logits (n, n_labels), labels (n,), and optionally numbers of trials (n,)."""

    logits: np.ndarray
    labels: np.ndarray
    trials: np.ndarray | None = None

    def even(self) -> Scores:
        """Equally many seconds of every class that the subject has, the first ones."""
        classes, counts = np.unique(self.labels, return_counts=True)
        keep = np.concatenate([np.flatnonzero(self.labels == y)[: counts.min()] for y in classes])
        return Scores(self.logits[keep], self.labels[keep])

    def by_trial(self) -> Scores:
        """One row per trial: the mean log probability over its seconds."""
        assert self.trials is not None
        logs, trials, rows = log_softmax(self.logits, axis=1), *np.unique(self.trials, return_index=True)
        means = np.stack([logs[self.trials == trial].mean(axis=0) for trial in trials])
        return Scores(means, self.labels[rows])


def auc(probs: np.ndarray, labels: np.ndarray) -> float:
    """Area under the ROC curve; for more than two labels the mean over one against the rest.

    It is the Mann-Whitney statistic U, from mean ranks of ties, over the number of pairs [4]_.

    Parameters
    ----------
    probs : np.ndarray
        Probabilities or other scores, (n, n_labels).
    labels : np.ndarray
        True labels, (n,) int.

    Returns
    -------
    float
        From 0 to 1; NaN where all rows have the same label.
    """
    classes = np.array([1]) if probs.shape[1] == 2 else np.unique(labels)
    positive = labels[:, None] == classes
    n = positive.sum(axis=0)
    if not (pairs := n * (len(labels) - n)).all():
        return float("nan")
    u = np.where(positive, rankdata(probs[:, classes], axis=0), 0.0).sum(axis=0) - n * (n + 1) / 2
    return float(np.mean(u / pairs))


def macro_f1(guess: np.ndarray, labels: np.ndarray) -> float:
    """Mean F1, 2 TP / (2 TP + FP + FN), of the labels that are among `labels` (n,); `guess` is (n,) int."""
    classes = np.unique(labels)
    of_label, guessed = labels[:, None] == classes, guess[:, None] == classes
    return float(np.mean(2 * (of_label & guessed).sum(axis=0) / (of_label.sum(axis=0) + guessed.sum(axis=0))))


def of_person(scores: Scores, temperature: float) -> dict[str, float]:
    """Balanced accuracy, macro-F1, AUC, and expected calibration error, Brier score and NLL after temperature."""
    s = scores.even()
    probs, guess = softmax(s.logits / temperature, axis=1), s.logits.argmax(axis=1)
    truth = np.eye(probs.shape[1])[s.labels]
    by_trial = {} if scores.trials is None else {"trial_balanced_accuracy": balanced_accuracy(scores.by_trial())}
    return by_trial | {
        "balanced_accuracy": float(np.mean(guess == s.labels)),  # classes have equally many seconds
        "macro_f1": macro_f1(guess, s.labels),
        "auc": auc(s.logits - s.logits.mean(axis=1, keepdims=True) if probs.shape[1] == 2 else probs, s.labels),
        "ece": float(expected_calibration_error(binned(probs, s.labels))),
        "brier": float(np.sum((probs - truth) ** 2, axis=1).mean()),
        "nll": _log_loss(s.logits / temperature, s.labels),
        "seconds": len(s.labels),
    }


def balanced_accuracy(s: Scores) -> float:
    """Mean over the classes that are there of the share of their rows that is right."""
    hit = s.logits.argmax(axis=1) == s.labels
    return float(np.mean([hit[s.labels == y].mean() for y in np.unique(s.labels)]))


# -- over subjects ------------------------------------------------------------------------------------------------


def draws(n_subjects: int, seed: int, n_draws: int = DRAWS) -> np.ndarray:
    """How often each subject is drawn, (n_draws, n_subjects) int."""
    picked = np.random.default_rng(seed).integers(n_subjects, size=(n_draws, n_subjects))
    numbered = picked + n_subjects * np.arange(n_draws)[:, None]
    return np.bincount(numbered.ravel(), minlength=n_draws * n_subjects).reshape(n_draws, n_subjects)


def interval(values: np.ndarray, level: float = 0.95) -> list[float] | None:
    """Percentile interval of bootstrap values, those that could not be computed left out; None when none could."""
    if np.isnan(values).all():
        return None
    low, high = np.nanquantile(values, [(1 - level) / 2, (1 + level) / 2])
    return [round(float(low), 4), round(float(high), 4)]


def mean_with_interval(values: Sequence[float], weights: np.ndarray) -> dict[str, Any]:
    """Mean over subjects and its interval, from bootstrap `draws` as `weights`."""
    x = np.asarray(values, float)
    return {"mean": round(float(x.mean()), 4), "interval": interval(weights @ x / len(x))}


def paired_difference(
    a: Sequence[Mapping[str, Any]], b: Sequence[Mapping[str, Any]], key: str, weights: np.ndarray
) -> dict[str, Any]:
    """Mean and interval of a measure of the same subjects by one method minus that by another."""
    return mean_with_interval([x[key] - y[key] for x, y in zip(a, b, strict=True)], weights)


def text_of(value: Mapping[str, Any], sign: str = "") -> str:
    """A mean with its interval in words; with the `sign` ``+``, signed."""
    mean, low, high = (f"{x:{sign}.3f}" for x in (value["mean"], *value["interval"]))
    return f"{mean} [{low}, {high}]"


# -- confidence ---------------------------------------------------------------------------------------------------


def binned(probs: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Count, summed confidence and hits in equal-width bins of confidence: (3, BINS)."""
    confidence, hit = probs.max(axis=1), probs.argmax(axis=1) == labels
    where = np.minimum((confidence * BINS).astype(int), BINS - 1)
    return np.stack([np.bincount(where, weights=w, minlength=BINS) for w in (np.ones(len(hit)), confidence, hit)])


def calibration_bins(scores: Scores, temperature: float) -> np.ndarray:
    """`binned` of one subject after temperature."""
    s = scores.even()
    return binned(softmax(s.logits / temperature, axis=1), s.labels)


def expected_calibration_error(bins: np.ndarray) -> np.ndarray:
    """Mean distance of confidence and accuracy over bins [2]_, from sums (…, 3, BINS) of `binned`."""
    count, confidence, hits = np.moveaxis(bins, -2, 0)
    return np.abs(confidence - hits).sum(-1) / np.maximum(count.sum(-1), 1e-12)


def temperature(scores: Sequence[Scores]) -> float:
    """The temperature of minimal log loss on held-out subjects [2]_."""
    even = [s.even() for s in scores]
    logits, labels = np.concatenate([s.logits for s in even]), np.concatenate([s.labels for s in even])

    def loss(log_t: float) -> float:
        return _log_loss(logits / np.exp(log_t), labels)

    return float(np.exp(minimize_scalar(loss, bounds=(-4, 4), method="bounded").x))


def _log_loss(logits: np.ndarray, labels: np.ndarray) -> float:
    return float(-log_softmax(logits, axis=1)[np.arange(len(labels)), labels].mean())


def thresholds(
    scores: Sequence[Scores], temperature: float, coverages: Sequence[float] = COVERAGES
) -> dict[float, float]:
    """For each coverage, the confidence reached in this share of the seconds of held-out subjects."""
    probs = softmax(np.concatenate([s.even().logits for s in scores]) / temperature, axis=1)
    return {c: 0.0 if c == 1 else float(np.quantile(probs.max(axis=1), 1 - c)) for c in coverages}


def kept(scores: Scores, temperature: float, threshold: float) -> np.ndarray:
    """Seconds, seconds kept and hits among them, by label: (3, n_labels)."""
    s = scores.even()
    probs = softmax(s.logits / temperature, axis=1)
    keep = probs.max(axis=1) >= threshold
    hit = keep & (probs.argmax(axis=1) == s.labels)
    return np.stack([np.bincount(s.labels, weights=w, minlength=probs.shape[1]) for w in (keep * 0 + 1, keep, hit)])


def accuracy_of_kept(counts: np.ndarray) -> np.ndarray:
    """Balanced accuracy from sums (…, 3, n_labels) of `kept`; NaN where no second of a label is kept."""
    with np.errstate(invalid="ignore"):
        return (counts[..., 2, :] / counts[..., 1, :]).mean(-1)


def selective(counts: np.ndarray, weights: np.ndarray) -> dict[str, object]:
    """Coverage and balanced accuracy [3]_ pooled over subjects, of `kept` (n_subjects, 3, n_labels), with intervals."""
    total, drawn = counts.sum(0), np.tensordot(weights, counts, 1)
    coverage, drawn_coverage = (n[..., 1, :].sum(-1) / n[..., 0, :].sum(-1) for n in (total, drawn))
    accuracy = float(accuracy_of_kept(total))
    return {
        "coverage": round(float(coverage), 4), "coverage_interval": interval(drawn_coverage),
        "balanced_accuracy": None if np.isnan(accuracy) else round(accuracy, 4),
        "interval": interval(accuracy_of_kept(drawn)),
    }  # fmt: skip

"""Validation of a personal classifier: cross-validation over blocks, a permutation test, and a control on time alone.

Each second is scored by a classifier that was fitted to other blocks. A readout passes when its p value, its 95 %
confidence interval and its balanced accuracy say so, and when the time of a second alone does not predict as much.

References
----------
.. [1] Ojala & Garriga (2010), "Permutation tests for studying classifier performance", JMLR 11.
.. [2] Guo, Pleiss, Sun, Weinberger (2017), "On calibration of modern neural networks", ICML.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from scipy.special import softmax

from realtime_mood.language import N_
from realtime_mood.models.evaluation.figures import Scores, binned, expected_calibration_error, temperature
from realtime_mood.models.personal import Parts, PersonalHead, fit_head
from realtime_mood.profile import ValidationResult

from .protocol import LEVEL, least_p

SHUFFLES = 199  # permutations
DRAWS = 2000  # bootstrap samples of blocks
GAIN = 0.1  # least balanced accuracy above chance: below it a readout is of no practical use
OVER_TIME = 0.05  # least balanced accuracy above the control on time alone
COVERED = 0.8  # share of held-out seconds that become estimates; the least confident ones do not
LEAST_BLOCKS = 2  # of each label
Fit = Callable[[np.ndarray, np.ndarray], PersonalHead]


@dataclass(frozen=True, eq=False)
class HeldOut:
    """Predictions for held-out blocks."""

    logits: np.ndarray  # (n, n_labels)
    labels: np.ndarray  # (n,)
    block: np.ndarray  # (n,)
    fold: np.ndarray  # (n,)
    temperature: float
    least_confidence: float
    probs: np.ndarray
    """(n, n_labels): probabilities at the temperature of the other folds, so that the ECE is not optimistic."""


def folds(labels: np.ndarray) -> np.ndarray:
    """Fold of each block, given the labels of blocks in order: fold k holds the k-th block of every label."""
    is_label = labels[:, None] == np.unique(labels)
    return np.asarray((is_label.cumsum(axis=0) - 1)[is_label] % is_label.sum(axis=0).min())


def hold_out(x: np.ndarray, block: np.ndarray, of_block: np.ndarray, fit_to: Fit) -> np.ndarray:
    """Logits (n, n_labels) of every second by classifiers that `fit_to` fitted to the blocks of other folds.

    `x` is (n, F), `block` (n,) the index of each second's block, and `of_block` (n_blocks,) the label of each block.
    """
    fold, y = folds(of_block)[block], of_block[block]
    logits = np.empty((len(x), of_block.max() + 1))
    for k in np.unique(fold):
        test = fold == k
        logits[test] = fit_to(x[~test], y[~test])(x[test])
    return logits


def balanced(hit: np.ndarray, block: np.ndarray, of_block: np.ndarray, weight: np.ndarray | None = None) -> float:
    """Balanced accuracy over blocks: mean over labels of the mean over their blocks of the accuracy of seconds."""
    share = np.bincount(block, hit, len(of_block)) / np.maximum(np.bincount(block, minlength=len(of_block)), 1)
    weight = np.ones(len(of_block)) if weight is None else weight
    total = np.bincount(of_block, weight)
    return float(np.mean(np.bincount(of_block, weight * share)[total > 0] / total[total > 0]))


def by_time(at: np.ndarray, block: np.ndarray, of_block: np.ndarray) -> np.ndarray:
    """Held-out predictions of a classifier whose only input is the time of each second."""
    t = (at - at.mean()) / (at.std() + 1e-9)
    only_time = partial(fit_head, parts=Parts(de=3), n_labels=of_block.max() + 1)
    return hold_out(np.stack([t, t**2, t**3], 1), block, of_block, only_time).argmax(axis=1)


def calibrated(logits: np.ndarray, labels: np.ndarray, block: np.ndarray, fold: np.ndarray) -> HeldOut:
    """Scale held-out logits by temperature [2]_: fold by fold for validation, and over all seconds for later use."""
    probs = np.empty_like(logits)
    for k in np.unique(fold):
        test = fold == k
        other = temperature([Scores(logits[~test], labels[~test])])
        probs[test] = softmax(logits[test] / other, axis=1)
    whole = temperature([Scores(logits, labels)])
    least = float(np.quantile(softmax(logits / whole, axis=1).max(axis=1), 1 - COVERED))
    return HeldOut(logits, labels, block, fold, whole, least, probs)


def judge(
    x: np.ndarray, at: np.ndarray, block: np.ndarray, of_block: np.ndarray, fit_to: Fit, names: tuple[str, ...],
    progress: Callable[[float], None] = lambda _: None,
) -> tuple[ValidationResult, HeldOut]:  # fmt: skip
    """Validate a readout on these seconds; also returns the held-out predictions that the result is based on.

    `x` (n, F) are features as `realtime_mood.models.personal.described` returns them, `at` (n,) the time of each second
    (s), `block` (n,) the index of its block in order of time, and `of_block` (n_blocks,) the label of each block, of
    `names`. `fit_to` fits a classifier to (n, F) features and (n,) labels; `progress` is called with the share that is
    done, 0 to 1.
    """
    n_labels, y, fold, rng = len(names), of_block[block], folds(of_block)[block], np.random.default_rng(0)
    logits = hold_out(x, block, of_block, fit_to)
    held = calibrated(logits, y, block, fold)
    guess = logits.argmax(axis=1)
    hit = guess == y
    score = balanced(hit, block, of_block)
    time_only = balanced(by_time(at, block, of_block) == y, block, of_block)
    drawn = [_resample(of_block, rng) for _ in range(DRAWS)]
    low, high = np.quantile([balanced(hit, block, of_block, w) for w in drawn], [0.025, 0.975])
    as_good = 0
    for i in range(SHUFFLES):
        progress(i / SHUFFLES)
        shuffled = rng.permutation(of_block)
        hit_shuffled = hold_out(x, block, shuffled, fit_to).argmax(axis=1) == shuffled[block]
        as_good += balanced(hit_shuffled, block, shuffled) >= score
    p = (1 + as_good) / (1 + SHUFFLES)
    ece = float(expected_calibration_error(binned(held.probs, y)))
    confusion = np.stack([np.bincount(guess[y == a], minlength=n_labels) / (y == a).sum() for a in range(n_labels)])
    verdict = ValidationResult(
        balanced_accuracy=round(score, 4), interval=(round(float(low), 4), round(float(high), 4)),
        chance=round(1 / n_labels, 4), p=p, ece=round(ece, 4), time_only=round(time_only, 4),
        blocks=tuple(np.bincount(of_block, minlength=n_labels).tolist()), seconds=len(x),
        confusion=tuple(map(tuple, confusion.round(4).tolist())), passed=True, text="",
    )  # fmt: skip
    if against := reasons(verdict):
        failed = {"passed": False, "text": "; ".join(against), "advice": advice(verdict, names)}
        verdict = verdict.model_copy(update=failed)
    return verdict, held


def reasons(v: ValidationResult, fill: Callable[..., str] = str.format) -> list[str]:
    """The criteria that a readout does not meet, in words; empty when it meets all. `fill` may translate them."""
    chance, score = v.chance, v.balanced_accuracy
    criteria = (
        (v.p > LEVEL, N_("permutation test: p = {p:.3f}, above {level:g}")),
        (v.interval[0] <= chance, N_("the 95 % CI begins at {low:.2f} and does not exclude chance ({chance:.2f})")),
        (score < chance + GAIN, N_("held-out balanced accuracy is {score:.2f}; at least {least:.2f} is needed")),
        (_is_time(v), N_("the time of a second alone predicts the label as well ({time:.2f})")),
    )
    values = {
        "p": v.p, "level": LEVEL, "low": v.interval[0], "chance": chance, "score": score, "least": chance + GAIN,
        "time": v.time_only,
    }  # fmt: skip
    return [fill(text, **values) for is_failed, text in criteria if is_failed]


def _is_time(v: ValidationResult) -> bool:
    """Whether the control on time alone does as well, and better than chance."""
    return v.time_only > v.chance + OVER_TIME and v.balanced_accuracy < v.time_only + OVER_TIME


def advice(v: ValidationResult, names: tuple[str, ...], fill: Callable[..., str] = str.format) -> tuple[str, ...]:
    """What to try next; as stored where the labels are not known. `fill` as for `reasons`."""
    if len(names) != len(v.confusion):
        return v.advice
    lines, least = [], min(v.blocks)
    if _is_time(v):
        lines.append(N_("mix the order of labels: in a fixed order, states cannot be separated from time"))
    if least_p(v.blocks) > LEVEL:
        lines.append(N_("record more blocks: with {blocks} blocks per label no result can be significant"))
    elif least < 4:
        lines.append(N_("record more blocks: {n} of a label are few, 4 or more give a clearer result"))
    off = np.array(v.confusion)
    np.fill_diagonal(off, 0)
    a, b = np.unravel_index(off.argmax(), off.shape)
    if off[a, b] > 0.3:
        lines.append(
            N_("make {one} and {other} more different: {share:.0f} % of {one} seconds were classified as {other}")
        )
    lines.append(
        N_("use pictures, sounds or clips that affect you (--media), improve poor electrodes, sit still, try again")
    )
    blocks = ", ".join(map(str, v.blocks))
    values = {"blocks": blocks, "n": least, "one": names[a], "other": names[b], "share": 100 * off[a, b]}
    return tuple(fill(line, **values) for line in lines)


def _resample(of_block: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """How often a bootstrap sample contains each block, label by label."""
    weight = np.zeros(len(of_block))
    for y in np.unique(of_block):
        mine = np.flatnonzero(of_block == y)
        weight += np.bincount(rng.choice(mine, len(mine)), minlength=len(of_block))
    return weight

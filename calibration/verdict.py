"""Says whether a person's own readout can be believed: the seconds of a block are judged only by what was learnt from
other blocks, chance is what shuffled blocks give, and time alone must not do as well.

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

from realtime_mood.models.evaluation.figures import Scores, binned, expected_calibration_error, temperature
from realtime_mood.models.personal import Parts, PersonalHead, fit_head
from realtime_mood.profile import ValidationResult

from .protocol import LEVEL, least_p

SHUFFLES = 199
DRAWS = 2000
GAIN = 0.1  # above chance, below which a readout is of no use though it may be real
OVER_TIME = 0.05  # above what time alone gives
COVERED = 0.8  # of the held-out seconds: the others, the least sure, are no estimates
LEAST_BLOCKS = 2  # of a label
Fit = Callable[[np.ndarray, np.ndarray], PersonalHead]


@dataclass(frozen=True, eq=False)
class HeldOut:
    """What a readout makes of blocks it was not fitted on."""

    logits: np.ndarray
    """(n, n_labels)."""
    labels: np.ndarray
    """(n,)."""
    block: np.ndarray
    """(n,)."""
    fold: np.ndarray
    """(n,)."""
    temperature: float
    least_confidence: float
    probs: np.ndarray
    """(n, n_labels): after the temperature of the other folds, so that its error is no flattery."""


def folds(labels: np.ndarray) -> np.ndarray:
    """A fold for each block, given the labels of blocks in order: fold k holds the k-th block of every label."""
    seen: dict[int, int] = {}
    out = np.empty(len(labels), int)
    for i, y in enumerate(labels.tolist()):
        out[i] = seen.get(y, 0)
        seen[y] = out[i] + 1
    least = min(seen.values())
    return out % least


def hold_out(x: np.ndarray, block: np.ndarray, of_block: np.ndarray, fit_to: Fit) -> np.ndarray:
    """Logits of every second by what was fitted on other folds' blocks.

    Parameters
    ----------
    x : (n, F)
    block : (n,) int
        Which block, from 0.
    of_block : (n_blocks,) int
        Its label.
    fit_to : callable
        Makes a readout of (n, F) and labels.
    """
    fold, y = folds(of_block)[block], of_block[block]
    logits = np.empty((len(x), of_block.max() + 1))
    for k in np.unique(fold):
        test = fold == k
        logits[test] = fit_to(x[~test], y[~test])(x[test])
    return logits


def balanced(hit: np.ndarray, block: np.ndarray, of_block: np.ndarray, weight: np.ndarray | None = None) -> float:
    """Mean over labels of the mean over their blocks of the share of seconds that were right."""
    share = np.bincount(block, hit, len(of_block)) / np.maximum(np.bincount(block, minlength=len(of_block)), 1)
    weight = np.ones(len(of_block)) if weight is None else weight
    total = np.bincount(of_block, weight)
    return float(np.mean(np.bincount(of_block, weight * share)[total > 0] / total[total > 0]))


def by_time(at: np.ndarray, block: np.ndarray, of_block: np.ndarray) -> np.ndarray:
    """Held-out guesses of a classifier that is told nothing but when a second was."""
    t = (at - at.mean()) / (at.std() + 1e-9)
    only_time = partial(fit_head, parts=Parts(de=3), n_labels=of_block.max() + 1)
    return hold_out(np.stack([t, t**2, t**3], 1), block, of_block, only_time).argmax(axis=1)


def calibrated(logits: np.ndarray, labels: np.ndarray, block: np.ndarray, fold: np.ndarray) -> HeldOut:
    """Find how far held-out scores can be believed [2]_, fold by fold for judging it, and over all for use."""
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
    """The verdict on a readout fitted to these seconds, and what it rests on.

    Parameters
    ----------
    x : (n, F)
        What `realtime_mood.models.personal.described` gives.
    at : (n,), s
        When.
    block : (n,) int
        Which block, from 0, in the order they came.
    of_block : (n_blocks,) int
        Label of each.
    fit_to : callable
        Makes a readout of (n, F) and labels (n,).
    names : tuple of str
        Of the labels.
    progress : callable
        Told how much is done, 0 to 1.
    """
    n_labels, y, rng = len(names), of_block[block], np.random.default_rng(0)
    logits = hold_out(x, block, of_block, fit_to)
    held = calibrated(logits, y, block, folds(of_block)[block])
    hit = logits.argmax(axis=1) == y
    score = balanced(hit, block, of_block)
    time_only = balanced(by_time(at, block, of_block) == y, block, of_block)
    drawn = [_resample(of_block, rng) for _ in range(DRAWS)]
    low, high = np.quantile([balanced(hit, block, of_block, w) for w in drawn], [0.025, 0.975])
    as_good = 0
    for i in range(SHUFFLES):
        progress(i / SHUFFLES)
        shuffled = rng.permutation(of_block)
        guess = hold_out(x, block, shuffled, fit_to).argmax(axis=1)
        as_good += balanced(guess == shuffled[block], block, shuffled) >= score
    p = (1 + as_good) / (1 + SHUFFLES)
    ece = float(expected_calibration_error(binned(held.probs, y)))
    confusion = np.array(
        [[np.mean(logits[y == a].argmax(axis=1) == b) for b in range(n_labels)] for a in range(n_labels)]
    )
    verdict = ValidationResult(
        balanced_accuracy=round(score, 4), interval=(round(float(low), 4), round(float(high), 4)),
        chance=round(1 / n_labels, 4), p=p, ece=round(ece, 4), time_only=round(time_only, 4),
        blocks=tuple(np.bincount(of_block, minlength=n_labels).tolist()), seconds=len(x),
        confusion=tuple(map(tuple, confusion.round(4).tolist())), passed=True, text="",
    )  # fmt: skip
    if against := reasons(verdict):
        told = {"passed": False, "text": "; ".join(against), "advice": advice(verdict, names)}
        verdict = verdict.model_copy(update=told)
    return verdict, held


def reasons(v: ValidationResult) -> list[str]:
    """What speaks against a readout, in words; empty when nothing does."""
    chance, score = v.chance, v.balanced_accuracy
    against = []
    if v.p > LEVEL:
        against.append(f"shuffled blocks do as well in {100 * v.p:.0f} of 100 cases, where {100 * LEVEL:.0f} may")
    if v.interval[0] <= chance:
        against.append(f"its interval reaches down to {v.interval[0]:.2f}, and chance is {chance:.2f}")
    if score < chance + GAIN:
        against.append(f"held-out balanced accuracy is {score:.2f}; less than {chance + GAIN:.2f} is of no use")
    if _is_time(v):
        against.append(f"time alone tells the blocks apart as well ({v.time_only:.2f})")
    return against


def _is_time(v: ValidationResult) -> bool:
    """Whether time alone does as well, and better than by luck."""
    return v.time_only > v.chance + OVER_TIME and v.balanced_accuracy < v.time_only + OVER_TIME


def advice(v: ValidationResult, names: tuple[str, ...]) -> tuple[str, ...]:
    """What to try next."""
    said = []
    if _is_time(v):
        said.append(
            "mix the blocks: a protocol whose labels come in an order cannot tell a state from the passing of time"
        )
    if least_p(v.blocks) > LEVEL:
        said.append(f"sit through more blocks: with {' and '.join(map(str, v.blocks))} nothing can be told from chance")
    elif min(v.blocks) < 4:
        said.append(f"sit through more blocks: {min(v.blocks)} of a label are few, 4 or more tell more")
    off = np.array(v.confusion)
    np.fill_diagonal(off, 0)
    a, b = np.unravel_index(off.argmax(), off.shape)
    if off[a, b] > 0.3:
        said.append(
            f"make {names[a]} and {names[b]} more different: {names[a]} was taken for {names[b]} in "
            f"{100 * off[a, b]:.0f} of 100 seconds"
        )
    said.append("use pictures, sounds or clips that move you (--media), mend poor electrodes, sit still, and try again")
    return tuple(said)


def _resample(of_block: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """How often each block is drawn, label by label."""
    weight = np.zeros(len(of_block))
    for y in np.unique(of_block):
        mine = np.flatnonzero(of_block == y)
        weight += np.bincount(rng.choice(mine, len(mine)), minlength=len(of_block))
    return weight

"""A readout corrected while it runs: a classifier refitted with labelled seconds, if held-out blocks favour it.

Units of the test are the corrections, of which those of one label within a minute are one unit, as they are hardly
independent, and the blocks of the subject's calibration, where the profile has them. Each unit is scored by a
classifier that was fitted to the units of other folds, with the corrections and without. The corrected one counts if
it gives the right labels of the corrections a higher probability by a paired permutation test [1]_, and those of the
calibration's blocks no lower one by the same test. (Log loss would also reward a classifier that is merely less
certain: it favoured labels that were drawn at random.) All of this is done again with each further correction, and the
last few are also predicted by the classifier that had been fitted before them [2]_: the corrected one is taken back as
soon as it is not better any more in either way.

References
----------
.. [1] Good (2005), Permutation, Parametric and Bootstrap Tests of Hypotheses, 3rd edition, Springer, section 3.2.
.. [2] Dawid (1984), Statistical theory: the prequential approach, J. R. Stat. Soc. A 147(2), 278–292.
"""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import product
from typing import Any

import numpy as np
from scipy.special import softmax

from realtime_mood.corrections import Corrections, CorrectionStatus

from .inputs import Inputs, Outputs
from .personal import LabelledSeconds, Parts, PersonalHead, described, fit_head

TOGETHER_S = 60.0  # corrections of one label that are closer than this are one unit
LEAST_UNITS = 6  # of corrections: with fewer, no permutation test could be significant
LEAST_OF_LABEL = 2  # units of each label that is not in the calibration's blocks
LEVEL = 0.02  # of the p value at each of several trials: random labels pass in one of ten runs
WORSE = 0.05
LATELY = 3  # newest corrections that are predicted by the classifier fitted before them
MOST_EXACT = 12  # units up to which all signs are tried
DRAWS = 4096
FOLDS = 4


@dataclass(frozen=True, eq=False)
class Correction:
    """Labelled seconds of one request."""

    x: np.ndarray  # (n, F)
    label: int
    time: float  # s

    def stored(self) -> dict[str, Any]:
        """As JSON values."""
        x = base64.b64encode(np.ascontiguousarray(self.x, "<f8").tobytes()).decode()
        return {"x": x, "label": self.label, "time": self.time}

    @classmethod
    def restored(cls, stored: Mapping[str, Any], n_features: int, n_labels: int) -> Correction:
        """From what `stored` gives; raises `KeyError`, `TypeError` or `ValueError` where it is something else."""
        x = np.frombuffer(base64.b64decode(stored["x"]), "<f8").reshape(-1, n_features).astype(float)
        label, time = int(stored["label"]), float(stored["time"])
        if not (0 <= label < n_labels and len(x) and np.isfinite(x).all()):
            raise ValueError("a correction that is none")
        return cls(x, label, time)


@dataclass(frozen=True)
class CorrectionTrial:
    """Result of a trial on held-out units."""

    gain: float  # mean difference of the right label's probability over corrections; above zero: it is better
    p: float  # of that gain
    p_worse: float  # that the blocks of the calibration are not worse; 1 where there are none
    head: PersonalHead  # fitted to everything


@dataclass
class Corrector:
    """Tries corrections of one readout.

    Parameters
    ----------
    parts : Parts
        Of the classifier's features.
    n_labels : int
    present : callable
        Logits (n, n_labels) of the readout as it is, for features (n, F); at temperature 1.
    temperature : float
        Of the readout: probabilities are compared at it.
    calibration : LabelledSeconds or None
        The blocks that the readout was fitted to.
    base, order
        Of `personal.described`.
    """

    parts: Parts
    n_labels: int
    present: Callable[[np.ndarray], np.ndarray]
    temperature: float = 1.0
    calibration: LabelledSeconds | None = None
    base: str = ""
    order: Sequence[int] | None = None
    made: list[Correction] = field(default_factory=list)
    counts: PersonalHead | None = None
    """The corrected classifier that is in use."""
    fitted: PersonalHead | None = None
    """The newest one, in use or not."""
    ahead: list[float] = field(default_factory=list)
    """Gain on each correction of the classifier that had been fitted before it was made."""

    def describe(self, inputs: Inputs, out: Outputs) -> np.ndarray:
        """Features (B, F) of the classifier."""
        return described(out, inputs, self.base, self.order)

    @property
    def head(self) -> Callable[[Inputs, Outputs], np.ndarray] | None:
        """Probabilities of the corrected classifier, if it counts."""
        classifier = self.counts
        if classifier is None:
            return None

        def head(inputs: Inputs, out: Outputs) -> np.ndarray:
            return softmax(classifier(self.describe(inputs, out)) / self.temperature, axis=-1).astype(np.float32)

        return head

    def add(self, correction: Correction) -> Corrections:
        """Add one, try all of them, and decide."""
        self.made.append(correction)
        before, y = self.counts, np.full(len(correction.x), correction.label)
        if self.fitted is not None:
            gain = self._right(self.fitted(correction.x), y) - self._right(self.present(correction.x), y)
            self.ahead.append(float(gain.mean()))
        if not self._enough():
            return Corrections()
        trial = self.trial()
        lately = not self.ahead or float(np.mean(self.ahead[-LATELY:])) > 0
        better = trial.gain > 0 and lately and trial.p_worse >= WORSE and (trial.p < LEVEL or before is not None)
        self.fitted, self.counts = trial.head, trial.head if better else None
        if better:
            status = CorrectionStatus.COUNTS
        else:
            status = CorrectionStatus.TAKEN_BACK if before is not None else CorrectionStatus.NOT_BETTER
        return Corrections(status=status, gain=trial.gain, p=trial.p)

    def stored(self) -> list[dict[str, Any]]:
        """The corrections, as JSON values: added one after the other, they give the same classifier."""
        return [correction.stored() for correction in self.made]

    def to_bytes(self) -> bytes:
        """The corrected classifier, with the seconds it was fitted to, as the file of a personal readout."""
        assert self.counts is not None
        x, label, block, _ = self._seconds()
        return self.counts.to_bytes(LabelledSeconds(x, label, block))

    def _right(self, logits: np.ndarray, y: np.ndarray) -> np.ndarray:
        """(n,): probability of each second's label."""
        return np.asarray(softmax(logits / self.temperature, axis=1)[np.arange(len(y)), y])

    def _enough(self) -> bool:
        """Whether there are enough corrections, and enough of every label that no calibration has shown.

        Else a classifier would lose the labels that it was not fitted to.
        """
        units = self._units()
        known = set() if self.calibration is None else set(self.calibration.label.tolist())
        pairs = set(zip((it.label for it in self.made), units, strict=True))
        count = Counter(label for label, _ in pairs)
        shown = all(k in known or count[k] >= LEAST_OF_LABEL for k in range(self.n_labels))
        return shown and len(set(units)) >= LEAST_UNITS

    def _units(self) -> list[int]:
        """The unit of each correction."""
        units, newest = list[int](), dict[int, tuple[int, float]]()
        for it in self.made:
            unit, time = newest.get(it.label, (-1, -np.inf))
            if it.time - time >= TOGETHER_S:
                unit = max(units, default=-1) + 1
            units.append(unit)
            newest[it.label] = unit, it.time
        return units

    def trial(self) -> CorrectionTrial:
        """Compare the readout with and without the corrections on held-out units."""
        x, y, unit, old = self._seconds()
        fold = _folds(unit, y, old)
        fit = partial(fit_head, parts=self.parts, n_labels=self.n_labels)
        with_, without = np.empty((len(x), self.n_labels)), self.present(x)
        for k in np.unique(fold):
            test = fold == k
            with_[test] = fit(x[~test], y[~test])(x[test])
            if (test & old).any():  # its own classifier was fitted to these seconds
                without[test & old] = fit(x[~test & old], y[~test & old])(x[test & old])
        gain = np.bincount(unit, self._right(with_, y) - self._right(without, y)) / np.bincount(unit)
        is_old = np.bincount(unit[old], minlength=len(gain)) > 0
        worse = sign_flip_p(-gain[is_old]) if is_old.any() else 1.0
        return CorrectionTrial(float(gain[~is_old].mean()), sign_flip_p(gain[~is_old]), worse, fit(x, y))

    def _seconds(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Features, label, unit, and whether it is of the calibration, of every second."""
        each = zip(self.made, self._units(), strict=True)
        new = [(it.x, np.full(len(it.x), it.label), np.full(len(it.x), u)) for it, u in each]
        x, y, unit = (np.concatenate(rows) for rows in zip(*new, strict=True))
        old = np.zeros(len(x), bool)
        if (it := self.calibration) is not None:
            x, y = np.concatenate([it.x, x]), np.concatenate([it.label, y])
            unit = np.concatenate([it.block, unit + it.block.max() + 1])
            old = np.concatenate([np.ones(len(it.x), bool), old])
        return x, y, unit, old


def _folds(unit: np.ndarray, label: np.ndarray, old: np.ndarray) -> np.ndarray:
    """(n,): the fold of each second; units of one kind and label are spread over the folds in order of time."""
    fold, seen = np.empty(len(unit), int), dict[tuple[int, bool], int]()
    for u in np.unique(unit):
        at = unit == u
        key = int(label[at][0]), bool(old[at][0])
        fold[at] = seen.setdefault(key, 0 if key[1] else key[0]) % FOLDS
        seen[key] += 1
    return fold


def sign_flip_p(gain: np.ndarray) -> float:
    """One-sided p value of the mean of paired differences (n,): the share of sign changes that give as much."""
    n = len(gain)
    if n <= MOST_EXACT:
        signs = np.array(list(product((1, -1), repeat=n)))
    else:
        signs = np.random.default_rng(0).choice((1, -1), (DRAWS, n))
        signs[0] = 1
    return float((signs @ gain >= gain.sum() - 1e-12).mean())

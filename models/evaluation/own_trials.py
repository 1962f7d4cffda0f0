"""Track ``l``: a personal readout from the first labelled trials of each held-out subject, as calibration makes live.

Baseline and statistics are those of ``c1``. The first trials of each label are used with their labels to fit the
personal classifier of live use (`models.personal`), which corrects the readout trained on other subjects; on top of
``majority`` it stands alone. Only trials after the last of these are scored, and never a stimulus that was among them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from realtime_mood.dsp.spec import FeatureSpec
from realtime_mood.errors import ConfigError

from ..datasets.person import NO_LABEL, Person, of_clips
from ..personal import Parts, fit_head
from . import figures
from .baselines import Method, Scorer, Setting
from .contexts import Contexts, View, scored_seconds
from .controls.changed import blocks

if TYPE_CHECKING:
    from .compare import Study

TRACK = "l"
LEAST_LABELS = 2
LEAST_SUBJECTS = 3
NOT_READ = ("distance",)
SUFFIX = "+own"


@dataclass(frozen=True, eq=False)
class DividedSubject:
    """A subject with the labels of its calibration trials alone, and with those of the trials that are scored."""

    own: Person
    scored: Person


def divided(p: Person, n_trials: int, spec: FeatureSpec) -> DividedSubject:
    """The first `n_trials` trials of each label for calibration, and the later trials with other stimuli.

    Subjects without trials are divided by blocks of consecutive seconds of a label.
    """
    found, taken = blocks(whole := replace(p, every=1), spec), dict.fromkeys(np.unique(p.label), 0)
    own: list[np.ndarray] = []
    for block in found:
        y = p.label[block[0]]
        if taken[y] < n_trials:
            taken[y] += 1
            own.append(block)
    last = max((block[-1] for block in own), default=-1)
    later = [block for block in found if block[0] > last]
    scored = _with_labels_of(p, later)
    if p.trial is not None:
        used = {p.trials[p.trial[block[0]]].stimulus for block in own}
        scored = replace(scored, label=np.where(of_clips(p, used), NO_LABEL, scored.label))
    return DividedSubject(_with_labels_of(whole, own), scored)


def _with_labels_of(p: Person, blocks: Sequence[np.ndarray]) -> Person:
    label = np.full_like(p.label, NO_LABEL)
    for block in blocks:
        label[block] = p.label[block]
    return replace(p, label=label)


def check(further: bool, n_trials: int) -> int:
    """`n_trials`; `ConfigError` where `further` evaluations are asked for, which know nothing of calibration."""
    if further:
        raise ConfigError(
            f"track {TRACK!r} with --controls, --ablations or --attention", "these do not calibrate", "use track c1"
        )
    return n_trials


def who_can_be_scored(
    subjects: Sequence[Person], n_trials: int, spec: FeatureSpec, log: Callable[[str], None]
) -> list[Person]:
    """The subjects who have two labels left after calibration.

    Raises
    ------
    ConfigError
        These are fewer than three.
    """
    kept = []
    for p in subjects:
        there = np.unique(p.label[scored_seconds(divided(p, n_trials, spec).scored, spec)])
        if len(there) >= LEAST_LABELS:
            kept.append(p)
        else:
            log(f"{p.name} left out: {len(there)} of the labels after calibration, {LEAST_LABELS} are needed")
    if len(kept) < LEAST_SUBJECTS:
        raise ConfigError(
            f"track {TRACK!r} with {n_trials} trials of each label for calibration",
            f"{len(kept)} of {len(subjects)} subjects have later trials of {LEAST_LABELS} labels with other stimuli",
            "use fewer --own-trials, a readout with fewer labels, or track c1",
        )
    return kept


class OwnReadout:
    """A method whose readout is corrected by the held-out subject's own trials."""

    def __init__(self, base: Method) -> None:
        self.base, self.any_montage, self.settings = base, base.any_montage, base.settings
        self.name, self.title = f"{base.name}{SUFFIX}", f"{base.title}, and own trials"
        self.fit_name = getattr(base, "fit_name", base.name)
        if hasattr(base, "most_windows"):
            self.most_windows = base.most_windows
        if hasattr(base, "restore"):
            self.restore = self._restore

    @property
    def depends(self) -> Sequence[object]:
        """What its fits depend on beyond subjects, setting and seed."""
        return self.base.depends

    def fit(self, subjects: Sequence[Person], view: View, setting: Setting, seed: int) -> PersonalScorer:
        """Fit the readout of other subjects."""
        return PersonalScorer(self.base.fit(subjects, view, setting, seed), len(view.labels))

    def _restore(self, state: Mapping[str, np.ndarray], view: View) -> PersonalScorer:
        return PersonalScorer(self.base.restore(state, view), len(view.labels))  # type: ignore[attr-defined]


class PersonalScorer:
    """The readout of other subjects, which `personal` corrects for one subject."""

    def __init__(self, population: Scorer, n_labels: int) -> None:
        self.population, self.n_labels = population, n_labels

    def __call__(self, c: Contexts) -> np.ndarray:
        """Logits (n, n_labels) without calibration."""
        return self.population(c)

    def state(self) -> dict[str, np.ndarray]:
        """Of the readout of other subjects."""
        state: dict[str, np.ndarray] = self.population.state()  # type: ignore[attr-defined]
        return state

    def personal(self, own: Contexts) -> Scorer:
        """A scorer of the subject whose calibration trials are in `own`."""
        x, parts = self._features(own)
        head = fit_head(x, own.labels, parts, self.n_labels)
        return lambda c: head(self._features(c)[0])

    def _features(self, c: Contexts) -> tuple[np.ndarray, Parts]:
        """Those of live use for a network; else mean DE and the method's own logits."""
        if hasattr(self.population, "personal_features"):
            found: tuple[np.ndarray, Parts] = self.population.personal_features(c)
            return found
        logits = self.population(c)
        x = np.column_stack([c.mean_de, logits - logits.mean(axis=1, keepdims=True)])
        return x, Parts(de=c.mean_de.shape[1], base=self.n_labels)


def with_own(methods: Sequence[Method]) -> list[Method]:
    """The methods, and each of them with a personal readout."""
    return [*methods, *(OwnReadout(m) for m in methods if m.name not in NOT_READ)]


def calibration_used(study: Study, result: Mapping[str, Any]) -> dict[str, Any]:
    """How much of each subject was used for calibration, and what it adds to each method.

    Parameters
    ----------
    study : Study
    result : mapping
        With ``results``, a `report.summary`, and ``methods``.

    Returns
    -------
    dict
        ``seconds`` by label, mean over subjects; ``people``, the same by subject; ``added``, paired differences of
        balanced accuracy by channel set and method; and ``lines``.
    """
    used = {d.own.name: _seconds(d.own, study.labels, study.spec) for d in study.divided}
    mean = {name: round(float(np.mean([s[name] for s in used.values()])), 1) for name in study.labels}
    shown = ", ".join(f"{name} {seconds:g} s" for name, seconds in mean.items())
    lines = [
        f"calibration: a subject's first {study.n_own} trials of each label; seconds used, mean over subjects: {shown}",
        "scored: later trials only, without stimuli of the calibration; every row of the table has the same seconds",
    ]
    added: dict[str, Any] = {}
    for channels, methods in result["results"].items():
        for name in (name for name in methods if name.endswith(SUFFIX)):
            base = name.removesuffix(SUFFIX)
            with_own, without = methods[name]["people"], methods[base]["people"]
            weights = figures.draws(len(without), study.seed)
            gain = figures.paired_difference(with_own, without, "balanced_accuracy", weights)
            added.setdefault(channels, {})[base] = gain
            title = f"{result['methods'][base]} ({channels} channels)"
            lines.append(f"own trials add to {title}: {figures.text_of(gain, '+')} balanced accuracy")
    return {"trials_per_label": study.n_own, "seconds": mean, "people": used, "added": added, "lines": lines}


def _seconds(own: Person, labels: Sequence[str], spec: FeatureSpec) -> dict[str, float]:
    count = np.bincount(own.label[scored_seconds(own, spec)], minlength=len(labels)) * own.step_s
    return {name: float(n) for name, n in zip(labels, count, strict=True)}

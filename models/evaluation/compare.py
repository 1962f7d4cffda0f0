"""Comparison of methods by their scores on held-out subjects, with all choices made on other subjects.

Nested cross-validation: every method is fitted on the pair splits of the plan, and its setting, temperature and
thresholds are chosen on their held-out subjects; with these it is fitted on all training subjects of each fold, and
scores the fold's held-out subjects.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import product
from pathlib import Path

import numpy as np
from scipy.special import softmax

from realtime_mood import profile
from realtime_mood.dsp.spec import FeatureSpec

from .. import personal
from ..datasets import person
from ..datasets.person import Person, of_clips, population, without_clips
from ..executor import Executor
from ..progress import EVERY_S, remaining
from . import contexts, own_trials
from .baselines import Method, Scorer, Setting
from .contexts import View, scored_seconds
from .figures import Scores, auc, temperature, thresholds
from .own_trials import DividedSubject, divided
from .sessions import by_subject
from .splits import Fold, Split
from .store import Store, StoredResults, digest, digest_of_person


@dataclass(frozen=True, eq=False)
class Study:
    """The subjects, labels and channel sets of a comparison."""

    subjects: Sequence[Person]
    labels: tuple[str, ...]
    spec: FeatureSpec
    track: str
    ch_names: tuple[str, ...]  # channels that all subjects have
    channel_sets: Mapping[str, tuple[str, ...]]
    seed: int
    n_own: int = 0  # trials of each label that a held-out subject is calibrated with, on track ``l``
    tested: Sequence[Person] | None = None  # the subjects as they are scored, where training has other labels

    @cached_property
    def digests(self) -> tuple[str, ...]:
        """`digest_of_person` of each subject."""
        return tuple(digest_of_person(p) for p in self.subjects)

    @cached_property
    def divided(self) -> tuple[DividedSubject, ...]:
        """What is known of each subject when held out, and what is scored."""
        return tuple(divided(p, self.n_own, self.spec) for p in self.subjects)

    @property
    def scored(self) -> Sequence[Person]:
        """The subjects with the labels that are scored."""
        if self.tested:
            return self.tested
        return [d.scored for d in self.divided] if self.n_own else self.subjects

    def of_scored(self) -> Study:
        """The same for controls: only what is scored, without calibration."""
        return replace(self, subjects=self.scored, track="c1", n_own=0) if self.n_own else self

    def view(self, train: Sequence[Person], ch_names: tuple[str, ...]) -> View:
        """Input on some channels, with the population statistics of the training subjects."""
        return View(self.labels, self.spec, self.track, ch_names, population(train))


@dataclass(frozen=True)
class EvaluationJob:
    """One fit, and the held-out subjects that it scores."""

    method: Method
    split: Split
    setting: Setting
    # channel sets it is scored on: all, or the one that it is fitted on where the method is not for any montage
    sets: tuple[str, ...]

    def fit_key(self, study: Study) -> str:
        """Hash of everything the fit depends on."""
        shown = [] if self.method.any_montage else [study.track, study.channel_sets[self.sets[0]], contexts]
        subjects = [study.digests[i] for i in self.split.train]
        base = getattr(self.method, "base", self.method)
        code = [sys.modules[type(base).__module__], profile, person]
        name = getattr(self.method, "fit_name", self.method.name)
        return digest(
            name, list(self.method.depends), self.setting, subjects, study.labels, study.ch_names, shown,
            study.spec.model_dump(mode="json"), study.seed, *code,
        )  # fmt: skip

    def key(self, study: Study) -> str:
        """Hash of everything the scores depend on."""
        left = [study.digests[i] for i in self.split.left]
        sets = {name: study.channel_sets[name] for name in self.sets}
        own = [study.n_own, own_trials, personal] if study.n_own else []
        own += [digest_of_person(study.scored[i]) for i in self.split.left] if study.tested else []
        return digest(self.fit_key(study), self.method.name, left, study.track, sets, contexts, self.split.clips, *own)


@dataclass(frozen=True, eq=False)
class Row:
    """One held-out subject: scores, and the choices made on others."""

    person: str
    fold: str
    setting: Setting
    temperature: float
    thresholds: Mapping[float, float]
    scores: Scores


Logits = dict[str, np.ndarray]  # logits (n, n_labels) by ``set|subject``
Results = dict[tuple[str, str], list[Row]]  # by method and channel set
Choices = tuple[Setting, float, dict[float, float]]
Choose = Callable[[Study, Method, tuple[str, ...], str, Fold, Mapping[str, Logits]], Choices]


def run_job(job: EvaluationJob, study: Study, folder: Path | None) -> Logits:
    """Fit, or load the fit from `folder`, then score."""
    if job.split.clips:
        return _clip_by_clip(job, study)
    train = [study.subjects[i] for i in job.split.train]
    fitted_on = study.view(train, study.ch_names if job.method.any_montage else study.channel_sets[job.sets[0]])
    score = _fit(job, study, train, fitted_on, Store(folder))
    logits = {}
    for name in job.sets:
        view = replace(fitted_on, ch_names=study.channel_sets[name])
        for i in job.split.left:
            scorer = score.personal(view.contexts(study.divided[i].own)) if hasattr(score, "personal") else score
            logits[f"{name}|{study.subjects[i].name}"] = scorer(view.contexts(study.scored[i]))
    return logits


def _clip_by_clip(job: EvaluationJob, study: Study) -> Logits:
    """Logits of each group of stimuli by a fit that has not seen it."""
    logits: Logits = {}
    split = replace(job.split, clips=())
    for clips in job.split.clips:
        subjects = [p if i in split.left else without_clips(p, clips) for i, p in enumerate(study.subjects)]
        part = run_job(replace(job, split=split), replace(study, subjects=subjects), None)
        for name, p in product(job.sets, (study.scored[i] for i in split.left)):
            key, held_out = f"{name}|{p.name}", of_clips(p, clips)[scored_seconds(p, study.spec)]
            logits.setdefault(key, np.full_like(part[key], np.nan))[held_out] = part[key][held_out]
    return logits


def _fit(job: EvaluationJob, study: Study, train: Sequence[Person], view: View, store: Store) -> Scorer:
    """Methods with `restore` are fitted once for all montages and tracks."""
    restore, key = getattr(job.method, "restore", None), f"fit-{job.fit_key(study)}"
    if restore and (state := store.get(key)) is not None:
        return restore(state, view)
    score = job.method.fit(train, view, job.setting, study.seed)
    if restore:
        store.put(key, score.state())  # type: ignore[attr-defined]
    return score


def _timed(common: tuple[Study, Path | None], job: EvaluationJob) -> tuple[Logits, float]:
    began = time.monotonic()
    return run_job(job, *common), time.monotonic() - began


class Runner:
    """Runs jobs that are not in the store yet, one or several at a time."""

    def __init__(self, study: Study, folder: Path | None, executor: Executor, log: Callable[[str], None]) -> None:
        self.study, self.folder, self._executor, self._log = study, folder, executor, log
        self._store = Store(folder, log)

    def on(self, study: Study) -> Runner:
        """The same for another study."""
        return Runner(study, self.folder, self._executor, self._log)

    def scorer(self, method: Method, split: Split) -> Scorer:
        """A method fitted on the subjects of a split, with its middle setting."""
        study, train = self.study, [self.study.subjects[i] for i in split.train]
        job = EvaluationJob(method, split, middle(method), tuple(study.channel_sets))
        return _fit(job, study, train, study.view(train, study.ch_names), Store(self.folder))

    def __call__(self, jobs: Iterable[EvaluationJob]) -> Mapping[str, Logits]:
        """Logits by the jobs' keys."""
        wanted = {job.key(self.study): job for job in jobs}
        todo = [(key, job) for key, job in wanted.items() if self._store.get(key) is None]
        last = time.monotonic()
        waiting = Counter(job.method.title for _, job in todo)
        durations: dict[str, list[float]] = {}
        common = self.study, self.folder
        for i, (logits, seconds) in self._executor.run(_timed, [job for _, job in todo], common):
            key, job = todo[i]
            self._store.put(key, logits)
            waiting[job.method.title] -= 1
            durations.setdefault(job.method.title, []).append(seconds)
            n_left = waiting.total()
            if n_left and (now := time.monotonic()) - last >= EVERY_S:
                last = now
                self._log(
                    f"fit {len(todo) - n_left} of {len(todo)} · {job.method.title}, {'/'.join(job.sets)} channels, "
                    f"without {job.split.name} · {remaining(waiting, durations, self._executor.n_workers)}"
                )
        return StoredResults(self._store, wanted)


def compare(
    runner: Runner, methods: Sequence[Method], folds: Sequence[Fold], *, choose: bool = True, best: Choose | None = None
) -> Results:
    """Scores of all subjects, sorted by name, by methods that were not fitted on them.

    `best` chooses setting, temperature and thresholds, by default `_choose`.
    Without `choose`, each method has its middle setting and temperature 1, which is enough for controls.
    """
    study = runner.study
    splits = {split.name: split for fold in folds for split, _ in fold.inner} if choose else {}
    inner = runner(
        EvaluationJob(method, split, setting, sets)
        for method in methods
        for setting in method.settings
        for split in splits.values()
        for sets in _shared_fits(study, method)
    )
    outer = {}
    for method in methods:
        for sets in _shared_fits(study, method):
            for name, fold in product(sets, folds):
                chosen = middle(method), 1.0, {1.0: 0.0}
                if choose:
                    chosen = (best or _choose)(study, method, sets, name, fold, inner)
                outer[method.name, name, fold.split.name] = EvaluationJob(method, fold.split, chosen[0], sets), chosen
    logits = runner(job for job, _ in outer.values())
    results: Results = {}
    for (method_name, name, fold_name), (job, chosen) in outer.items():
        rows = results.setdefault((method_name, name), [])
        for i, scores in scores_of(study, name, job.split.left, logits[job.key(study)]).items():
            rows.append(Row(study.subjects[i].name, fold_name, *chosen, scores))
    return {key: sorted(by_subject(rows), key=lambda row: row.person) for key, rows in results.items()}


def _shared_fits(study: Study, method: Method) -> list[tuple[str, ...]]:
    """Groups of channel sets that share a fit."""
    names = tuple(study.channel_sets)
    return [names] if method.any_montage else [(name,) for name in names]


def scores_of(study: Study, name: str, subjects: Iterable[int], logits: Logits) -> dict[int, Scores]:
    """Scores of subjects on the channel set `name`, by index."""
    scores = {}
    for i in subjects:
        p = study.scored[i]
        at, x = scored_seconds(p, study.spec), np.asarray(logits[f"{name}|{p.name}"], float)
        scores[i] = Scores(x, p.label[at], None if p.trial is None else p.trial[at])
    return scores


def _choose(
    study: Study, method: Method, sets: tuple[str, ...], name: str, fold: Fold, inner: Mapping[str, Logits]
) -> Choices:
    """The setting by AUC on the fold's inner subjects, the temperature there, and the thresholds."""
    tried: list[list[Scores]] = []
    for setting in method.settings:
        scores: list[Scores] = []
        for split, subjects in fold.inner:
            logits = inner[EvaluationJob(method, split, setting, sets).key(study)]
            scores += scores_of(study, name, subjects, logits).values()
        tried.append(scores)
    reached = np.array([[auc(softmax(s.logits, axis=1), s.labels) for s in map(Scores.even, row)] for row in tried])
    chosen = simplest(reached)
    t = temperature(tried[chosen])
    return method.settings[chosen], t, thresholds(tried[chosen], t)


def simplest(reached: np.ndarray) -> int:
    """Index of the setting to take of those tried, in order from the simplest, by AUC (n_settings, n_subjects).

    It is the first that is worse than the best by no more than one standard error of their difference: among a few
    subjects the best is often so by luck. Subjects without an AUC (NaN), who have one label only, do not count; where
    nobody has one, it is the middle one.
    """
    reached = reached[:, np.isfinite(reached).all(axis=0)]
    if not reached.size:
        return len(reached) // 2
    best = int(reached.mean(axis=1).argmax())
    behind = reached[best] - reached
    error = behind.std(axis=1, ddof=1) / np.sqrt(reached.shape[1]) if reached.shape[1] > 1 else np.zeros(len(reached))
    return int(np.flatnonzero(behind.mean(axis=1) <= error)[0])


def middle(method: Method) -> Setting:
    """The setting where none is chosen."""
    return method.settings[len(method.settings) // 2]

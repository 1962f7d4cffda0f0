"""Comparison of methods by their scores on held-out subjects, with all choices made on other subjects.

Nested cross-validation in two phases. First every method is fitted on the pair splits of the plan, and its setting,
temperature and thresholds are chosen on their held-out subjects. Then it is fitted on all training subjects of each
fold with these choices, and only then are the fold's held-out subjects scored.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from scipy.special import softmax

from realtime_mood import profile
from realtime_mood.dsp.spec import FeatureSpec

from ..datasets import person
from ..datasets.person import Person, of_clips, population, without_clips
from ..executor import Executor
from . import contexts
from .baselines import Method, Scorer, Setting
from .contexts import View, scored_seconds
from .figures import Scores, auc, temperature, thresholds
from .splits import Fold, Split
from .store import Store, digest, digest_of_person

TELL_EVERY_S = 5.0


@dataclass(frozen=True, eq=False)
class Study:
    """The subjects, labels and channel sets of a comparison."""

    people: Sequence[Person]
    labels: tuple[str, ...]
    spec: FeatureSpec
    track: str
    ch_names: tuple[str, ...]
    """Channels that all subjects have."""
    channel_sets: Mapping[str, tuple[str, ...]]
    seed: int

    @cached_property
    def digests(self) -> tuple[str, ...]:
        """Of each subject: see `digest_of_person`."""
        return tuple(digest_of_person(p) for p in self.people)


@dataclass(frozen=True)
class EvaluationJob:
    """One fit, and the held-out subjects that it scores."""

    method: Method
    split: Split
    setting: Setting
    sets: tuple[str, ...]
    """Channel sets it is scored on; a method that is not for any montage is fitted on its one."""

    def fit_key(self, study: Study) -> str:
        """Hash of everything the fit depends on."""
        shown = [] if self.method.any_montage else [study.track, study.channel_sets[self.sets[0]], contexts]
        people = [study.digests[i] for i in self.split.train]
        code = [sys.modules[type(self.method).__module__], profile, person]
        return digest(
            self.method.name, list(self.method.depends), self.setting, people, study.labels, study.ch_names, shown,
            study.spec.model_dump(mode="json"), study.seed, *code,
        )  # fmt: skip

    def key(self, study: Study) -> str:
        """Hash of everything the scores depend on."""
        left = [study.digests[i] for i in self.split.left]
        sets = {name: study.channel_sets[name] for name in self.sets}
        return digest(self.fit_key(study), left, study.track, sets, contexts, self.split.clips)


@dataclass(frozen=True, eq=False)
class Row:
    """One held-out subject: scores, and what had been chosen before."""

    person: str
    fold: str
    setting: Setting
    temperature: float
    thresholds: Mapping[float, float]
    scores: Scores


Found = dict[tuple[str, str], list[Row]]  # by method and channel set, subjects in the order of the study


def run_job(job: EvaluationJob, study: Study, keep: Path | None) -> dict[str, np.ndarray]:
    """Fit (or load the fit), then score: logits (n, n_labels) by ``set|person``."""
    if job.split.clips:
        return _clip_by_clip(job, study)
    train = [study.people[i] for i in job.split.train]
    pop = population(train)

    def view(ch_names: tuple[str, ...]) -> View:
        return View(study.labels, study.spec, study.track, ch_names, pop)

    fitted_on = view(study.ch_names if job.method.any_montage else study.channel_sets[job.sets[0]])
    score = _fit(job, study, train, fitted_on, Store(keep))
    found = {}
    for name in job.sets:
        seen = view(study.channel_sets[name])
        for i in job.split.left:
            found[f"{name}|{study.people[i].name}"] = score(seen.contexts(study.people[i]))
    return found


def _clip_by_clip(job: EvaluationJob, study: Study) -> dict[str, np.ndarray]:
    """The same where each group of stimuli is scored by a fit that never saw it."""
    found: dict[str, np.ndarray] = {}
    split = replace(job.split, clips=())
    for clips in job.split.clips:
        people = [without_clips(p, clips) for p in study.people]
        for i in split.left:
            people[i] = study.people[i]
        part = run_job(replace(job, split=split), replace(study, people=people), None)
        for name in job.sets:
            for i in split.left:
                p, key = study.people[i], f"{name}|{study.people[i].name}"
                mine = of_clips(p, clips)[scored_seconds(p, study.spec)]
                kept = found.setdefault(key, np.full_like(part[key], np.nan))
                kept[mine] = part[key][mine]
    return found


def _fit(job: EvaluationJob, study: Study, train: Sequence[Person], view: View, weights: Store) -> Scorer:
    """Networks that can be restored are fitted once for all montages and tracks."""
    restore = getattr(job.method, "restore", None)
    if restore is None:
        return job.method.fit(train, view, job.setting, study.seed)
    key = f"fit-{job.fit_key(study)}"
    state = weights.get(key)
    if state is not None:
        return restore(state, view)
    score = job.method.fit(train, view, job.setting, study.seed)
    weights.put(key, score.state())  # type: ignore[attr-defined]
    return score


def _timed(common: tuple[Study, Path | None], job: EvaluationJob) -> tuple[dict[str, np.ndarray], float]:
    began = time.monotonic()
    return run_job(job, *common), time.monotonic() - began


class Runner:
    """Runs jobs that are not in the store yet, one or several at a time."""

    def __init__(self, study: Study, folder: Path | None, executor: Executor, say: Callable[[str], None]) -> None:
        self.study, self._folder, self._executor, self._say = study, folder, executor, say
        self._store = Store(folder, say)

    def on(self, study: Study) -> Runner:
        """The same for another study."""
        return Runner(study, self._folder, self._executor, self._say)

    def scorer(self, method: Method, split: Split) -> Scorer:
        """A method fitted on the subjects of a split, with its middle setting."""
        study, train = self.study, [self.study.people[i] for i in split.train]
        job = EvaluationJob(method, split, middle(method), tuple(study.channel_sets))
        view = View(study.labels, study.spec, study.track, study.ch_names, population(train))
        return _fit(job, study, train, view, Store(self._folder))

    def __call__(self, jobs: Iterable[EvaluationJob]) -> dict[str, dict[str, np.ndarray]]:
        """Logits by the jobs' keys."""
        wanted = {job.key(self.study): job for job in jobs}
        found = {key: kept for key in wanted if (kept := self._store.get(key)) is not None}
        todo = [(key, job) for key, job in wanted.items() if key not in found]
        last = time.monotonic()
        waiting = Counter(job.method.title for _, job in todo)
        took: dict[str, list[float]] = {}
        common = (self.study, self._folder)
        for i, (logits, seconds) in self._executor.run(_timed, [job for _, job in todo], common):
            key, job = todo[i]
            self._store.put(key, logits)
            found[key] = logits
            waiting[job.method.title] -= 1
            took.setdefault(job.method.title, []).append(seconds)
            n_left = waiting.total()
            if (now := time.monotonic()) - last >= TELL_EVERY_S or not n_left:
                last = now
                # Of methods that have not run yet nothing is known.
                least = (
                    sum(n * float(np.mean(took.get(title, [0]))) for title, n in waiting.items())
                    / self._executor.n_workers
                )
                self._say(f"{job.method.title}, {'/'.join(job.sets)} channels, without {job.split.name}"
                          f" · {len(todo) - n_left} of {len(todo)} · at least {least / 60:.0f} min left")  # fmt: skip
        return found


def compare(runner: Runner, methods: Sequence[Method], folds: Sequence[Fold], *, choose: bool = True) -> Found:
    """Scores of all subjects, by methods that were not fitted on them.

    Parameters
    ----------
    runner : Runner
    methods : sequence of Method
    folds : sequence of Fold
    choose : bool
        False takes each method's middle setting and temperature 1; for controls, where nothing is to be gained.
    """
    study = runner.study
    inner: dict[str, dict[str, np.ndarray]] = {}
    if choose:
        splits = {split.name: split for fold in folds for split, _ in fold.inner}
        inner = runner(job for m in methods for s in m.settings for job in _jobs(study, m, splits.values(), s))
    chosen: dict[tuple[str, str, str], tuple[Setting, float, dict[float, float]]] = {}
    for method in methods:
        for name in study.channel_sets:
            for fold in folds:
                chosen[method.name, name, fold.split.name] = (
                    _choose(study, method, name, fold, inner) if choose else (middle(method), 1.0, {1.0: 0.0})
                )
    outer = {
        (method.name, name, fold.split.name): EvaluationJob(
            method, fold.split, chosen[method.name, name, fold.split.name][0], sets
        )
        for method in methods
        for sets in _fits(study, method)
        for name in sets
        for fold in folds
    }
    logits = runner(outer.values())
    found: Found = {}
    for (m, name, at), job in outer.items():
        setting, t, limits = chosen[m, name, at]
        kept = logits[job.key(study)]
        for i in job.split.left:
            scores = _scores(study, i, kept[f"{name}|{study.people[i].name}"])
            found.setdefault((m, name), []).append(Row(study.people[i].name, at, setting, t, limits, scores))
    return {key: sorted(rows, key=lambda row: row.person) for key, rows in found.items()}


def _fits(study: Study, method: Method) -> list[tuple[str, ...]]:
    """Channel sets that share a fit."""
    names = tuple(study.channel_sets)
    return [names] if method.any_montage else [(name,) for name in names]


def _jobs(study: Study, method: Method, splits: Iterable[Split], setting: Setting) -> Iterable[EvaluationJob]:
    return (EvaluationJob(method, split, setting, sets) for split in splits for sets in _fits(study, method))


def _scores(study: Study, i: int, logits: np.ndarray) -> Scores:
    p = study.people[i]
    at = scored_seconds(p, study.spec)
    return Scores(np.asarray(logits, float), p.label[at], None if p.trial is None else p.trial[at])


def _choose(
    study: Study, method: Method, name: str, fold: Fold, inner: Mapping[str, Mapping[str, np.ndarray]]
) -> tuple[Setting, float, dict[float, float]]:
    """The setting by AUC on the fold's inner subjects, the temperature there, and the thresholds."""
    sets = next(sets for sets in _fits(study, method) if name in sets)
    tried: list[list[Scores]] = []
    for setting in method.settings:
        scores = []
        for split, people in fold.inner:
            kept = inner[EvaluationJob(method, split, setting, sets).key(study)]
            scores += [_scores(study, i, kept[f"{name}|{study.people[i].name}"]) for i in people]
        tried.append(scores)
    reached = np.array([[auc(softmax(s.logits, axis=1), s.labels) for s in map(Scores.even, row)] for row in tried])
    chosen = simplest(reached)
    t = temperature(tried[chosen])
    return method.settings[chosen], t, thresholds(tried[chosen], t)


def simplest(reached: np.ndarray) -> int:
    """Which of some settings, in order from the simplest, to take, from what each (n_settings, n_people) reached.

    The first that is worse than the best by no more than one standard error of their difference: among a few subjects
    the best is often so by luck.
    """
    best = int(reached.mean(axis=1).argmax())
    behind = reached[best] - reached
    error = behind.std(axis=1, ddof=1) / np.sqrt(reached.shape[1]) if reached.shape[1] > 1 else np.zeros(len(reached))
    return int(np.flatnonzero(behind.mean(axis=1) <= error)[0])


def middle(method: Method) -> Setting:
    """The setting where none is chosen."""
    return method.settings[len(method.settings) // 2]

"""Subjects of a labelled data set for evaluation and training: prepared, labelled and checked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from platformdirs import user_cache_path

from realtime_mood.dsp.spec import FeatureSpec
from realtime_mood.errors import ConfigError, ProfileError

from ..datasets.labels import READOUTS, label_of, labels_of, scale_of
from ..datasets.person import NO_LABEL, Person, cut
from ..datasets.preparing import Log, jobs_of, labelled
from ..datasets.preparing import subjects as prepared_subjects
from ..datasets.sets import reader_of
from ..datasets.trials import DatasetInfo, Recording
from ..executor import Executor
from .contexts import BASELINE_S, scored_seconds
from .sessions import names_of

PREPARED = "prepared-subjects"
LEAST_LABELS, LEAST_RATINGS = 2, 3
OWN_BASELINE = ("c1", "c5", "drifting", "l")
"""Tracks on which a subject without a baseline cannot be scored."""
ALMOST = 0.9
"""Of a baseline: filters settle in its first seconds, and some may be masked."""
LOOKS_AHEAD = "features look ahead (LDS-smoothed over the whole trial): not available live"


@dataclass(frozen=True)
class DatasetChoice:
    """Which subjects are wanted, and what their labels mean."""

    name: str
    """Of the data set: see `reader_of`."""
    root: Path
    readout: str
    felt: bool = False
    """Labels are the subjects' own ratings instead of the stimulus."""
    cache: Path | None = None
    """Folder of prepared subjects; by default the user's cache."""

    def meaning(self, info: DatasetInfo) -> str:
        """What a label says, for tables and cards; `info` is that of the set."""
        if not self.felt:
            return info.labels_mean
        split = info.high_from.get(self.readout)
        return "what subjects reported to have felt" + ("" if split is None else f" (high: {split:g} or more)")


def load_labelled(
    choice: DatasetChoice, track: str, spec: FeatureSpec, executor: Executor, log: Log
) -> tuple[list[Person], DatasetInfo]:
    """All subjects of a data set that can be scored, in the order of their names.

    Raises
    ------
    ConfigError
        There is no such data set, readout or folder, or no two subjects have labels.
    """
    reader = reader_of(choice.name)
    labels_of(choice.readout, reader.info)
    recordings = reader.recordings(choice.root)
    _check_labels(choice, recordings, reader.info)
    cache = choice.cache or user_cache_path("realtime-mood") / PREPARED
    jobs = jobs_of(recordings, reader.info, spec, cache)
    log(f"{choice.name}: {len(jobs)} subjects, {len(recordings)} recordings; prepared subjects are kept in {cache}")
    subjects = []
    for _, prepared in prepared_subjects(jobs, executor.run, log):
        p = labelled(prepared, reader.info, choice.readout, felt=choice.felt, baseline_s=BASELINE_S[track], spec=spec)
        if track == "c5":
            _check_five_minutes(p)
        if track in OWN_BASELINE:
            p = _with_baselines(p, spec, log)
        if why := _unusable(p, spec, scale_of(choice.readout)):
            log(f"{p.name} left out: {why}")
        else:
            subjects.append(p)
    if len(subjects) < 2:
        raise ConfigError(
            f"readout {choice.readout!r} on {choice.name}", f"{len(subjects)} of {len(jobs)} subjects can be scored",
            "choose a readout that the set has labels for, or --label felt; reasons are above",
        )  # fmt: skip
    return subjects, reader.info


def _check_labels(choice: DatasetChoice, recordings: Sequence[Recording], info: DatasetInfo) -> None:
    """Raise `ConfigError` where no trial has a label of the readout, before signals are read."""
    trials = [trial for r in recordings for trial in r.trials]

    def there(readout: str) -> bool:
        return any(label_of(trial, readout, info, felt=choice.felt) != NO_LABEL for trial in trials)

    if not there(choice.readout):
        known = [name for name in dict.fromkeys([*READOUTS, *([info.name] if info.labels else [])]) if there(name)]
        raise ConfigError(
            f"readout {choice.readout!r} on {choice.name}",
            f"no trial has a {'felt label' if choice.felt else 'label'} of it",
            f"use --readout {' or '.join(known)}" if known else "try --label felt or --label stimulus",
        )


def looks_ahead(subjects: Sequence[Person], info: DatasetInfo | None) -> bool:
    """Whether the features came with the set, and were smoothed over whole trials."""
    return info is not None and info.smoothed and any(not p.raw for p in subjects)


def _unusable(p: Person, spec: FeatureSpec, scale: str) -> str:
    """Why a subject cannot be scored, with the ratings of a `scale` where one is given; empty when it can."""
    at = scored_seconds(p, spec)
    if scale:
        assert p.trial is not None
        ratings = [p.trials[k].ratings[scale] for k in np.unique(p.trial[at])]
        if len(ratings) < LEAST_RATINGS or len(set(ratings)) < LEAST_LABELS:
            return f"{len(ratings)} rated trials that can be scored, {len(set(ratings))} different ratings"
    elif len(there := set(p.label[at].tolist())) < LEAST_LABELS:
        return f"{len(there)} of the labels in the seconds that can be scored, {LEAST_LABELS} are needed"
    return ""


def _check_five_minutes(p: Person) -> None:
    """Raise `ConfigError` for a session whose baseline is not that of the track, or nearly."""
    least_s = min(float(p.rest[at].sum()) * p.step_s for at in p.sessions)
    if least_s < ALMOST * BASELINE_S["c5"]:
        raise ConfigError(
            f"track 'c5': {BASELINE_S['c5']} s of baseline from all subjects", f"{p.name} has {least_s:g} s",
            "use a track with a shorter baseline, c1 or z",
        )  # fmt: skip


def _with_baselines(p: Person, spec: FeatureSpec, log: Log) -> Person:
    """The subject without the sessions that have no baseline: nothing in them can be compared with it."""
    keep = np.ones(len(p.label), bool)
    for i, (at, session) in enumerate(zip(p.sessions, names_of(p), strict=True)):
        try:
            p.profile(spec, i)
        except ProfileError as error:
            log(f"{p.name}, session {session} left out: no baseline: {error.found}")
            keep[at] = False
    return p if keep.all() else cut(p, keep)


def clip_groups(subjects: Sequence[Person], n_groups: int, seed: int) -> tuple[tuple[str, ...], ...]:
    """Stimuli in groups that each have every label, as far as possible: for scores on unseen stimuli.

    Raises
    ------
    ConfigError
        A label has one stimulus only: who never saw it cannot know the label.
    """
    by_label: dict[int, set[str]] = {}
    for p in subjects:
        assert p.trial is not None
        for i, trial in enumerate(p.trials):
            for y in np.unique(p.label[p.trial == i]).tolist():
                if y >= 0:
                    by_label.setdefault(y, set()).add(trial.stimulus)
    least = min(map(len, by_label.values()), default=0)
    if least < 2:
        raise ConfigError(
            "protocol 'subject-clip'", "a label has one stimulus only, so none of it can be held out",
            "use --protocol groups or loso",
        )  # fmt: skip
    rng, groups = np.random.default_rng(seed), [[] for _ in range(min(n_groups, least))]  # type: ignore[var-annotated]
    placed: set[str] = set()
    for _, stimuli in sorted(by_label.items()):
        new = [s for s in rng.permutation(sorted(stimuli)).tolist() if s not in placed]
        for k, stimulus in enumerate(new):
            groups[k % len(groups)].append(stimulus)
        placed.update(new)
    return tuple(tuple(sorted(group)) for group in groups)

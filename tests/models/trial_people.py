"""Planted subjects of a labelled data set: trials with stimuli, ratings and sessions, without a pipeline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from evaluation_people import planted

from realtime_mood.models.datasets.person import BASELINE, NO_LABEL, Person, SessionTrial
from realtime_mood.models.datasets.trials import DatasetInfo

LABELS = ("low", "high")


def info_of(n_subjects: int = 6) -> DatasetInfo:
    return DatasetInfo(
        "planted", "Planted", "none", "none", "CC0", "none", "none", n_subjects, 1, 8, LABELS, {"valence": (1.0, 9.0)},
        "rest", subjects=tuple(f"{i:02}" for i in range(n_subjects)),
    )  # fmt: skip


def with_trials(seed: int, n_trials: int = 8, effect: float = 0.7, ratings: Sequence[float] | None = None) -> Person:
    """A minute of rest, then trials of 26 s of both labels in turn; label 1 has more beta on two electrodes.

    Stimulus k is of one label for every subject, shown at another place to each. With `ratings`, subjects differ in
    how much beta a trial has, by the rating of its stimulus (0 to 1 of the scale) instead.
    """
    p = planted(seed, 0.0 if ratings is not None else effect, n_blocks=n_trials)
    trial = np.where(p.piece == 0, BASELINE, p.piece - 1)
    labels = [(i + 1 + seed) % 2 for i in range(n_trials)]
    rng, de, trials = np.random.default_rng([7, seed]), p.de.copy(), []
    clips = {y: rng.permutation(n_trials // 2).tolist() for y in (0, 1)}
    for i, y in enumerate(labels):
        clip = clips[y].pop()
        rated = {"valence": 1.0 + 8.0 * (ratings[2 * clip + y] if ratings is not None else y)}
        if ratings is not None:
            de[trial == i, :2, 3] += effect * (rated["valence"] - 5) / 4
        trials.append(SessionTrial(i, f"clip{2 * clip + y}", LABELS[y], rated, "1"))
    session = np.zeros(len(p.label), int)
    return replace(p, name=f"planted-{seed:02}", de=de, trial=trial, trials=tuple(trials), session=session)


def in_sessions(seed: int, n_sessions: int = 3) -> Person:
    """Sessions of four trials each, with a rest of their own."""
    parts = [with_trials(10 * seed + s, 4) for s in range(n_sessions)]
    keys = ("de", "patches", "there", "good", "label", "rest")
    arrays = {key: np.concatenate([getattr(p, key) for p in parts]) for key in keys}
    piece = np.concatenate([p.piece + 100 * s for s, p in enumerate(parts)])
    shifted = [np.where(p.trial >= 0, p.trial + 4 * s, p.trial) for s, p in enumerate(parts)]
    trials = tuple(replace(t, session=str(s + 1)) for s, p in enumerate(parts) for t in p.trials)
    session = np.repeat(np.arange(n_sessions), [len(p.label) for p in parts])
    return replace(
        parts[0], name=f"planted-{seed:02}", piece=piece, trial=np.concatenate(shifted), trials=trials,
        session=session, sha256=f"sha-sessions-{seed}", **arrays,
    )  # fmt: skip


def labelled_seconds_of(p: Person) -> np.ndarray:
    return np.flatnonzero(p.label != NO_LABEL)

"""Sessions left out: what a readout is worth in another session, on another day, of the subjects it was trained on.

It says nothing about unseen subjects. Each session of a subject is a subject of its own in a comparison; results are
put together by subject again, so that intervals are over people.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from realtime_mood.errors import ConfigError

from ..datasets.person import Person, cut
from .figures import Scores
from .splits import Fold, Split

if TYPE_CHECKING:
    from .compare import Row

PROTOCOL = "sessions"
BETWEEN = " session "
LEAST_SESSIONS = 3
"""One is tested, one serves the choices, and one is left to fit."""


def names_of(p: Person) -> list[str]:
    """The names of the sessions in order."""
    assert p.trial is not None
    return [p.trials[p.trial[at].max()].session for at in p.sessions]


def of_session(p: Person, number: int) -> Person:
    """One session of a subject as a subject of its own."""
    name = names_of(p)[number]
    sha256 = hashlib.sha256(f"{p.sha256} {name}".encode()).hexdigest()
    at = p.sessions[number]
    return replace(cut(p, slice(int(at[0]), int(at[-1]) + 1)), name=f"{p.name}{BETWEEN}{name}", sha256=sha256)


def subject_of(name: str) -> str:
    """The subject whose session has this name."""
    return name.partition(BETWEEN)[0]


def divide(subjects: Sequence[Person], n_inner: int) -> tuple[list[Person], list[Fold]]:
    """The sessions as subjects of a comparison, and folds that leave out the first, the second … of all subjects.

    Choices for a fold are made on up to `n_inner` other sessions, by fits to neither. Subjects with a single session
    are trained on and never tested.

    Raises
    ------
    ConfigError
        No subject has three sessions.
    """
    numbered = [(k, of_session(p, k), len(p.sessions)) for p in subjects for k in range(len(p.sessions))]
    return [p for _, p, _ in numbered], folds_of([(k, n) for k, _, n in numbered], n_inner)


def folds_of(numbered: Sequence[tuple[int, int]], n_inner: int) -> list[Fold]:
    """Folds over sessions, each with its number within its subject and how many the subject has (see `divide`)."""
    n_sessions = max((n for _, n in numbered), default=0)
    if n_sessions < LEAST_SESSIONS:
        raise ConfigError(
            f"protocol {PROTOCOL!r}", f"no subject has more than {n_sessions} sessions",
            f"{LEAST_SESSIONS} are needed: use --protocol groups or loso",
        )  # fmt: skip
    left = [tuple(i for i, (j, n) in enumerate(numbered) if j == k and n > 1) for k in range(n_sessions)]

    without = partial(Split.without, n_subjects=len(numbered))
    folds = []
    for k in range(n_sessions):
        others = sorted((j for j in range(n_sessions) if j != k), key=lambda j: (j - k) % n_sessions)[:n_inner]
        pairs = []
        for j in others:
            a, b = sorted((k, j))
            pairs.append((without(left[a] + left[b], f"sessions {a + 1} and {b + 1}"), left[j]))
        folds.append(Fold(without(left[k], f"session {k + 1}"), tuple(pairs)))
    return folds


def by_subject(rows: Iterable[Row]) -> list[Row]:
    """One row for each subject, where there may be one for each of its sessions."""
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(subject_of(row.person), []).append(row)
    return [_together(own) for own in found.values()]


def _together(rows: Sequence[Row]) -> Row:
    """One row of a subject's sessions, each with its own temperature; thresholds are the means over sessions."""
    first = replace(rows[0], person=subject_of(rows[0].person))
    if len(rows) == 1:
        return first
    logits = np.concatenate([row.scores.logits / row.temperature for row in rows])
    labels = np.concatenate([row.scores.labels for row in rows])
    trials = [row.scores.trials for row in rows if row.scores.trials is not None]
    scores = Scores(logits, labels, np.concatenate(trials) if trials else None)
    means = {c: float(np.mean([row.thresholds[c] for row in rows])) for c in first.thresholds}
    return replace(first, fold="each session", temperature=1.0, thresholds=means, scores=scores)

"""The splits of Open EEG Bench for FACED, SEED-V and EEGMAT, and its figure: balanced accuracy over all test windows.

Subjects (for SEED-V: sessions), classes, lengths of windows and the measure are those of version 0.6.0 [1]_. A method
is fitted to the training part, its choices are made on the validation part, and the test part is scored once. The board
has its own copies of the signals (100 Hz, high-pass filter at 0.1 Hz, at 0.5 Hz for windows of a second), which were
not looked at; here, signals are what the readers of the sets give, and windows follow one another from the start of
each trial.

References
----------
.. [1] Guetschel, Aristimunha, Truong, Kokate, Moreau, Tangermann, Delorme (2026), Open EEG Bench,
   doi 10.5281/zenodo.19698863, https://github.com/braindecode/OpenEEGBench (default_configs/datasets.py, README.md).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np

from realtime_mood.dsp.spec import FeatureSpec
from realtime_mood.errors import ConfigError

from ..datasets.labels import label_by_second
from ..datasets.person import NO_LABEL, Person
from ..datasets.trials import DatasetInfo
from ..subject_sampler import piece_starts
from . import figures
from .compare import Results
from .contexts import n_scored
from .figures import Scores
from .sessions import names_of, of_session
from .splits import Fold, Split

PROTOCOL = "open-eeg-bench"
NOT_LOOKING = ("z", "c1", "c5", "running", "drifting")
"""Tracks without statistics of the scored windows themselves."""


@dataclass(frozen=True)
class Board:
    """How the board divides one data set."""

    readouts: tuple[str, ...]
    """Readouts with its classes; the first is used where the command line's default was not changed."""
    window_s: float
    parts: tuple[tuple[str, ...], ...]
    """Subjects or sessions for training, validation and test."""
    by_session: bool = False
    """The parts are sessions of all subjects, so that it says nothing about unseen subjects."""


def _numbered(digits: int, *edges: int) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(f"{i:0{digits}}" for i in range(a, b)) for a, b in pairwise(edges))


_FACED = _numbered(3, 0, 80, 100, 123)
_SESSIONS = (("1",), ("2",), ("3",))
BOARDS = {
    "faced": Board(("faced", "emotion9"), 10.0, _FACED),
    "faced-bids": Board(("faced-bids", "emotion9"), 10.0, _FACED),
    "seed-v": Board(("seed-v", "emotion5"), 1.0, _SESSIONS, by_session=True),
    "seed-v-raw": Board(("seed-v-raw", "emotion5"), 1.0, _SESSIONS, by_session=True),
    "eegmat": Board(("eegmat", "effort"), 5.0, _numbered(2, 0, 28, 32, 36)),
}


def board_of(dataset: str | None, readout: str, track: str, *, felt: bool) -> Board:
    """The board's division of a data set.

    Raises
    ------
    ConfigError
        The board has no such set, classes or labels, or the track looks at what is scored.
    """
    asked = f"protocol {PROTOCOL!r}"
    board = BOARDS.get(dataset or "")
    if board is None:
        raise ConfigError(asked, f"it has no data set {dataset!r} that is read here", f"use {', '.join(BOARDS)}")
    if readout not in board.readouts:
        raise ConfigError(asked, f"its classes are not those of {readout!r}", f"use {' or '.join(board.readouts)}")
    if felt:
        raise ConfigError(asked, "its labels are those of the stimuli", "leave --label felt out")
    if track not in NOT_LOOKING:
        raise ConfigError(f"track {track!r} with {asked}", "test windows would be looked at", "use z, or c1")
    return board


def divide(subjects: Sequence[Person], board: Board, info: DatasetInfo, track: str) -> tuple[list[Person], list[Fold]]:
    """The board's parts as subjects of a comparison, and the one fold of it.

    Validation and test subjects have labels at the last second of each window only; on track ``z``, which needs no
    baseline, these are all windows.

    Parameters
    ----------
    subjects : sequence of Person
        Labelled, as for other protocols.
    board : Board
    info : DatasetInfo
    track : str

    Raises
    ------
    ConfigError
        Not all subjects or sessions are there.
    """
    there = {p.name.removeprefix(f"{info.name}-"): p for p in subjects}
    if board.by_session:
        there = {f"{who} session {s}": of_session(p, i) for who, p in there.items() for i, s in enumerate(names_of(p))}
        parts = [[f"{who} session {s}" for who in info.subject_ids for s in part] for part in board.parts]
    else:
        parts = [list(part) for part in board.parts]
    every = [(k, name) for k, part in enumerate(parts) for name in part]
    if missing := [name for _, name in every if name not in there]:
        shown = ", ".join(missing[:12]) + (" …" if len(missing) > 12 else "")
        raise ConfigError(
            f"protocol {PROTOCOL!r}: all {len(every)} {'sessions' if board.by_session else 'subjects'} of {info.name}",
            f"{len(every) - len(missing)} can be used; missing: {shown}",
            "add the missing ones (`datasets check` names missing and damaged files), or use --protocol groups",
        )
    divided = [by_window(there[name], board, info, whole=track == "z") if k else there[name] for k, name in every]
    train, validation, test = (tuple(i for i, (k, _) in enumerate(every) if k == part) for part in range(len(parts)))
    inner = Split("validation", train, validation)
    return divided, [Fold(Split("test", train, test), ((inner, validation),))]


def by_window(p: Person, board: Board, info: DatasetInfo, *, whole: bool) -> Person:
    """The subject with a label at the last second of each window: of all, or of those after the baseline."""
    n = max(1, round(board.window_s / p.step_s))
    last = (np.arange(len(p.label)) - piece_starts(p) + 1) % n == 0
    label = label_by_second(p, board.readouts[0], info, felt=False)
    if not whole:
        label[p.rest | (p.label == NO_LABEL)] = NO_LABEL
    return replace(p, label=np.where(last, label, NO_LABEL), rest=p.rest & (not whole))


def board_figures(
    results: Results, titles: Mapping[str, str], board: Board, test: Sequence[Person], spec: FeatureSpec, seed: int
) -> dict[str, Any]:
    """Balanced accuracy over all test windows together, as on the board, by channel set and method.

    The interval is a bootstrap over test subjects, which the board does not have.
    """
    scored = n_scored(test, spec)
    n_windows = sum(int(np.sum(p.label != NO_LABEL)) for p in test)
    numbers = [len(part) for part in board.parts]
    found: dict[str, Any] = {"test_windows": n_windows, "scored_windows": scored, "balanced_accuracy": {}}
    what = "sessions of all subjects" if board.by_session else "subjects"
    lines = [
        f"Open EEG Bench 0.6: balanced accuracy over {scored} test windows of {board.window_s:g} s; {what}: "
        f"{numbers[0]} for training, {numbers[1]} for validation, {numbers[2]} for the test"
    ]
    for (method, channels), rows in results.items():
        tables = np.stack([_confusions(row.scores) for row in rows])
        drawn = np.tensordot(figures.draws(len(rows), seed), tables, 1)
        mean, interval = round(float(_balanced(tables.sum(0))), 4), figures.interval(_balanced(drawn))
        found["balanced_accuracy"].setdefault(channels, {})[method] = {"mean": mean, "interval": interval}
        low, high = interval or (np.nan, np.nan)
        lines.append(f"{titles[method]}, {channels} channels: {mean:.3f} [{low:.3f}, {high:.3f}]")
    if scored < n_windows:
        lines.append(f"{n_windows - scored} windows are not scored: filters have not settled, or signal is missing")
    step_s = max(p.step_s for p in test)
    if step_s > board.window_s:
        lines.append(f"features are of {step_s:g} s, the board's windows of {board.window_s:g} s: not comparable")
    elif (context := spec.n_steps * step_s) > board.window_s:
        lines.append(f"methods see up to {context:g} s before the end of a window: more than on the board")
    return found | {"lines": lines}


def _confusions(scores: Scores) -> np.ndarray:
    """(n_labels, n_labels): windows by class and prediction."""
    n = scores.logits.shape[1]
    cells = scores.labels * n + scores.logits.argmax(axis=1)
    return np.bincount(cells, minlength=n * n).reshape(n, n)


def _balanced(tables: np.ndarray) -> np.ndarray:
    """Balanced accuracy from sums (…, n_labels, n_labels) of `_confusions`; classes without a window do not count."""
    with np.errstate(invalid="ignore"):
        recall = np.diagonal(tables, axis1=-2, axis2=-1) / tables.sum(axis=-1)
    return np.asarray(np.nanmean(recall, axis=-1))

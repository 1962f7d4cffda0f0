"""Checks a data set on disk: whether it is complete, another version or damaged, and which subjects are missing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from realtime_mood.dsp.spec import FeatureSpec
from realtime_mood.errors import ConfigError, MoodError

from .guards import FEW, duplicate_groups, log_power, scale_factor
from .trials import DatasetInfo, DatasetReader, Recording, Segment

COMPLETE, MISSING, WRONG, DAMAGED = "complete", "missing", "wrong version", "damaged"
SHOWN = 12
Follow = Callable[[Sequence[Recording]], Iterable[Recording]]


@dataclass(frozen=True)
class DatasetCheck:
    """What was found of a data set, beside what it has when it is complete."""

    info: DatasetInfo
    found: dict[str, int]
    """Numbers of subjects, recordings and trials."""
    hours: float
    """Of signal, or of the time that features cover."""
    missing: tuple[str, ...] = ()
    """Subjects and sessions that are not there."""
    damaged: tuple[str, ...] = ()
    """Files that cannot be read, and why."""
    wrong: str = ""
    """Why it is not this set, or not a version of it that is read."""
    notes: tuple[str, ...] = ()
    simulated: bool = False

    @property
    def verdict(self) -> str:
        """One of the four words; the gravest where several hold."""
        return WRONG if self.wrong else DAMAGED if self.damaged else MISSING if self.missing else COMPLETE

    @property
    def expected(self) -> dict[str, int]:
        """The numbers of `found` in the complete set."""
        recordings = self.info.n_recordings or self.info.n_subjects * self.info.n_sessions
        trials = self.info.n_trials_all or recordings * self.info.n_trials
        return {"subjects": self.info.n_subjects, "recordings": recordings, "trials": trials}


def check(reader: DatasetReader, root: Path, follow: Follow = iter) -> DatasetCheck:
    """Read everything below `root`, and count it.

    Parameters
    ----------
    reader : DatasetReader
    root : Path
    follow : callable
        Is given the recordings and gives them back one by one: to show progress.

    Raises
    ------
    ConfigError
        There is no such folder.
    """
    info = reader.info
    if not root.exists():
        raise ConfigError(f"data set {info.name} in {root}", "no such folder", f"`datasets show {info.name}` says how")
    nothing = dict.fromkeys(("subjects", "recordings", "trials"), 0)
    try:
        recordings = reader.recordings(root)
    except ConfigError as error:
        return DatasetCheck(info, nothing, 0.0, wrong=f"{error.found}; {error.do}")
    except MoodError as error:
        return DatasetCheck(info, nothing, 0.0, damaged=(str(error),))
    damaged: list[str] = []
    missing, power = _missing(info, recordings), dict[str, np.ndarray]()
    n_trials, seconds = 0, 0.0
    for recording in follow(recordings):
        tally = _Tally(recording)
        try:
            course = log_power(tally.segments(), recording.info.sfreq, FeatureSpec().bands)
            power.setdefault(recording.subject, course)
        except MoodError as error:
            damaged.append(f"subject {recording.subject}, session {recording.session}: {error}")
        else:
            if lost := len(recording.trials) - tally.n_trials:
                missing.append(f"{lost} trials of subject {recording.subject}, session {recording.session}")
        n_trials, seconds = n_trials + tally.n_trials, seconds + tally.seconds
    found = {"subjects": len({r.subject for r in recordings}), "recordings": len(recordings), "trials": n_trials}
    return DatasetCheck(
        info, found, seconds / 3600, tuple(missing), tuple(damaged), "", (*_notes(recordings), *_duplicates(power)),
        any(r.info.virtual for r in recordings),
    )  # fmt: skip


class _Tally:
    """Counts what a recording's segments hold while they are read."""

    def __init__(self, recording: Recording) -> None:
        self._recording, self.n_trials, self.seconds = recording, 0, 0.0

    def segments(self) -> Iterator[Segment]:
        info, is_first = self._recording.info, True
        for segment in self._recording.segments():
            self.n_trials += sum(span.trial is not None for span in segment.spans)
            if segment.signal is None:
                assert segment.de is not None
                self.seconds += len(segment.de) * self._recording.window_s
            else:
                self.seconds += len(segment.signal) / info.sfreq
                if is_first:
                    scale_factor(segment.signal, info.sfreq, info.name)
                    is_first = False
            yield segment


def _missing(info: DatasetInfo, recordings: Sequence[Recording]) -> list[str]:
    """Subjects and sessions that are not there; only their number where the set's names are not known."""
    sessions = Counter(r.subject for r in recordings)
    absent = [name for name in info.subject_ids if name not in sessions]
    if not set(sessions) <= set(info.subject_ids):
        lost = info.n_subjects - len(sessions)
        found = [f"{lost} subjects"] if lost > 0 else []
    else:
        shown = ", ".join(absent[:SHOWN]) + (" …" if len(absent) > SHOWN else "")
        found = [f"{len(absent)} of {info.n_subjects} subjects: {shown}"] if absent else []
    if info.n_recordings:
        lost = info.n_recordings - len(recordings)
        return found + ([f"{lost} of {info.n_recordings} recordings"] if lost > 0 else [])
    few = {name: n for name, n in sessions.items() if n < info.n_sessions}
    return found + [f"subject {name}: {n} of {info.n_sessions} sessions" for name, n in few.items()]


def _notes(recordings: Sequence[Recording]) -> list[str]:
    """Each note once, with the number of recordings that have it."""
    counts = Counter(note for r in recordings for note in dict.fromkeys(r.notes))
    every = len(recordings)
    return [note if n == every else f"{note} ({n} of {every} recordings)" for note, n in counts.items()]


def _duplicates(power: dict[str, np.ndarray]) -> list[str]:
    """Subjects whose recordings look the same; with few subjects, what a set's stimuli do looks like that."""
    groups = duplicate_groups(power) if len(power) >= FEW else []
    return [f"subjects {', '.join(sorted(group))} have nearly the same recording: copies?" for group in groups]

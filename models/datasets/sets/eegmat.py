"""EEGMAT: rest, then mental arithmetic, of 36 people.

Page: https://physionet.org/content/eegmat/1.0.0/. Paper: Zyma et al. (2019), Electroencephalograms during mental
arithmetic task performance, Data 4(1):14, doi 10.3390/data4010014; PhysioNet, doi 10.13026/C2JQ1P.

Of each subject ``SubjectNN_1.edf`` (three minutes of rest) and ``SubjectNN_2.edf`` (one minute of arithmetic), 19
electrodes against linked ears, 500 Hz, cleaned of eyes and filtered (0.5–45 Hz); files end in up to two seconds of
zeros, which are left out. The same re-packed as an archive (`models.datasets.archives`) at 125 Hz is read too. Rest
always comes first, so every minute is a segment of its own: the time since a file began would tell the classes apart.
The first minute of rest is the baseline.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from realtime_mood.errors import ConfigError, MoodError
from realtime_mood.types import StreamInfo

from ..archives import Archive
from ..folders import unknown_layout
from ..guards import scale_factor
from ..signals import RawSignal
from ..trials import DatasetInfo, Recording, Segment, Span, Trial

LABELS = ("rest", "arithmetic")
MINUTE_S = 60.0
ARCHIVE = "eegmat*.npz"
HELD_OUT = ("eegmat-32", "eegmat-33", "eegmat-34", "eegmat-35")
"""Never trained on, and nothing is chosen on them: the shipped weights are checked on them."""
ZEROS_S = 2.0
"""At the end of the original files."""


class Eegmat:
    """Reads EEGMAT, as on PhysioNet or re-packed."""

    info = DatasetInfo(
        name="eegmat",
        title="EEGMAT: rest and mental arithmetic",
        paper="Zyma et al. (2019), Electroencephalograms during mental arithmetic task performance, Data 4(1):14, "
        "doi 10.3390/data4010014",
        page="https://physionet.org/content/eegmat/1.0.0/",
        licence="ODC-By 1.0",
        access="wget -r -N -c -np https://physionet.org/files/eegmat/1.0.0/",
        layout="Subject00_1.edf … Subject35_2.edf, or eegmat_dev24_125hz.npz",
        n_subjects=36,
        n_sessions=1,
        n_trials=3,
        labels=LABELS,
        subjects=tuple(f"{i:02}" for i in range(36)),
        baseline="rest",
        baseline_label="rest",
        settle_s=12.0,
        restarts=True,
        labels_mean="what the subject was asked to do",
    )

    def recordings(self, root: Path) -> Sequence[Recording]:
        """One of each subject who has both files; see `DatasetReader`."""
        files = {path.stem: path for path in sorted(root.rglob("Subject*_[12].edf"))} if root.is_dir() else {}
        if files and not any(root.glob(ARCHIVE)):
            subjects = sorted({stem[7:-2] for stem in files})
            both = [s for s in subjects if all(f"Subject{s}_{k}" in files for k in (1, 2))]
            return [_of_files(s, files[f"Subject{s}_1"], files[f"Subject{s}_2"]) for s in both]
        try:
            archive = Archive(root, ARCHIVE, self.info.title)
        except ConfigError:
            raise unknown_layout(self.info, root) from None
        records: dict[str, dict[str, str]] = {}
        for entry in archive.entries:
            records.setdefault(str(entry["subject"]), {})[str(entry.get("label"))] = str(entry["key"])
        return [_of_archive(s, archive, keys) for s, keys in sorted(records.items()) if set(LABELS) <= keys.keys()]


def _of_files(subject: str, rest: Path, task: Path) -> Recording:
    sources = [RawSignal(path, reference="linked ears") for path in (rest, task)]
    (info, rest_s, notes), (other, task_s, _) = (source.info("EEGMAT") for source in sources)
    if (info.ch_names, info.sfreq) != (other.ch_names, other.sfreq):
        raise MoodError(f"EEGMAT subject {subject}", "its two files differ in electrodes or rate", "get them again")
    lengths = (rest_s - ZEROS_S, task_s - ZEROS_S)
    trials = _trials(*map(_n_minutes, lengths))
    read = partial(_segments, partial(_signals_of_files, sources, lengths, info), trials, info.sfreq, subject)
    return Recording(subject, "1", info, trials, read, (rest, task), notes=notes)


def _signals_of_files(sources: Sequence[RawSignal], lengths: Sequence[float], info: StreamInfo) -> Iterator[np.ndarray]:
    for source, length in zip(sources, lengths, strict=True):
        (whole,) = source.segments(info, [Span(0.0, length)])
        assert whole.signal is not None
        yield whole.signal


def _of_archive(subject: str, archive: Archive, keys: dict[str, str]) -> Recording:
    info = archive.info("EEGMAT")
    trials = _trials(*(_n_minutes(archive.n_times(keys[label]) / info.sfreq) for label in LABELS))
    signals = partial(_signals_of_archive, archive, keys)
    return Recording(subject, "1", info, trials, partial(_segments, signals, trials, info.sfreq, subject),
                     (archive.path,))  # fmt: skip


def _signals_of_archive(archive: Archive, keys: dict[str, str]) -> Iterator[np.ndarray]:
    return (archive.signal(keys[label]) for label in LABELS)


def _n_minutes(seconds: float) -> int:
    """Minutes, and one for what is left if it is more than half."""
    return math.ceil(seconds / MINUTE_S - 0.5)


def _trials(rest: int, task: int) -> tuple[Trial, ...]:
    labels = [LABELS[0]] * max(0, rest - 1) + [LABELS[1]] * task
    return tuple(Trial(i, label, label) for i, label in enumerate(labels))


def _segments(
    signals: Callable[[], Iterator[np.ndarray]], trials: Sequence[Trial], sfreq: float, subject: str
) -> Iterator[Segment]:
    """Minute by minute: the baseline, then the trials."""
    left: list[Trial | None] = [None, *trials]
    for signal in signals():
        scale_factor(signal, sfreq, f"EEGMAT subject {subject}")
        n = round(MINUTE_S * sfreq)
        for at in range(0, len(signal) - n // 2, n):
            minute = signal[at : at + n]
            yield Segment((Span(0.0, len(minute) / sfreq, left.pop(0)),), minute)


READER = Eegmat()

"""Labelled data sets: what a reader says of a set, its recordings and trials, and gives of their signals.

A reader knows one set as it is downloaded. It lists the recordings without reading signals, and each recording gives
its segments one at a time, in the order in which they were played, so that memory holds one subject at most.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np

from realtime_mood.types import StreamInfo


@dataclass(frozen=True)
class Trial:
    """One presentation of a stimulus."""

    position: int
    """In playing order within its recording, from 0."""
    stimulus: str
    """Identity of the clip, piece or task: the same for all subjects who were given the same."""
    label: str = ""
    """The class that the set's authors assign to the stimulus, in lower case; empty where there is none."""
    ratings: Mapping[str, float] = field(default_factory=dict)
    """The subject's own answers by scale (`valence`, `arousal`, `joy` …), as given; absent where not answered."""


@dataclass(frozen=True)
class Span:
    """A stretch of a segment, in seconds from the segment's start: a trial, or a baseline where `trial` is None."""

    start: float
    stop: float
    trial: Trial | None = None


@dataclass(frozen=True, eq=False)
class Segment:
    """Signal without interruption, or shipped features; samples before and after it are unknown.

    Exactly one of `signal` and `de` is there.
    """

    spans: tuple[Span, ...]
    signal: np.ndarray | None = None
    """(n_times, n_chans) float32, µV; NaN where samples were lost."""
    de: np.ndarray | None = None
    """(n_windows, n_chans, n_bands) float32, nats up to an affine map of each set: shipped features."""
    eye: np.ndarray | None = None
    """(n_windows, 33) float32: eye movements in the windows of `de`, or by the second of `signal`; the features are
    those of SEED-V (see `realtime_mood.dsp.eye.FEATURES`), or the 31 of SEED-IV."""
    gaze: np.ndarray | None = None
    """(n_times, 3) float32: gaze x and y in degrees, pupil diameter in mm, at `gaze_sfreq` Hz, from the segment's
    start on; NaN where the tracker saw no eye."""
    gaze_sfreq: float = 0.0


@dataclass(frozen=True, eq=False)
class Recording:
    """One session of one subject, not read yet."""

    subject: str
    """Identity within the set: equal in all sessions of the same person."""
    session: str
    info: StreamInfo
    """Electrodes in the columns' order, rate, reference."""
    trials: tuple[Trial, ...]
    """All trials in playing order, known without reading signals."""
    segments: Callable[[], Iterator[Segment]]
    """Reads the signal, in playing order. Raises `MoodError` for a damaged file.

    Recordings are sent to other processes, so this must be picklable: a `functools.partial` of a module's function.
    A long recording is cut into segments of a trial each, with the seconds before it that filters need to settle.
    """
    files: tuple[Path, ...] = ()
    """All files that it is read from: what a cache depends on."""
    window_s: float = 0.0
    """Seconds of one window of shipped features; 0 for raw signal."""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Published:
    """A figure from the literature, with the protocol it was obtained under."""

    method: str
    figure: str
    protocol: str
    source: str
    chosen_on_test: str
    """Whether the checkpoint was chosen on the test subject: "yes", "no" or "unknown"."""


def published(figures: Iterable[Mapping[str, str]]) -> list[str]:
    """A line for each published figure, given as the fields of a `Published`."""
    return [
        f"{f['figure']} · {f['method']} · {f['protocol']} · {f['source']}; checkpoint chosen on the test subject: "
        f"{f['chosen_on_test']}"
        for f in figures
    ]


@dataclass(frozen=True)
class DatasetInfo:
    """What is known of a data set without its files."""

    name: str
    """The name on the command line."""
    title: str
    paper: str
    """Citation with DOI."""
    page: str
    licence: str
    access: str
    """How to obtain it: the command where there is one, else the steps."""
    layout: str
    """The top folders and files as downloaded, one a line."""
    n_subjects: int
    n_sessions: int
    """Sessions of a subject."""
    n_trials: int
    """Trials of a session, at most."""
    labels: tuple[str, ...] = ()
    """The classes of the stimuli, in the order of the set's codes."""
    scales: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    """The subject's answers: lowest and highest possible value."""
    baseline: str = "none"
    """Where the seconds of baseline come from: "rest", "pre-clip", "neutral" (the first neutral trials), or "none":
    then it is the beginning of the recording, whatever was shown."""
    mains: float = 50.0
    baseline_label: str = ""
    """The class of the seconds of baseline, where they have one: trained on, never scored."""
    settle_s: float = 0.0
    """At the start of each trial, seconds without a label, where a context is not enough."""
    restarts: bool = False
    """Running statistics restart with each trial: time since the start of the recording would tell labels apart."""
    labels_mean: str = "what the stimulus was meant to evoke"
    """What a label says of the subject; each text is in `evaluation.interpretation_page.MEANINGS`."""
    smoothed: bool = False
    """Shipped features were smoothed with later windows."""
    raw: bool = True
    """Signals are there; otherwise shipped features only."""
    published: tuple[Published, ...] = ()
    subjects: tuple[str, ...] = ()
    """Their names in the set; empty where they are the numbers from 1 to `n_subjects`."""
    n_recordings: int = 0
    """Of the complete set, where subjects have different numbers of sessions."""
    n_trials_all: int = 0
    """Likewise, where recordings have different numbers of trials."""
    high_from: Mapping[str, float] = field(default_factory=dict)
    """From which answer on a label is "high", by scale, where the middle would leave a class nearly empty."""

    @property
    def subject_ids(self) -> tuple[str, ...]:
        """The names of all subjects that the set has when it is complete."""
        return self.subjects or tuple(str(i + 1) for i in range(self.n_subjects))


class DatasetReader(Protocol):
    """Reads one data set as it is downloaded."""

    info: DatasetInfo

    def recordings(self, root: Path) -> Sequence[Recording]:
        """All recordings below `root`, subject by subject, sessions in the order in which they took place.

        What is missing is left out; what is odd stands in the recordings' notes.

        Raises
        ------
        ConfigError
            Nothing below `root` is of this set, or of a version that is not supported.
        MoodError
            Labels contradict the files, so that no trial can be trusted.
        """
        ...

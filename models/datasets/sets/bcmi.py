"""What the SEED sets have in common: the cap, the terms of use, and variables that are numbered by trial.

All four come from the Center for Brain-like Computing and Machine Intelligence (BCMI), Shanghai Jiao Tong University:
https://bcmi.sjtu.edu.cn/home/seed/. Trials lie in variables whose names end in the trial's number; their order in a
file is that of the alphabet, or any other. Differential entropy has five bands: 1–4, 4–8, 8–14, 14–31, 31–50 Hz.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np

from realtime_mood.errors import MoodError
from realtime_mood.types import StreamInfo

from ..folders import montage_of
from ..matfiles import MatFile
from ..trials import Segment, Span, Trial

PAGE = "https://bcmi.sjtu.edu.cn/home/seed/"
LICENCE = "by signed agreement: academic use only, no redistribution"
ACCESS = f"sign the licence agreement at {PAGE} as a member of an institution; the reply by e-mail gives the download"

CHANNELS = (  # noqa: SIM905
    "FP1 FPZ FP2 AF3 AF4 F7 F5 F3 F1 FZ F2 F4 F6 F8 FT7 FC5 FC3 FC1 FCZ FC2 FC4 FC6 FT8 T7 C5 C3 C1 CZ C2 C4 C6 T8 "
    "TP7 CP5 CP3 CP1 CPZ CP2 CP4 CP6 TP8 P7 P5 P3 P1 PZ P2 P4 P6 P8 PO7 PO5 PO3 POZ PO4 PO6 PO8 CB1 O1 OZ O2 CB2"
).split()
"""The 62 channels in the order of ``Channel Order.xlsx``, the same in all sets."""
WITHOUT_POSITION = ("CB1", "CB2")
MONTAGE = montage_of(CHANNELS, WITHOUT_POSITION)
BANDS = 5
SFREQ = 200.0
DO = "download it again, or check that it belongs to this set"


def stream(name: str, sfreq: float = SFREQ, *, simulated: bool) -> StreamInfo:
    """The stream that a recording would be."""
    return StreamInfo(MONTAGE.ch_names, sfreq, name=name, virtual=simulated)


def trials_of(codes: Sequence[int], labels: Sequence[str], stimuli: Sequence[str], first: int = 0) -> tuple[Trial, ...]:
    """Trials in playing order from the codes of their classes; `first` is the code of the first class."""
    pairs = enumerate(zip(codes, stimuli, strict=True))
    return tuple(Trial(i, stimulus, labels[code - first]) for i, (code, stimulus) in pairs)


class Variables(NamedTuple):
    """The variables of one session in a MATLAB file."""

    path: Path
    pattern: str
    """Regular expression of their names; its group is the trial's number."""
    total: int
    """How many the file has, of all sessions."""
    first: int = 1
    """Number of the session's first trial."""
    n_rows: int = len(CHANNELS)
    """Rows of each: channels, or features of eye movements."""

    def read(self, trials: Sequence[Trial]) -> Iterator[tuple[Trial, np.ndarray]]:
        """Each trial's variable, in playing order.

        Raises
        ------
        MoodError
            The file is damaged, or has another number of trials.
        """
        asked = f"{self.path.parent.name}/{self.path.name}"
        with MatFile(self.path, asked) as mat:
            names = {int(found[1]): name for name in mat.names() if (found := re.fullmatch(self.pattern, name))}
            if sorted(names) != list(range(1, self.total + 1)):
                raise MoodError(asked, f"{len(names)} trials; a session file of this set has {self.total}", DO)
            for trial in trials:
                array = mat.read(names[self.first + trial.position])
                if not isinstance(array, np.ndarray):
                    raise MoodError(f"{names[self.first + trial.position]} of {asked}", "no array of numbers", DO)
                yield trial, array


def signals(variables: Variables, trials: Sequence[Trial]) -> Iterator[Segment]:
    """One segment a trial from variables (62, n_times), in µV at 200 Hz."""
    for trial, array in variables.read(trials):
        _check_shape(variables, trial, array, (variables.n_rows, None))
        signal = array.T[:, MONTAGE.columns].astype(np.float32)
        yield Segment((Span(0.0, len(signal) / SFREQ, trial),), signal=signal)


def features(
    variables: Variables,
    trials: Sequence[Trial],
    window_s: float,
    *,
    time_first: bool = False,
    eye: Variables | None = None,
) -> Iterator[Segment]:
    """One segment a trial from variables (62, n_windows, 5), or (n_windows, 5, 62) where `time_first`.

    `eye` has variables (n_features, n_windows); where the numbers of windows differ, the end of the longer is left out.
    """
    eyes = eye.read(trials) if eye else None
    shape = (None, BANDS, variables.n_rows) if time_first else (variables.n_rows, None, BANDS)
    for trial, array in variables.read(trials):
        _check_shape(variables, trial, array, shape)
        seen = None
        if eye and eyes:
            seen = next(eyes)[1]
            _check_shape(eye, trial, seen, (eye.n_rows, None))
        de = array.transpose((0, 2, 1) if time_first else (1, 0, 2))
        yield feature_segment(trial, de, None if seen is None else seen.T, window_s)


def feature_segment(trial: Trial, de: np.ndarray, eye: np.ndarray | None, window_s: float) -> Segment:
    """A trial of features (n_windows, 62, 5), and of eye movements (n_windows, n_features)."""
    n = len(de) if eye is None else min(len(de), len(eye))
    kept = de[:n, MONTAGE.columns].astype(np.float32)
    eye = None if eye is None else np.asarray(eye[:n], np.float32)
    return Segment((Span(0.0, n * window_s, trial),), de=kept, eye=eye)


def _check_shape(variables: Variables, trial: Trial, array: np.ndarray, shape: tuple[int | None, ...]) -> None:
    fits = len(shape) == array.ndim and all(want in (None, n) for want, n in zip(shape, array.shape, strict=True))
    if not fits or not array.size:
        asked = f"trial {trial.position + 1} of {variables.path.name}"
        wanted = " × ".join("time" if want is None else str(want) for want in shape)
        raise MoodError(asked, f"an array of shape {array.shape}; {wanted} expected", DO)


def dated(folder: Path, pattern: str) -> dict[int, list[tuple[int, Path]]]:
    """Files by subject, each with its date, in the order of dates; `pattern` has groups for subject and date."""
    found: dict[int, list[tuple[int, Path]]] = {}
    for path in sorted(folder.iterdir()):
        if name := re.fullmatch(pattern, path.name):
            found.setdefault(int(name[1]), []).append((int(name[2]), path))
    return {subject: sorted(found[subject]) for subject in sorted(found)}


Read = Callable[[], Iterator[Segment]]


def reading(
    variables: Variables,
    trials: Sequence[Trial],
    window_s: float,
    *,
    time_first: bool = False,
    eye: Variables | None = None,
) -> Read:
    """What reads a session: signals where `window_s` is 0, else features. It can be sent to another process."""
    if not window_s:
        return partial(signals, variables, trials)
    return partial(features, variables, trials, window_s, time_first=time_first, eye=eye)

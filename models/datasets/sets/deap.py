"""DEAP: 32 subjects watch 40 minutes of music video; felt valence, arousal, dominance and liking.

Page: https://www.eecs.qmul.ac.uk/mmv/datasets/deap/. Paper: Koelstra et al. 2012, doi 10.1109/T-AFFC.2011.15.

``data_preprocessed_python/s01.dat`` … ``s32.dat`` are pickles of Python 2: ``data`` (40 videos, 40 channels, 8064
samples at 128 Hz: 3 s before and 60 s of each video; 4–45 Hz, average reference; the first 32 channels are EEG) and
``labels`` (40, 4) from 1 to 9. Videos are in the order of ``Experiment_id``, the same for all subjects: the order in
which they were played stands in ``participant_ratings.csv`` alone.

References
----------
.. [1] The set's own description, https://www.eecs.qmul.ac.uk/mmv/datasets/deap/readme.html.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from realtime_mood.errors import MoodError
from realtime_mood.types import StreamInfo

from ..folders import find_folder, is_simulated, unknown_layout
from ..restricted import load
from ..trials import DatasetInfo, Recording, Segment, Span, Trial
from .deap_ratings import N_VIDEOS, SCALES, read_ratings, trials_of

CHANNELS = (  # noqa: SIM905
    "Fp1 AF3 F3 F7 FC5 FC1 C3 T7 CP5 CP1 P3 P7 PO3 O1 Oz Pz Fp2 AF4 Fz F4 F8 FC6 FC2 Cz C4 T8 CP6 CP2 P4 P8 PO4 O2"
).split()
"""The first 32 rows, in the order of Geneva."""
SFREQ, N_ROWS = 128.0, 40
PRE_S = 3.0
DO = "download it again, from data_preprocessed_python.zip"
UNORDERED = "the order in which videos were played is unknown: metadata_csv/participant_ratings.csv is missing"
PAPER = (
    "Koelstra et al. 2012, DEAP: a database for emotion analysis using physiological signals,"
    " IEEE Trans. Affect. Comput. 3(1):18-31, doi 10.1109/T-AFFC.2011.15"
)
PAGE = "https://www.eecs.qmul.ac.uk/mmv/datasets/deap/"
LICENCE = "by signed agreement: academic research only, no redistribution"
ACCESS = f"sign the licence agreement at {PAGE}download.html; the reply by e-mail gives the download"
INFO = DatasetInfo(
    name="deap",
    title="DEAP (preprocessed)",
    paper=PAPER,
    page=PAGE,
    licence=LICENCE,
    access=ACCESS,
    layout="data_preprocessed_python/             s01.dat … s32.dat\n"
    "metadata_csv/participant_ratings.csv  the order in which videos were played",
    n_subjects=32,
    n_sessions=1,
    n_trials=N_VIDEOS,
    scales=SCALES,
    # The 3 s before each video are shorter than the filters take to settle.
    baseline="none",
)


class DeapReader:
    """Reads the preprocessed signals of DEAP."""

    info = INFO

    def recordings(self, root: Path) -> Sequence[Recording]:
        """One recording per subject; see `DatasetReader`."""
        folder = find_folder(root, "data_preprocessed_python") or root
        files = sorted(folder.glob("s[0-9][0-9].dat")) if folder.is_dir() else []
        if not files:
            raise unknown_layout(INFO, root)
        ratings, path_of_ratings = read_ratings(folder)
        simulated, found = is_simulated(folder), []
        for path in files:
            subject = int(path.stem[1:])
            rows = ratings.get(subject)
            trials = trials_of(rows) if rows else _trials_of_file(path)
            notes = () if rows else (UNORDERED,)
            info = StreamInfo(tuple(CHANNELS), SFREQ, f"DEAP {subject}", "average", virtual=simulated)
            both = (path, path_of_ratings) if rows and path_of_ratings else (path,)
            found.append(
                Recording(str(subject), "1", info, trials, partial(_segments, path, trials), both, notes=notes)
            )
        return found


def _arrays(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Signals (videos, channels, samples) and ratings (videos, scales) of a file."""
    content = load(path, path.name)
    if not isinstance(content, dict) or not {"data", "labels"} <= content.keys():
        raise MoodError(path.name, "no pickle of data and labels", DO)
    data, labels = np.asarray(content["data"]), np.asarray(content["labels"])
    for array, shape in ((data, (N_VIDEOS, N_ROWS)), (labels, (N_VIDEOS, 4))):
        if array.dtype.kind != "f" or array.shape[:2] != shape or array.ndim != (3 if array is data else 2):
            found = f"an array of {array.dtype} of shape {array.shape}; {' × '.join(map(str, shape))} expected"
            raise MoodError(path.name, found, DO)
    return data, labels


def _trials_of_file(path: Path) -> tuple[Trial, ...]:
    """Trials as the file has them, for want of the order in which they were played."""
    labels = _arrays(path)[1]
    names = ("valence", "arousal", "dominance", "liking")
    return tuple(
        Trial(i, str(i + 1), ratings=dict(zip(names, map(float, row), strict=True))) for i, row in enumerate(labels)
    )


def _segments(path: Path, trials: Sequence[Trial]) -> Iterator[Segment]:
    """One segment a video, in playing order: 3 s before it, and its minute."""
    data, labels = _arrays(path)
    for trial in trials:
        row = int(trial.stimulus) - 1
        valence = float(labels[row, 0])
        if abs(valence - trial.ratings.get("valence", valence)) > 0.01:
            found = f"video {row + 1} has valence {valence:g} here and {trial.ratings['valence']:g} in the ratings"
            raise MoodError(f"{path.name} and participant_ratings.csv", found, "check that both belong to this subject")
        signal = data[row, : len(CHANNELS)].T.astype(np.float32)
        stop = len(signal) / SFREQ
        yield Segment((Span(0.0, PRE_S), Span(PRE_S, stop, trial)), signal=signal)


READER = DeapReader()

"""DREAMER: 23 subjects watch 18 film clips; felt valence, arousal and dominance.

Page: https://zenodo.org/record/546113. Paper: Katsigiannis & Ramzan 2018, doi 10.1109/JBHI.2017.2688239.

One file, ``DREAMER.mat``, with a structure ``DREAMER``: ``Data`` is a cell per subject, in which ``EEG`` has
``stimuli`` and ``baseline``, a cell per clip of samples × 14 channels at 128 Hz, raw from an EPOC (some 4200 µV of
offset), and ``ScoreValence``, ``ScoreArousal`` and ``ScoreDominance`` are 18 × 1, from 1 to 5. Clips last 65 to 393 s;
61 s of baseline, from a neutral clip, come before each. Order of the channels: ``EEG_Electrodes``. The file does not
say in which order clips were played: it is taken to be theirs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from realtime_mood.errors import MoodError
from realtime_mood.types import StreamInfo

from ..folders import is_simulated, montage_of, unknown_layout
from ..matfiles import MatFile, MatNode
from ..trials import DatasetInfo, Recording, Segment, Span, Trial

FILE = "DREAMER.mat"
SFREQ = 128.0
SCALES = ("valence", "arousal", "dominance")
CHANNELS = ("AF3", "F7", "F3", "FC5", "T7", "P7", "O1", "O2", "P8", "T8", "FC6", "F4", "F8", "AF4")
DO = "download DREAMER.mat again"
NOTES = ("clips are taken to have been played in the order of the file, which does not state it",)
INFO = DatasetInfo(
    name="dreamer",
    title="DREAMER",
    paper="Katsigiannis & Ramzan 2018, DREAMER: a database for emotion recognition through EEG and ECG signals from"
    " wireless low-cost off-the-shelf devices, IEEE J. Biomed. Health Inform. 22(1):98-107,"
    " doi 10.1109/JBHI.2017.2688239",
    page="https://zenodo.org/record/546113",
    licence="for academic research only, on request; see the record",
    access="request access to the record at https://zenodo.org/record/546113, then download DREAMER.mat",
    layout="DREAMER.mat  one file of all subjects",
    n_subjects=23,
    n_sessions=1,
    n_trials=18,
    scales=dict.fromkeys(SCALES, (1.0, 5.0)),
    baseline="pre-clip",
)


class DreamerReader:
    """Reads DREAMER. Each subject takes a pass over the whole file."""

    info = INFO

    def recordings(self, root: Path) -> Sequence[Recording]:
        """One recording per subject; see `DatasetReader`."""
        path = root if root.is_file() else root / FILE
        if not path.is_file():
            raise unknown_layout(INFO, root)
        with MatFile(path) as mat:
            data = mat.read("DREAMER", "Data")
            if not isinstance(data, MatNode):
                raise MoodError(path.name, "DREAMER.Data holds no subjects", DO)
            labels = _labels(mat)
            rated = [_ratings(mat, i) for i in range(int(np.prod(data.shape)))]
        montage, simulated = montage_of(labels), is_simulated(path.parent)
        notes = NOTES + ((montage.note,) if montage.note else ())
        found = []
        for i, ratings in enumerate(rated):
            trials = tuple(
                Trial(k, str(k + 1), ratings=dict(zip(SCALES, map(float, row), strict=True)))
                for k, row in enumerate(ratings)
            )
            name = f"DREAMER {i + 1}"
            info = StreamInfo(montage.ch_names, SFREQ, name=name, virtual=simulated)
            read = partial(_segments, path, i, trials, montage.columns, len(labels))
            found.append(Recording(str(i + 1), "1", info, trials, read, (path,), notes=notes))
        return found


def _labels(mat: MatFile) -> list[str]:
    """Names of the channels in the file; they may come in another order."""
    node = mat.read("DREAMER", "EEG_Electrodes")
    n = int(np.prod(node.shape)) if isinstance(node, MatNode) else 0
    labels = [str(mat.read("DREAMER", "EEG_Electrodes", k)) for k in range(n)]
    if sorted(labels) != sorted(CHANNELS):
        raise MoodError("channels of DREAMER.mat", f"{', '.join(labels) or 'none'}"[:100], DO)
    return labels


def _ratings(mat: MatFile, subject: int) -> np.ndarray:
    """(n_trials, n_scales)."""
    columns = [mat.read("DREAMER", "Data", subject, f"Score{scale.capitalize()}") for scale in SCALES]
    ratings = np.array([column.ravel() if isinstance(column, np.ndarray) else () for column in columns], object)
    if ratings.shape != (len(SCALES), INFO.n_trials):
        raise MoodError(f"ratings of subject {subject + 1} of DREAMER", f"not {INFO.n_trials} on each scale", DO)
    return ratings.T


def _segments(
    path: Path, subject: int, trials: Sequence[Trial], columns: Sequence[int], n_labels: int
) -> Iterator[Segment]:
    """The baseline before each clip, and the clip: two segments, since no file says how much time is between them."""
    with MatFile(path) as mat:
        for trial in trials:
            for part, of in (("baseline", None), ("stimuli", trial)):
                array = mat.read("DREAMER", "Data", subject, "EEG", part, trial.position)
                if not isinstance(array, np.ndarray) or array.ndim != 2 or array.shape[1] != n_labels:
                    asked = f"{part} {trial.position + 1} of subject {subject + 1} of DREAMER"
                    raise MoodError(asked, f"no array of samples × {n_labels} channels", DO)
                signal = array[:, columns].astype(np.float32)
                yield Segment((Span(0.0, len(signal) / SFREQ, of),), signal=signal)


READER = DreamerReader()

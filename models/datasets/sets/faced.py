"""FACED as its authors give it: the last 30 s of 28 clips of 123 subjects, processed, or differential entropy of it.

Page: https://doi.org/10.7303/syn50614194 (Synapse). Paper: Chen et al. (2023), A Large Finer-grained Affective
Computing EEG Dataset, Scientific Data 10:740, doi 10.1038/s41597-023-02650-w.

``Processed_data/subNNN.pkl`` (28 clips, 32 channels, 7500 samples at 250 Hz, µV; 0.05–47 Hz, eye components removed,
average reference) and ``EEG_Features/DE/subNNN.pkl.pkl`` (28, 32, 30 s, 5 bands 1–4–8–14–30–47 Hz); one ending or two,
both are read. The first 30 channels are EEG, the last two mastoids. Clips are **sorted by video index**, not in the
order in which they were played: that is in ``Data/subNNN/After_remarks.mat``, whose element i is the i-th clip played
(``vid``, 1 to 28) with the subject's twelve ratings (``score``, 0 to 7). Without that file a subject is left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from realtime_mood.errors import ConfigError, MoodError
from realtime_mood.montage import canonical_name
from realtime_mood.types import StreamInfo

from ..folders import is_simulated, unknown_layout
from ..guards import scale_factor
from ..matfiles import MatFile
from ..nets import labels_of
from ..refusing import readable
from ..restricted import load
from ..trials import DatasetInfo, Published, Recording, Segment, Span, Trial

CODES = {
    "anger": 3, "disgust": 3, "fear": 3, "sadness": 3, "neutral": 4, "amusement": 3, "inspiration": 3, "joy": 3,
    "tenderness": 3,
}  # fmt: skip
"""How many clips each emotion has, in the order of the video index."""
EMOTIONS = tuple(CODES)
BY_INDEX = tuple(emotion for emotion, n in CODES.items() for _ in range(n))
RATED = ("joy", "tenderness", "inspiration", "amusement", "anger", "disgust", "fear", "sadness", "arousal", "valence",
         "familiarity", "liking")  # fmt: skip
"""The ratings in the order of the files."""
SCALES = dict.fromkeys(RATED, (0.0, 7.0))
CHANNELS = labels_of(
    "FP1 FP2 FZ F3 F4 F7 F8 FC1 FC2 FC5 FC6 CZ C3 C4 T7 T8 CP1 CP2 CP5 CP6 PZ P3 P4 P7 P8 PO3 PO4 OZ O1 O2"
)
SFREQ, N_CLIPS, N_BANDS = 250.0, 28, 5
PUBLISHED = (
    Published("DAEST (2024)", "59.3 % (nine classes), 75.4 % (two)", "10 folds of subjects; running normalisation, LDS "
              "within each clip", "paper and code of DAEST", "yes"),
    Published("DAMSDAN (2025)", "82.88 %", "unlabelled data of the test subject are used in training",
              "arXiv 2510.17475", "unknown"),
)  # fmt: skip


def emotion_of(index: int) -> str:
    """The class of the clip with video index 1 to 28."""
    return BY_INDEX[index - 1]


def sign_of(index: int) -> str:
    """Whether that clip is meant to be negative, neutral or positive."""
    emotion = EMOTIONS.index(emotion_of(index))
    return "neutral" if emotion == 4 else "negative" if emotion < 4 else "positive"


class Faced:
    """Reads the pickles of FACED: signals where they are, else features."""

    info = DatasetInfo(
        name="faced",
        title="FACED (processed data, or features)",
        paper="Chen et al. (2023), A Large Finer-grained Affective Computing EEG Dataset, Scientific Data 10:740, "
        "doi 10.1038/s41597-023-02650-w",
        page="https://doi.org/10.7303/syn50614194",
        licence="CC BY 4.0 by its copy on NEMAR; on Synapse: for registered users, see its conditions of use",
        access="register at synapse.org, then: pip install synapseclient && synapse get -r syn50614194",
        layout="Processed_data/sub000.pkl … sub122.pkl\n"
        "EEG_Features/DE/sub000.pkl.pkl … sub122.pkl.pkl (if there is no Processed_data)\n"
        "Data/sub000/After_remarks.mat … sub122/After_remarks.mat",
        n_subjects=123,
        n_sessions=1,
        n_trials=N_CLIPS,
        labels=EMOTIONS,
        scales=SCALES,
        subjects=tuple(f"{i:03}" for i in range(123)),
        baseline="none",
        published=PUBLISHED,
    )

    def recordings(self, root: Path) -> Sequence[Recording]:
        """One of each subject whose data and playing order are there; see `DatasetReader`."""
        signals, features = (_files(root / folder) for folder in ("Processed_data", "EEG_Features/DE"))
        if not signals and not features:
            raise unknown_layout(self.info, root)
        files, read, window_s = (signals, _signal, 0.0) if signals else (features, _features, 1.0)
        remarks = {path.parent.name: path for path in root.rglob("After_remarks.mat")}
        if not remarks.keys() & files.keys():
            raise ConfigError(
                f"FACED in {root}", "no Data/subNNN/After_remarks.mat: the order in which clips were played is unknown",
                "download After_remarks.mat of each subject too",
            )  # fmt: skip
        names = tuple(canonical_name(label) or label for label in CHANNELS)
        info = StreamInfo(names, SFREQ, "FACED", "average", virtual=is_simulated(root))

        def recording(subject: str) -> Recording:
            trials = _played(remarks[subject])
            paths = (files[subject], remarks[subject])
            segments = partial(read, files[subject], trials)
            return Recording(subject.removeprefix("sub"), "1", info, trials, segments, paths, window_s)

        return readable({s.removeprefix("sub"): partial(recording, s) for s in sorted(files.keys() & remarks.keys())})


def _files(folder: Path) -> dict[str, Path]:
    """The file of each subject, whose name has one ending or two."""
    return {path.name.split(".")[0]: path for path in sorted(folder.glob("sub*.pkl*"))}


def _played(path: Path) -> tuple[Trial, ...]:
    """The clips of a subject with their ratings, in playing order."""
    asked = f"playing order of {path.parent.name}"
    with MatFile(path, asked) as file:
        node = file.read("After_remark")
        n = int(np.prod(getattr(node, "shape", (0,))))
        order = [(file.read("After_remark", i, "vid"), file.read("After_remark", i, "score")) for i in range(n)]
    try:
        indices = [int(np.asarray(vid).item()) for vid, _ in order]
        scores = np.array([np.asarray(score, float).ravel() for _, score in order])
    except (ValueError, TypeError):
        raise MoodError(asked, "After_remarks.mat holds no numbers", "download it again") from None
    if sorted(indices) != list(range(1, N_CLIPS + 1)) or scores.shape != (N_CLIPS, len(RATED)):
        found = f"clips {indices[:5]} … with {scores.shape[1:]} ratings; 28 different ones with 12 expected"
        raise MoodError(asked, found, "download After_remarks.mat again")
    rated = [{s: float(x) for s, x in zip(RATED, row, strict=True) if 0 <= x <= 7} for row in scores]
    played = enumerate(zip(indices, rated, strict=True))
    return tuple(Trial(i, f"clip{vid:02}", emotion_of(vid), score) for i, (vid, score) in played)


def _array(path: Path, n_axes: int) -> np.ndarray:
    """(28, 30, …): the clips by video index, and the channels that are EEG."""
    array = np.asarray(load(path, path.name))
    shape, last = array.shape, (N_BANDS,) if n_axes == 4 else ()
    if array.dtype.kind not in "fiu" or len(shape) != n_axes or (*shape[:2], *shape[3:]) != (N_CLIPS, 32, *last):
        found = f"an array of the shape {shape} and type {array.dtype}; {(N_CLIPS, 32, 'time', *last)} expected"
        raise MoodError(path.name, found[:200], "check that it is a file of FACED, and download it again")
    return array[:, : len(CHANNELS)]


def _signal(path: Path, trials: Sequence[Trial]) -> Iterator[Segment]:
    array = _array(path, 3)
    scale_factor(array[0].T, SFREQ, path.name)
    for trial in trials:
        signal = array[int(trial.stimulus[4:]) - 1].T.astype(np.float32)
        yield Segment((Span(0.0, len(signal) / SFREQ, trial),), signal)


def _features(path: Path, trials: Sequence[Trial]) -> Iterator[Segment]:
    array = _array(path, 4)
    for trial in trials:
        de = array[int(trial.stimulus[4:]) - 1].transpose(1, 0, 2).astype(np.float32)
        yield Segment((Span(0.0, float(len(de)), trial),), de=de)


READER = Faced()

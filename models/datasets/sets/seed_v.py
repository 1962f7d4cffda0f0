"""SEED-V: 16 subjects, three sessions of 15 different film clips; disgust, fear, sad, neutral and happy.

Page: https://bcmi.sjtu.edu.cn/home/seed/seed-v.html. Paper: Liu et al. 2022, doi 10.1109/TCDS.2021.3071170.

``EEG_DE_features/{subject}_123.npz`` hold ``data``, a pickled dict of the trials 0 to 44, each windows of 4 s × 310 (62
channels of 5 bands each), and ``label``, the class of each window; ``Eye_movement_features`` has the same for 33
features. ``EEG_raw/{subject}_{session}_{date}.cnt`` are recordings at 1000 Hz with four further channels, of which some
were repaired. A session's number says which clips were watched, not when: nine subjects have them in another order. It
is the number that gives labels and clips; recordings are in the order of dates where raw files state them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from realtime_mood.errors import MoodError

from ..folders import beside, find_folder, is_simulated, unknown_layout
from ..restricted import load_npz
from ..trials import DatasetInfo, Published, Recording, Segment, Trial
from . import bcmi

CODES = {
    "1": (4, 1, 3, 2, 0) * 3,
    "2": (2, 1, 3, 0, 4, 4, 0, 3, 2, 1, 3, 4, 1, 2, 0),
    "3": (2, 1, 3, 0, 4, 4, 0, 3, 2, 1, 3, 4, 1, 2, 0),
}
N_CLIPS = 15
WINDOW_S = 4.0
EYE_FEATURES = 33
FEATURES, EYES = "EEG_DE_features", "Eye_movement_features"
INFO = DatasetInfo(
    name="seed-v",
    title="SEED-V (features)",
    paper="Liu, Qiu, Zheng & Lu 2022, Comparing recognition performance and robustness of multimodal deep learning"
    " models for multimodal emotion recognition, IEEE Trans. Cogn. Dev. Syst. 14(2):715-729,"
    " doi 10.1109/TCDS.2021.3071170",
    page=bcmi.PAGE + "seed-v.html",
    licence=bcmi.LICENCE,
    access=bcmi.ACCESS,
    layout="EEG_DE_features/        1_123.npz … 16_123.npz\n"
    "Eye_movement_features/  the same names, if eye movements are needed",
    n_subjects=16,
    n_sessions=3,
    n_trials=N_CLIPS,
    labels=("disgust", "fear", "sad", "neutral", "happy"),
    baseline="neutral",
    raw=False,
    published=(
        Published("PL-DCP 2024", "61.3 %", "target unseen", "arXiv 2412.00082", "unknown"),
        Published("DAEST 2024", "73.6 %", "10 folds, features smoothed per clip", "github RunminGan1218/DAEST", "yes"),
    ),
)


class SeedVReader:
    """Reads the features of SEED-V."""

    info = INFO

    def recordings(self, root: Path) -> Sequence[Recording]:
        """Three recordings per file, one a session; see `DatasetReader`."""
        folder = find_folder(root, FEATURES)
        files = {int(it.stem[:-4]): it for it in folder.glob("*_123.npz") if it.stem[:-4].isdigit()} if folder else {}
        if not folder or not files:
            raise unknown_layout(INFO, root)
        eyes, raw, simulated = beside(folder, EYES), beside(folder, "EEG_raw"), is_simulated(folder)
        dates = {key: date for key, (date, _) in raw_files(raw).items()} if raw else {}
        found = []
        for subject, path in sorted(files.items()):
            eye, notes = eyes / path.name if eyes else None, [bcmi.MONTAGE.note]
            if not eye or not eye.is_file():
                eye = None
                notes.append(f"no eye movements: {EYES}/{path.name} is missing")
            order = sorted(CODES, key=lambda s: dates.get((subject, s), 0))
            if any((subject, s) not in dates for s in CODES):
                order = list(CODES)
                notes.append(
                    "sessions are in the order of their numbers: raw files, whose names have dates, are missing"
                )
            for session in order:
                trials = trials_of(session)
                info = bcmi.stream(f"SEED-V {subject}, session {session}", simulated=simulated)
                read = partial(_segments, path, eye, int(session) - 1, trials)
                both = (path, eye) if eye else (path,)
                found.append(Recording(str(subject), session, info, trials, read, both, WINDOW_S, tuple(notes)))
        return found


def trials_of(session: str) -> tuple[Trial, ...]:
    """The trials of the session of this number."""
    return bcmi.trials_of(CODES[session], INFO.labels, [f"{session}-{k + 1}" for k in range(N_CLIPS)])


def raw_files(folder: Path) -> dict[tuple[int, str], tuple[int, Path]]:
    """Date and raw file by subject and session; where a repaired file lies beside the original one, it is taken."""
    found: dict[tuple[int, str], tuple[int, Path]] = {}
    for path in sorted(folder.iterdir()):  # x.cnt comes before x_repaired.cnt
        if name := re.fullmatch(r"(\d+)_([123])_(\d{8})(_repaired)?\.cnt", path.name):
            found[int(name[1]), name[2]] = (int(name[3]), path)
    return found


def _segments(path: Path, eye: Path | None, session: int, trials: Sequence[Trial]) -> Iterator[Segment]:
    """One segment a trial; the classes of its windows must be those of the session."""
    content = load_npz(path, path.name)
    data, label = (_trials(content.get(key), f"{key} of {path.name}") for key in ("data", "label"))
    seen = _trials(load_npz(eye, f"{EYES}/{eye.name}").get("data"), f"data of {EYES}/{eye.name}") if eye else None
    for trial in trials:
        key = session * N_CLIPS + trial.position
        asked = f"trial {key} of {path.name}"
        de, code = np.asarray(data[key]), CODES[str(session + 1)][trial.position]
        if de.ndim != 2 or de.shape[1] != len(bcmi.CHANNELS) * bcmi.BANDS or not np.issubdtype(de.dtype, np.floating):
            raise MoodError(asked, f"an array of shape {de.shape}; windows × 310 expected", bcmi.DO)
        if set(np.ravel(label[key]).tolist()) != {code}:
            raise MoodError(asked, f"windows labelled {_shown(label[key])}; the clip's class is {code}", bcmi.DO)
        eyes = None if seen is None else np.asarray(seen[key])
        if eyes is not None and (eyes.ndim != 2 or eyes.shape[1] != EYE_FEATURES):
            raise MoodError(
                f"eye movements of {asked}", f"an array of shape {eyes.shape}; windows × 33 expected", bcmi.DO
            )
        yield bcmi.feature_segment(trial, de.reshape(len(de), len(bcmi.CHANNELS), bcmi.BANDS), eyes, WINDOW_S)


def _shown(label: object) -> str:
    return ", ".join(str(value) for value in sorted(set(np.ravel(np.asarray(label)).tolist()), key=str))[:40]


def _trials(value: object, asked: str) -> dict[int, np.ndarray]:
    wanted = N_CLIPS * INFO.n_sessions
    if not isinstance(value, dict) or set(value) != set(range(wanted)):
        found = f"{len(value)} trials" if isinstance(value, dict) else "no trials"
        raise MoodError(asked, f"{found}; {wanted} expected, numbered from 0", bcmi.DO)
    return value


READER = SeedVReader()

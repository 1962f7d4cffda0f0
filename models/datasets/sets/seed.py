"""SEED: 15 subjects watch the same 15 film clips in three sessions; negative, neutral and positive.

Page: https://bcmi.sjtu.edu.cn/home/seed/seed.html. Paper: Zheng & Lu 2015, doi 10.1109/TAMD.2015.2431497.

``Preprocessed_EEG/{subject}_{date}.mat`` (45 files) hold ``{initials}_eeg1`` to ``_eeg15``, 62 channels × samples at
200 Hz, 0–75 Hz; ``ExtractedFeatures`` holds the same files with ``de_LDS1`` to ``de_LDS15``, 62 × windows of 1 s × 5
bands (and other features). ``label.mat`` in either folder has the classes, -1, 0 and 1, the same in every session. The
date gives the order of sessions. The features were smoothed over each clip by a linear dynamical system that runs
backwards too, so each window also holds what comes after it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from realtime_mood.errors import MoodError

from ..folders import find_folder, is_simulated, unknown_layout
from ..matfiles import MatFile
from ..trials import DatasetInfo, Published, Recording
from . import bcmi

CODES = (1, 0, -1, -1, 0, 1, -1, 0, 1, 1, 0, -1, 0, 1, -1)
STIMULI = tuple(str(i + 1) for i in range(len(CODES)))
FEATURE_FOLDERS = ("ExtractedFeatures", "Extracted_Features")
INFO = DatasetInfo(
    name="seed",
    title="SEED (SJTU Emotion EEG Dataset)",
    paper="Zheng & Lu 2015, Investigating critical frequency bands and channels for EEG-based emotion recognition with"
    " deep neural networks, IEEE Trans. Auton. Ment. Dev. 7(3):162-175, doi 10.1109/TAMD.2015.2431497",
    page=bcmi.PAGE + "seed.html",
    licence=bcmi.LICENCE,
    access=bcmi.ACCESS,
    layout="Preprocessed_EEG/   1_20131027.mat … (45 files) and label.mat: signals, read if present\n"
    "ExtractedFeatures/  the same names: features; give this folder to read them instead",
    n_subjects=15,
    n_sessions=3,
    n_trials=15,
    labels=("negative", "neutral", "positive"),
    baseline="neutral",
    smoothed=True,
    published=(
        Published("MS-MDA", "64.0 %", "9/3/3 subjects", "github XJTU-EEG/LibEER", "no"),
        Published("PL-DCP 2024", "82.9 %", "target unseen", "arXiv 2412.00082", "unknown"),
        Published("Normalisation only, Apicella 2023", "81.5 ± 7.3 %", "target statistics used",
                  "https://www.iris.unina.it/handle/11588/916819", "unknown"),
        Published("MS-MDA, authors' rerun", "82.7 ± 9.5 %", "leave one subject out, transductive",
                  "github VoiceBeer/MS-MDA", "yes"),
        Published("DAEST 2024", "88.1 %", "10 folds, features smoothed per clip", "github RunminGan1218/DAEST", "yes"),
    ),
)  # fmt: skip


class SeedReader:
    """Reads SEED."""

    info = INFO

    def recordings(self, root: Path) -> Sequence[Recording]:
        """One recording per file; see `DatasetReader`."""
        raw, shipped = find_folder(root, "Preprocessed_EEG"), find_folder(root, *FEATURE_FOLDERS)
        folder = raw or shipped
        files = bcmi.dated(folder, r"(\d+)_(\d{8})\.mat") if folder else {}
        if not folder or not files:
            raise unknown_layout(INFO, root)
        window_s, pattern = (0.0, r".*eeg_?(\d+)") if raw else (1.0, r"de_LDS_?(\d+)")
        label, label_notes = _check_labels(folder)
        simulated = is_simulated(folder)
        trials = bcmi.trials_of(CODES, INFO.labels, STIMULI, first=-1)
        found = []
        for subject, dates in files.items():
            notes = (bcmi.MONTAGE.note, *label_notes)
            if len(dates) != INFO.n_sessions:
                notes += (f"{len(dates)} of {INFO.n_sessions} sessions; numbered by their dates",)
            for session, (_date, path) in enumerate(dates, 1):
                read = bcmi.reading(bcmi.Variables(path, pattern, len(CODES)), trials, window_s)
                info = bcmi.stream(f"SEED {subject}, session {session}", simulated=simulated)
                files_read = (path, *label)
                found.append(Recording(str(subject), str(session), info, trials, read, files_read, window_s, notes))
        return found


def _check_labels(folder: Path) -> tuple[tuple[Path, ...], tuple[str, ...]]:
    """The file of the classes, and notes; it must not contradict the order of clips that is known.

    Raises
    ------
    MoodError
        It does.
    """
    path = folder / "label.mat"
    if not path.is_file():
        return (), ("label.mat is missing: the published order of classes is used",)
    with MatFile(path, "label.mat") as mat:
        values = mat.read("label")
    found = values.ravel().tolist() if isinstance(values, np.ndarray) else []
    if found != list(CODES):
        shown = ", ".join(f"{v:g}" for v in found[:15])
        raise MoodError("labels of SEED in label.mat", f"{shown}; the set has {', '.join(map(str, CODES))}", bcmi.DO)
    return (path,), ()


READER = SeedReader()

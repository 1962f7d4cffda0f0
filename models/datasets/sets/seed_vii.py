"""SEED-VII: 20 subjects, four sessions of 20 film clips; six emotions and neutral.

Page: https://bcmi.sjtu.edu.cn/home/seed/seed-vii.html. Paper: Jiang et al. 2025, doi 10.1109/TAFFC.2024.3485057.

``EEG_preprocessed/{1..20}.mat`` hold the variables ``1`` to ``80``, 62 channels × samples at 200 Hz, 0.1–70 Hz, 50 Hz
removed; ``EEG_features`` has the same files with ``de_LDS_1`` to ``de_LDS_80``, windows × 5 bands × 62 channels, unlike
the older sets. Trials 1–20 are those of session 1, and so on. The classes are those of
``emotion_label_and_stimuli_order.xlsx``, the same for all subjects. Windows are taken to last 4 s, as in SEED-IV and
SEED-V; no file says so. Continuous ratings and eye movements are not read.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from ..folders import find_folder, is_simulated, unknown_layout
from ..trials import DatasetInfo, Recording
from . import bcmi

CODES = {
    "1": (4, 3, 0, 2, 5, 5, 2, 0, 3, 4) * 2,
    "2": (5, 2, 1, 3, 6, 6, 3, 1, 2, 5) * 2,
    "3": (4, 6, 0, 1, 5, 5, 1, 0, 6, 4) * 2,
    "4": (0, 2, 1, 6, 4, 4, 6, 1, 2, 0) * 2,
}
WINDOW_S = 4.0
INFO = DatasetInfo(
    name="seed-vii",
    title="SEED-VII",
    paper="Jiang, Liu, Zheng & Lu 2025, SEED-VII: a multimodal dataset of six basic emotions with continuous labels for"
    " emotion recognition, IEEE Trans. Affect. Comput. 16(2):969-985, doi 10.1109/TAFFC.2024.3485057",
    page=bcmi.PAGE + "seed-vii.html",
    licence=bcmi.LICENCE,
    access=bcmi.ACCESS,
    layout="EEG_preprocessed/  1.mat … 20.mat: signals, read if present\n"
    "EEG_features/      the same names: features; give this folder to read them instead",
    n_subjects=20,
    n_sessions=4,
    n_trials=20,
    labels=("disgust", "fear", "sad", "neutral", "happy", "anger", "surprise"),
    baseline="neutral",
    smoothed=True,
)


class SeedViiReader:
    """Reads SEED-VII."""

    info = INFO

    def recordings(self, root: Path) -> Sequence[Recording]:
        """Four recordings per file, one a session; see `DatasetReader`."""
        raw, shipped = find_folder(root, "EEG_preprocessed"), find_folder(root, "EEG_features")
        folder = raw or shipped
        files = {int(it.stem): it for it in folder.glob("*.mat") if re.fullmatch(r"\d+", it.stem)} if folder else {}
        if not folder or not files:
            raise unknown_layout(INFO, root)
        window_s, pattern = (0.0, r"(\d+)") if raw else (WINDOW_S, r"de_LDS_?(\d+)")
        simulated, total = is_simulated(folder), INFO.n_sessions * INFO.n_trials
        found = []
        for subject, path in sorted(files.items()):
            for number, (session, codes) in enumerate(CODES.items()):
                first = number * INFO.n_trials + 1
                trials = bcmi.trials_of(codes, INFO.labels, [str(first + k) for k in range(INFO.n_trials)])
                variables = bcmi.Variables(path, pattern, total, first)
                read = bcmi.reading(variables, trials, window_s, time_first=True)
                info = bcmi.stream(f"SEED-VII {subject}, session {session}", simulated=simulated)
                notes = (bcmi.MONTAGE.note,)
                found.append(Recording(str(subject), session, info, trials, read, (path,), window_s, notes))
        return found


READER = SeedViiReader()

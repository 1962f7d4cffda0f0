"""SEED-IV: 15 subjects, three sessions of 24 different film clips; neutral, sad, fear and happy.

Page: https://bcmi.sjtu.edu.cn/home/seed/seed-iv.html. Paper: Zheng et al. 2019, doi 10.1109/TCYB.2018.2797176.

``eeg_raw_data/{1,2,3}/{subject}_{date}.mat`` hold ``{initials}_eeg1`` to ``_eeg24``, 62 channels × samples at 200 Hz;
``eeg_feature_smooth`` has the same files with ``de_LDS1`` to ``de_LDS24``, 62 × windows of 4 s × 5 bands;
``eye_feature_smooth`` has ``eye_1`` to ``eye_24``, 31 features × windows: pupil diameter (12), dispersion (4), fixation
duration (2), saccades (4), event statistics (9). The folder 1, 2 or 3 is the session, each with its own clips, and
dates ascend with it. The smoothed features hold what comes after them, too.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from realtime_mood.errors import MoodError

from ..folders import beside, find_folder, is_simulated, unknown_layout
from ..trials import DatasetInfo, Published, Recording
from . import bcmi

CODES = {
    "1": (1, 2, 3, 0, 2, 0, 0, 1, 0, 1, 2, 1, 1, 1, 2, 3, 2, 2, 3, 3, 0, 3, 0, 3),
    "2": (2, 1, 3, 0, 0, 2, 0, 2, 3, 3, 2, 3, 2, 0, 1, 1, 2, 1, 0, 3, 0, 1, 3, 1),
    "3": (1, 2, 2, 1, 3, 3, 3, 1, 1, 2, 1, 0, 2, 3, 3, 0, 2, 3, 0, 0, 2, 0, 1, 0),
}
WINDOW_S = 4.0
EYE_FEATURES = 31
INFO = DatasetInfo(
    name="seed-iv",
    title="SEED-IV",
    paper="Zheng, Liu, Lu, Lu & Cichocki 2019, EmotionMeter: a multimodal framework for recognizing human emotions,"
    " IEEE Trans. Cybern. 49(3):1110-1122, doi 10.1109/TCYB.2018.2797176",
    page=bcmi.PAGE + "seed-iv.html",
    licence=bcmi.LICENCE,
    access=bcmi.ACCESS,
    layout="eeg_raw_data/        1/ 2/ 3/ with 1_20160518.mat …: signals, read if present\n"
    "eeg_feature_smooth/  the same names: features; give this folder to read them instead\n"
    "eye_feature_smooth/  the same names: eye movements, read beside the features",
    n_subjects=15,
    n_sessions=3,
    n_trials=24,
    labels=("neutral", "sad", "fear", "happy"),
    baseline="neutral",
    smoothed=True,
    published=(
        Published("MS-MDA", "56.1 %", "9/3/3 subjects", "github XJTU-EEG/LibEER", "no"),
        Published("PL-DCP 2024", "65.2 %", "target unseen", "arXiv 2412.00082", "unknown"),
        Published("MS-MDA, authors' rerun", "68.0 ± 11.9 %", "leave one subject out, transductive",
                  "github VoiceBeer/MS-MDA", "yes"),
        Published("EmotionCLIP 2025", "73.5 %", "cross-subject", "arXiv 2511.05293", "unknown"),
    ),
)  # fmt: skip


class SeedIvReader:
    """Reads SEED-IV."""

    info = INFO

    def recordings(self, root: Path) -> Sequence[Recording]:
        """One recording per file; see `DatasetReader`."""
        raw, shipped = find_folder(root, "eeg_raw_data"), find_folder(root, "eeg_feature_smooth")
        folder = raw or shipped
        files = (
            {s: bcmi.dated(folder / s, r"(\d+)_(\d{8})\.mat") for s in CODES if (folder / s).is_dir()} if folder else {}
        )
        if not folder or not any(files.values()):
            found = f"{folder.name} has no folders 1, 2 and 3 with files such as 1_20160518.mat" if folder else ""
            raise unknown_layout(INFO, root, found)
        eyes = beside(folder, "eye_feature_smooth") if shipped and not raw else None
        window_s, pattern = (0.0, r".*eeg_?(\d+)") if raw else (WINDOW_S, r"de_LDS_?(\d+)")
        found_recordings = []
        simulated = is_simulated(folder)
        for subject in sorted({subject for session in files.values() for subject in session}):
            _check_dates(subject, {s: files[s][subject][-1][0] for s in files if subject in files[s]})
            for session in (s for s in files if subject in files[s]):
                path, notes = files[session][subject][-1][1], (bcmi.MONTAGE.note,)
                trials = bcmi.trials_of(CODES[session], INFO.labels, [f"{session}-{k + 1}" for k in range(24)])
                eye, its_notes = _eye(eyes, session, path.name) if window_s else (None, ())
                variables = bcmi.Variables(path, pattern, INFO.n_trials)
                read = bcmi.reading(variables, trials, window_s, eye=eye)
                info = bcmi.stream(f"SEED-IV {subject}, session {session}", simulated=simulated)
                both = (path, eye.path) if eye else (path,)
                found_recordings.append(
                    Recording(str(subject), session, info, trials, read, both, window_s, notes + its_notes)
                )
        return found_recordings


def _eye(folder: Path | None, session: str, name: str) -> tuple[bcmi.Variables | None, tuple[str, ...]]:
    path = folder / session / name if folder else None
    if path is None or not path.is_file():
        return None, (f"no eye movements: eye_feature_smooth/{session}/{name} is missing",)
    return bcmi.Variables(path, r"eye_?(\d+)", INFO.n_trials, n_rows=EYE_FEATURES), ()


def _check_dates(subject: int, dates: dict[str, int]) -> None:
    """Sessions took place in the order of their folders: files of swapped folders would have the others' labels."""
    order = list(dates.values())
    if order != sorted(order):
        shown = ", ".join(f"{date} in folder {s}" for s, date in dates.items())
        found = f"files of subject {subject} lie in the wrong folders: {shown}"
        raise MoodError("sessions of SEED-IV", found, "sort them by date into 1, 2 and 3, or download them again")


READER = SeedIvReader()

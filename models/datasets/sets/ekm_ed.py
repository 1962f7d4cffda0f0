"""EKM-ED: some 45 people who watched film clips of anger, fear, happiness and sadness, with a Muse S.

Paper (EmoKey Moments EEG Dataset): Garcia-Moreno et al. (2025), Comput. Biol. Med. 184:109463, doi
10.1016/j.compbiomed.2024.109463. **Not confirmed**: this citation, its DOI and the licence come from second hand, and
no page of the data set was found; check them before you cite. The layout was not compared with a download.

Below ``muse_wearable_data/preprocessed/clean-signals/0.0078125S/{id}/`` stand ``ANGER.csv``, ``FEAR.csv``,
``HAPPINESS.csv``, ``SADNESS.csv`` and ``NEUTRAL_….csv``: 128 Hz, columns RAW_TP9 RAW_AF7 RAW_AF8 RAW_TP10 in µV. The
order of the clips is in a text ``order`` of the subject's folder below ``raw`` (``HAPPINESS,SADNESS,ANGER,FEAR``); a
neutral clip named after an emotion is taken to come before it. Without that text the order is unknown, which a note
says. Valence and arousal (SAM, 1 to 9) are in a table of the questionnaires.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from realtime_mood.types import StreamInfo

from ..bids import text_of_sidecar
from ..folders import is_simulated, unknown_layout
from ..nets import labels_of
from ..signals import table_segments
from ..tables import ratings, rows
from ..trials import DatasetInfo, Recording, Trial

EMOTIONS = ("anger", "fear", "happiness", "sadness", "neutral")
CHANNELS = labels_of("TP9 AF7 AF8 TP10")
SFREQ = 128.0
SCALES = {"valence": (1.0, 9.0), "arousal": (1.0, 9.0)}
SIGNALS = "clean-signals/0.0078125S"
SAM = "Ficha_Evaluacion_Participante_SAM_Refactored.csv"


class EkmEd:
    """Reads EKM-ED."""

    info = DatasetInfo(
        name="ekm-ed",
        title="EKM-ED: EmoKey Moments",
        paper="Garcia-Moreno et al. (2025), Comput. Biol. Med. 184:109463, doi 10.1016/j.compbiomed.2024.109463 "
        "(not confirmed: check it before you cite)",
        page="https://doi.org/10.1016/j.compbiomed.2024.109463 (not confirmed)",
        licence="not confirmed; see the page of the data set",
        access="search for 'EmoKey Moments EEG Dataset (EKM-ED)' and download it",
        layout="muse_wearable_data/preprocessed/clean-signals/0.0078125S/1 … /ANGER.csv …\n"
        "muse_wearable_data/raw/1 … /order.txt\n"
        f"questionnaires/preprocessed/{SAM}",
        n_subjects=45,
        n_sessions=1,
        n_trials=8,
        labels=EMOTIONS,
        scales=SCALES,
        baseline="neutral",
    )

    def recordings(self, root: Path) -> Sequence[Recording]:
        """One of each subject; see `DatasetReader`."""
        folders = {path.parent for path in root.rglob("*.csv") if path.parent.parent.match(SIGNALS)}
        if not folders:
            raise unknown_layout(self.info, root)
        tables = sorted(root.rglob(SAM))
        rated: dict[tuple[str, str], dict[str, float]] = {}
        for row in rows(tables[0], ",", ("ID", "VALENCE", "AROUSAL", "EMOTION")) if tables else []:
            plain = {key.lower(): value for key, value in row.items()}
            rated[plain["id"].split(".")[0], plain["emotion"].upper()] = ratings(plain, tuple(SCALES), 1, 9)
        orders = {path.parent.name: path for path in sorted(root.rglob("order*")) if path.is_file()}
        info = StreamInfo(CHANNELS, SFREQ, "EKM-ED", virtual=is_simulated(root))
        ordered = sorted(folders, key=lambda f: (len(f.name), f.name))
        return [_recording(folder, orders.get(folder.name), tables[:1], rated, info) for folder in ordered]


def _recording(
    folder: Path,
    order: Path | None,
    table: Sequence[Path],
    rated: dict[tuple[str, str], dict[str, float]],
    info: StreamInfo,
) -> Recording:
    clips = {path.stem.upper(): path for path in sorted(folder.glob("*.csv"))}
    clips = {name: path for name, path in clips.items() if _emotion(name) in EMOTIONS}
    played = re.findall(r"[A-Z]+", text_of_sidecar(order).upper()) if order else []

    def place(name: str) -> tuple[int, bool, str]:
        emotion = name.removeprefix("NEUTRAL_")
        return played.index(emotion) if emotion in played else len(played), not name.startswith("NEUTRAL"), name

    names = sorted(clips, key=place)
    trials = tuple(
        Trial(i, name.lower(), _emotion(name), rated.get((folder.name, name), {})) for i, name in enumerate(names)
    )
    files = tuple(clips[name] for name in names)
    known = {name.removeprefix("NEUTRAL_") for name in names} <= set(played)
    notes = () if known else ("the order in which clips were played is not known for all of them",)
    more = (*table, *([order] if order else []))
    read = partial(table_segments, files, trials, [f"RAW_{name}" for name in CHANNELS], SFREQ)
    return Recording(folder.name, "1", info, trials, read, (*files, *more), notes=notes)


def _emotion(name: str) -> str:
    return name.split("_")[0].lower()


READER = EkmEd()

"""GAMEEMO: 28 people who played four computer games of five minutes, with an EPOC.

Page: https://www.kaggle.com/datasets/sigfest/database-for-emotion-recognition-system-gameemo. Paper: Alakus, Gonen &
Turkoglu (2020), Database for an emotion recognition system based on EEG signals and various computer games – GAMEEMO,
Biomed. Signal Process. Control 60:101951, doi 10.1016/j.bspc.2020.101951.

``GAMEEMO/(S01)/{Raw EEG Data,Preprocessed EEG Data}/.csv format/S01G1AllRawChannels.csv`` or ``…AllChannels.csv``: some
raw folders hold the other name. Columns are 14 electrodes in alphabetical order, 128 Hz, µV. The games are boring (G1),
calm (G2), frightening (G3) and funny (G4); that they were played in this order is assumed. Raw signals are taken where
they are. **In copies of this set in public repositories subjects k and k + 14 are nearly the same recording** (ten
pairs): groups from `models.datasets.guards.duplicate_groups` have to stay together in a split.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from realtime_mood.types import StreamInfo

from ..folders import is_simulated, unknown_layout
from ..nets import labels_of
from ..signals import table_segments
from ..trials import DatasetInfo, Recording, Trial

GAMES = {"G1": "boring", "G2": "calm", "G3": "horror", "G4": "funny"}
CHANNELS = labels_of("AF3 AF4 F3 F4 F7 F8 FC5 FC6 O1 O2 P7 P8 T7 T8")
SFREQ = 128.0
NAME = re.compile(r"(S\d\d)(G[1-4])All(Raw)?Channels\.csv")


class GameEmo:
    """Reads GAMEEMO."""

    info = DatasetInfo(
        name="gameemo",
        title="GAMEEMO: emotions from games",
        paper="Alakus, Gonen & Turkoglu (2020), Database for an emotion recognition system based on EEG signals and "
        "various computer games – GAMEEMO, Biomed. Signal Process. Control 60:101951, doi 10.1016/j.bspc.2020.101951",
        page="https://www.kaggle.com/datasets/sigfest/database-for-emotion-recognition-system-gameemo",
        licence="not stated; see the page",
        access="pip install kaggle && kaggle datasets download sigfest/database-for-emotion-recognition-system-gameemo",
        layout="GAMEEMO/(S01) … (S28)/Raw EEG Data/.csv format/S01G1AllRawChannels.csv\n"
        "GAMEEMO/(S01) … (S28)/Preprocessed EEG Data/.csv format/S01G1AllChannels.csv",
        n_subjects=28,
        n_sessions=1,
        n_trials=4,
        labels=tuple(GAMES.values()),
        subjects=tuple(f"S{i:02}" for i in range(1, 29)),
        baseline="none",
    )

    def recordings(self, root: Path) -> Sequence[Recording]:
        """One of each subject; see `DatasetReader`."""
        by_subject: dict[str, dict[str, list[Path]]] = {}
        for path in sorted(root.rglob("S*G*Channels.csv")):
            if match := NAME.fullmatch(path.name):
                by_subject.setdefault(match[1], {}).setdefault(match[2], []).append(path)
        if not by_subject:
            raise unknown_layout(self.info, root)
        info = StreamInfo(CHANNELS, SFREQ, "GAMEEMO", virtual=is_simulated(root))
        return [_recording(subject, games, info) for subject, games in sorted(by_subject.items())]


def _recording(subject: str, games: dict[str, list[Path]], info: StreamInfo) -> Recording:
    chosen = {game: _raw_first(paths) for game, paths in sorted(games.items())}
    trials = tuple(Trial(i, game, GAMES[game]) for i, game in enumerate(chosen))
    files = tuple(chosen.values())
    kinds = {path.parts[-3] for path in files}
    notes = ("raw and preprocessed signals mixed: some games are there as one of them only",) if len(kinds) > 1 else ()
    read = partial(table_segments, files, trials, CHANNELS, SFREQ)
    return Recording(subject, "1", info, trials, read, files, notes=notes)


def _raw_first(paths: Sequence[Path]) -> Path:
    return min(paths, key=lambda path: ("Raw" not in path.parts[-3], str(path)))


READER = GameEmo()

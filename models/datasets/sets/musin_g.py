"""MUSIN-G: 20 people who listened to twelve songs of different genres with eyes closed, with 128 electrodes.

Page: https://openneuro.org/datasets/ds003774, doi 10.18112/openneuro.ds003774.v1.0.0. CC0.

``sub-001/ses-SS/eeg/sub-001_ses-SS_task-MusicListening_run-R_{eeg.set,eeg.json,channels.tsv,…}``: a session is a song
by its number, a file of some two minutes, 250 or 1000 Hz, EGI's net against Cz (E129). **Each ``events.tsv`` lists the
whole recording session**, so that most of its events lie outside the file it stands beside: they are not used, and a
song is the whole of its file. Songs are in the order of their numbers; in which order they were played is not said.
Familiarity and enjoyment (1 the most, 5 the least) are not in the tables: there are no labels.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from realtime_mood.types import StreamInfo

from ..folders import is_simulated, unknown_layout
from ..nets import hydrocel_sites
from ..signals import RawSignal, segments_of
from ..tables import number, rows, sidecar
from ..trials import DatasetInfo, Recording, Span, Trial

NOTE = "the order in which songs were played is not known; they are in the order of their numbers"


class MusinG:
    """Reads ds003774."""

    info = DatasetInfo(
        name="musin-g",
        title="MUSIN-G: music listening by genre (ds003774)",
        paper="Miyapuram et al., Music Listening – Genre EEG dataset (MUSIN-G), doi 10.18112/openneuro.ds003774.v1.0.0",
        page="https://openneuro.org/datasets/ds003774",
        licence="CC0",
        access="pip install openneuro-py && openneuro-py download --dataset=ds003774 --target-dir=DIR",
        layout="sub-001/ses-01/eeg/sub-001_ses-01_task-MusicListening_run-1_eeg.set",
        n_subjects=20,
        n_sessions=1,
        n_trials=12,
        subjects=tuple(f"{i:03}" for i in range(1, 21)),
        baseline="none",
    )

    def recordings(self, root: Path) -> Sequence[Recording]:
        """One of each subject, or one of each rate where a subject's files have two; see `DatasetReader`."""
        signals = sorted(root.glob("sub-*/ses-*/eeg/*_task-MusicListening_run-*_eeg.set"))
        if not signals:
            raise unknown_layout(self.info, root)
        grouped: dict[str, dict[tuple[tuple[str, ...], float], list[Path]]] = {}
        for path in signals:
            tables = path.with_name(path.name.replace("_eeg.set", "_channels.tsv"))
            if path.exists() and tables.exists():
                labels = tuple(row["name"] for row in rows(tables, needs=("name",)))
                sfreq = number(str(sidecar(path.with_suffix(".json")).get("SamplingFrequency", "")))
                grouped.setdefault(path.name.split("_")[0], {}).setdefault((labels, sfreq), []).append(path)
        return [
            _recording(subject, session, labels, sfreq, paths, is_simulated(root))
            for subject, kinds in grouped.items()
            for session, ((labels, sfreq), paths) in enumerate(kinds.items(), 1)
        ]


def _recording(
    subject: str, session: int, labels: Sequence[str], sfreq: float, paths: Sequence[Path], simulated: bool
) -> Recording:
    sites = hydrocel_sites(labels)
    info = StreamInfo(tuple(filter(None, sites)), sfreq, "MUSIN-G", "Cz", virtual=simulated)
    sources = [RawSignal(path, tuple(site or "-" for site in sites), reference="Cz") for path in paths]
    songs = [path.parts[-3].removeprefix("ses-") for path in paths]
    trials = tuple(Trial(i, f"song{song}") for i, song in enumerate(songs))
    parts = [(source, [Span(0.0, math.inf, trial)]) for source, trial in zip(sources, trials, strict=True)]
    files = tuple(file for path in paths for file in (path, path.with_suffix(".fdt")) if file.exists())
    read = partial(segments_of, parts, info)
    return Recording(subject.removeprefix("sub-"), str(session), info, trials, read, files, notes=(NOTE,))


READER = MusinG()

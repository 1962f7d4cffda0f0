"""DEAP as recorded: BioSemi files of whole sessions, cut at the codes of their status channel.

Page, paper and ratings are those of `deap`. ``data_original/s01.bdf`` … ``s32.bdf``: 32 EEG channels at 512 Hz first,
then others, and the status last. s01–s22 were recorded in Twente, s23–s32 in Geneva, with channels in another order; in
some of the latter the status has no label and holds further bits, so that only its lowest eight are looked at. Its
codes [1]_: 1 first at the start, then at the beginning of two minutes of rest, then at each rating; 2 a screen before
the first video; 3 the 5 s before a video; 4 its beginning; 5 its end. Videos follow one another in the order of
``participant_ratings.csv``, which is needed.

References
----------
.. [1] The set's own description, https://www.eecs.qmul.ac.uk/mmv/datasets/deap/readme.html.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from realtime_mood.errors import MoodError
from realtime_mood.montage import canonical_name
from realtime_mood.sources.playback import translated
from realtime_mood.sources.recordings.opening import open_raw
from realtime_mood.types import StreamInfo

from ..folders import find_folder, is_simulated, unknown_layout
from ..signals import LEAD_S
from ..trials import DatasetInfo, Recording, Segment, Span, Trial
from . import deap
from .deap_ratings import FILE, N_VIDEOS, read_ratings, trials_of

TWENTE = (  # noqa: SIM905
    "Fp1 AF3 F7 F3 FC1 FC5 T7 C3 CP1 CP5 P7 P3 Pz PO3 O1 Oz O2 PO4 P4 P8 CP6 CP2 C4 T8 FC6 FC2 F4 F8 AF4 Fp2 Fz Cz"
).split()
LAST_OF_TWENTE = 22
REST, SYNCHRONISATION, FIXATION, VIDEO, AFTER = 1, 2, 3, 4, 5
REST_S, VIDEO_S, LONGEST_S = 120.0, 60.0, 75.0
DO = "download it again, from data_original.zip"
INFO: DatasetInfo = replace(
    deap.INFO,
    name="deap-raw",
    title="DEAP (recordings)",
    layout=f"data_original/                        s01.bdf … s32.bdf\nmetadata_csv/{FILE}  needed",
    baseline="rest",
)


class DeapRawReader:
    """Reads the recordings of DEAP."""

    info = INFO

    def recordings(self, root: Path) -> Sequence[Recording]:
        """One recording per subject; see `DatasetReader`."""
        folder = find_folder(root, "data_original") or root
        files = sorted(folder.glob("s[0-9][0-9].bdf")) if folder.is_dir() else []
        if not files:
            raise unknown_layout(INFO, root)
        ratings, path_of_ratings = read_ratings(folder)
        if path_of_ratings is None:
            raise unknown_layout(INFO, root, f"{FILE} is missing: which video was played when is unknown without it")
        simulated, found = is_simulated(folder), []
        for path in files:
            subject = int(path.stem[1:])
            if subject not in ratings:
                raise MoodError(f"ratings of {path.name}", f"{FILE} has no subject {subject}", "download it again")
            trials = trials_of(ratings[subject])
            raw = _open(path)
            names, notes = _names(raw.ch_names, subject)
            sfreq = float(raw.info["sfreq"])
            info = StreamInfo(names, sfreq, f"DEAP {subject}", "CMS", virtual=simulated)
            read = partial(_segments, path, names, trials)
            found.append(Recording(str(subject), "1", info, trials, read, (path, path_of_ratings), notes=notes))
        return found


def _open(path: Path) -> Any:
    with translated(path.name):
        raw = open_raw(path, path.name, stim_channel=-1, encoding="latin-1")[0]
    if len(raw.ch_names) <= len(TWENTE):
        raise MoodError(path.name, f"{len(raw.ch_names)} channels; 32 of EEG and more expected", DO)
    return raw


def _names(labels: Sequence[str], subject: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The electrodes of the first 32 channels, and notes: by label, or in the order of the subject's laboratory."""
    named = [canonical_name(label) or "" for label in labels[: len(TWENTE)]]
    if sorted(named) == sorted(TWENTE):
        return tuple(named), ()
    place, order = ("Twente", TWENTE) if subject <= LAST_OF_TWENTE else ("Geneva", deap.CHANNELS)
    return tuple(order), (f"labels do not name the electrodes: they are taken to be in the order of {place}",)


def _onsets(status: np.ndarray, code: int) -> list[int]:
    """Samples at which the status begins to be `code`, in its lowest eight bits."""
    is_code = (status.astype(np.int64) & 0xFF) == code
    return [int(at) for at in np.flatnonzero(is_code & ~np.concatenate([[False], is_code[:-1]]))]


def _segments(path: Path, names: Sequence[str], trials: Sequence[Trial]) -> Iterator[Segment]:
    """The two minutes of rest, then a segment per video, with some seconds before it."""
    raw = _open(path)
    sfreq, picks = float(raw.info["sfreq"]), list(range(len(names)))

    def signal(first: int, end: int) -> np.ndarray:
        with translated(path.name):
            return np.asarray(raw.get_data(picks, first, end).T * 1e6, np.float32)

    with translated(path.name):
        status = raw.get_data([len(raw.ch_names) - 1])[0]
    videos, ones = _onsets(status, VIDEO), _onsets(status, REST)
    if len(videos) != N_VIDEOS:
        raise MoodError(path.name, f"{len(videos)} beginnings of videos (code {VIDEO}); {N_VIDEOS} expected", DO)
    if len(ones) > 1 and ones[1] < videos[0]:
        first = ones[1]
        end = _next(status, (SYNCHRONISATION, FIXATION, VIDEO), first, first + round(REST_S * sfreq))
        yield Segment((Span(0.0, (end - first) / sfreq),), signal(first, end))
    for start, trial in zip(videos, trials, strict=True):
        end = _next(status, (AFTER,), start, start + round(LONGEST_S * sfreq))
        end = end if end < start + round(LONGEST_S * sfreq) else start + round(VIDEO_S * sfreq)
        if end > raw.n_times:
            raise MoodError(path.name, f"it ends within video {trial.position + 1} of {N_VIDEOS}", DO)
        first = max(0, start - round(LEAD_S * sfreq))
        span = Span((start - first) / sfreq, (end - first) / sfreq, trial)
        yield Segment((span,), signal(first, end))


def _next(status: np.ndarray, codes: Sequence[int], first: int, latest: int) -> int:
    """The first sample after `first` at which one of the codes begins, `latest` at the latest."""
    later = [at for code in codes for at in _onsets(status, code) if at > first]
    return min([latest, *later])


READER = DeapRawReader()

"""DASPS: 23 anxious people who listened to six frightening situations and then imagined them, with an EPOC.

Page: https://ieee-dataport.org/open-access/dasps-database, doi 10.21227/barx-we60. Paper: Baghdadi et al. (2021),
Psychological stimulation for anxious states detection based on EEG-related features, J. Ambient Intell. Humaniz.
Comput. 12. Ratings of valence and arousal (1 to 9), one of each situation.

``Raw data.mat/S01.mat`` and ``Preprocessed data .mat/S01preprocessed.mat`` hold the **same** signals: `data` (14
channels, 1920 samples at 128 Hz, 12 parts: listen and imagine, 15 s each, of six situations), 4–45 Hz, artefacts
removed. `labels` of the former has two rows, valence and arousal, each value twice. Only the EDF files are raw: without
events, seven channels with a gain of 1/95 µV whose 16-bit numbers **wrap every 689.9 µV**, which is undone here, and
situation i at i times 45 s (39 to 40 s for eight subjects). **Their headers hold the subjects' names**: nothing of
them is kept. An archive (`models.datasets.archives`) has the EDF signals, unwrapped, and the ratings. No rest.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from realtime_mood.errors import ConfigError, MoodError
from realtime_mood.types import StreamInfo

from ..archives import Archive
from ..folders import is_simulated, unknown_layout
from ..guards import check_spans, scale_factor
from ..matfiles import MatFile
from ..nets import labels_of
from ..refusing import readable
from ..signals import RawSignal
from ..trials import DatasetInfo, Recording, Segment, Span, Trial

CHANNELS = labels_of("AF3 F7 F3 FC5 T7 P7 O1 O2 P8 T8 FC6 F4 F8 AF4")
SFREQ, PART_S, N_SITUATIONS = 128.0, 15.0, 6
PARTS = ("listen", "imagine")
USUAL_S = 45.0
PERIODS_S = {"03": 39.5, "04": 39.5, "07": 39.5, "15": 39.5, "11": 40.0, "13": 40.0, "18": 40.0, "12": 39.0}
"""From one situation to the next, where that is not `USUAL_S`; found by comparing the cut parts with the EDF files."""
WRAPPED = ("F7", "FC5", "P7", "O2", "T8", "F4", "AF4")
PERIOD_UV = 65536 / 95
"""The numbers of these channels wrap at this."""
SCALES = {"valence": (1.0, 9.0), "arousal": (1.0, 9.0)}


class Dasps:
    """Reads DASPS from EDF and MATLAB files, MATLAB files alone, or an archive."""

    info = DatasetInfo(
        name="dasps",
        title="DASPS: anxious states",
        paper="Baghdadi et al. (2021), Psychological stimulation for anxious states detection based on EEG-related "
        "features, J. Ambient Intell. Humaniz. Comput. 12 (arXiv 1901.02942); data set: doi 10.21227/barx-we60",
        page="https://ieee-dataport.org/open-access/dasps-database",
        licence="open access; no licence text seen: test and evaluate, ship nothing that was trained on it",
        access="log in at ieee-dataport.org and download DASPS_Database.zip",
        layout="S01.mat … S23.mat, in 'Raw data.mat': ratings, needed\n"
        "S01.edf … S23.edf, in 'Raw data .edf': the only raw signals, read if present\n"
        "dasps_epoc_128hz.npz in place of both",
        n_subjects=23,
        n_sessions=1,
        n_trials=12,
        labels=PARTS,
        scales=SCALES,
        high_from={"valence": 3.0, "arousal": 6.0},
        subjects=tuple(f"S{i:02}" for i in range(1, 24)),
        baseline="none",
        labels_mean="what the subject was asked to do",
    )

    def recordings(self, root: Path) -> Sequence[Recording]:
        """One of each subject; see `DatasetReader`."""
        tables = {path.stem[1:3]: path for path in sorted(root.rglob("S[0-9][0-9].mat"))} if root.is_dir() else {}
        if tables:
            edf = {path.stem[1:3]: path for path in sorted(root.rglob("S[0-9][0-9]*.edf"))}
            simulated = is_simulated(root)
            return readable({f"S{s}": partial(_of_files, s, path, edf.get(s), simulated) for s, path in tables.items()})
        try:
            archive = Archive(root, "dasps*.npz", self.info.title)
        except ConfigError:
            found = ""
            if root.is_dir() and (any(root.rglob("S*preprocessed.mat")) or any(root.rglob("S*.edf"))):
                found = "signals, but no S01.mat … (folder 'Raw data.mat'), which hold the ratings"
            raise unknown_layout(self.info, root, found) from None
        info = archive.info("DASPS")
        return [_of_archive(entry, archive, info) for entry in sorted(archive.entries, key=lambda e: str(e["subject"]))]


def _trials(ratings: Sequence[tuple[float, float]]) -> tuple[Trial, ...]:
    """Listening and imagining of each situation, from its valence and arousal."""
    found: list[Trial] = []
    for i, pair in enumerate(ratings, 1):
        rated = {scale: float(x) for scale, x in zip(SCALES, pair, strict=True) if 1 <= x <= 9}
        found += [Trial(len(found) + k, f"situation{i}", part, rated) for k, part in enumerate(PARTS)]
    return tuple(found)


def _at(starts: Sequence[float], trials: Sequence[Trial]) -> tuple[Span, ...]:
    begins = [start + PART_S * k for start in starts for k in range(len(PARTS))]
    return tuple(Span(begin, begin + PART_S, trial) for begin, trial in zip(begins, trials, strict=True))


# -- the archive ---------------------------------------------------------------------------------------------------


def _of_archive(entry: dict[str, Any], archive: Archive, info: StreamInfo) -> Recording:
    try:
        situations = entry["situations"]
        trials = _trials([(s["valence"], s["arousal"]) for s in situations])
        places = [(float(s["start_s"]), s[part]) for s in situations for part in PARTS]
        spans = tuple(
            Span(start + float(begin), start + float(end), trial)
            for (start, (begin, end)), trial in zip(places, trials, strict=True)
        )
    except (KeyError, TypeError, ValueError) as error:
        found = f"subject {entry['subject']} has no situations with ratings ({type(error).__name__})"
        raise MoodError(f"archive {archive.path.name}", found, "get the archive again") from None
    return Recording(str(entry["subject"]), "1", info, trials, partial(_whole, archive, entry["key"], spans),
                     (archive.path,))  # fmt: skip


def _whole(archive: Archive, key: str, spans: tuple[Span, ...]) -> Iterator[Segment]:
    signal, asked = archive.signal(key), f"{key} of {archive.path.name}"
    check_spans(spans, len(signal) / archive.sfreq, asked)
    scale_factor(signal, archive.sfreq, asked)
    yield Segment(spans, signal)


# -- the files of the authors --------------------------------------------------------------------------------------


def _of_files(subject: str, table: Path, edf: Path | None, simulated: bool) -> Recording:
    with MatFile(table) as file:
        labels = np.asarray(file.read("labels"), float)
    rows = labels if labels.shape == (2, 2 * N_SITUATIONS) else labels.T
    if rows.shape != (2, 2 * N_SITUATIONS) or (rows[:, ::2] != rows[:, 1::2]).any():
        found = f"labels of the shape {labels.shape}; two rows of twelve, each value twice, expected"
        raise MoodError(f"ratings in {table.name}", found, "download Raw data.mat again")
    trials = _trials([(float(v), float(a)) for v, a in rows[:, ::2].T])
    if edf is None:
        info = StreamInfo(CHANNELS, SFREQ, "DASPS", virtual=simulated)
        return Recording(f"S{subject}", "1", info, trials, partial(_parts, table, trials), (table,))
    source = RawSignal(edf)
    info, _, notes = source.info("DASPS")
    spans = _at([i * PERIODS_S.get(subject, USUAL_S) for i in range(N_SITUATIONS)], trials)
    read = partial(_unwrapped, source, info, spans)
    return Recording(f"S{subject}", "1", info, trials, read, (table, edf), notes=notes)


def _parts(table: Path, trials: Sequence[Trial]) -> Iterator[Segment]:
    """The cut and filtered parts; what lay between them is not there."""
    with MatFile(table) as file:
        arrays = [np.asarray(found) for found in map(file.read, file.names()) if np.ndim(found) == 3]
    parts = next((a for a in arrays if a.shape[::2] == (len(CHANNELS), len(trials))), None)
    if parts is None:
        found = f"arrays of the shapes {[a.shape for a in arrays]}; (14, 1920, 12) expected"
        raise MoodError(f"signals in {table.name}", found, "download Raw data.mat again")
    scale_factor(parts[:, :, 0].T, SFREQ, table.name)
    for i, trial in enumerate(trials):
        signal = np.ascontiguousarray(parts[:, :, i].T, np.float32)
        yield Segment((Span(0.0, len(signal) / SFREQ, trial),), signal)


def _unwrapped(source: RawSignal, info: StreamInfo, spans: Sequence[Span]) -> Iterator[Segment]:
    columns = [info.ch_names.index(name) for name in WRAPPED if name in info.ch_names]
    for segment in source.segments(info, spans):
        assert segment.signal is not None
        signal = segment.signal.copy()
        signal[:, columns] = np.unwrap(signal[:, columns], period=PERIOD_UV, axis=0)
        yield replace(segment, signal=signal)


READER = Dasps()

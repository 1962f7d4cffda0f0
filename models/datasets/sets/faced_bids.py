"""FACED as converted to BIDS (NEMAR nm000112): one raw recording of 58 to 112 minutes for each of 123 subjects.

Page: https://nemar.org/dataexplorer/detail?dataset_id=nm000112. Paper: Chen et al. (2023), A Large Finer-grained
Affective Computing EEG Dataset, Scientific Data 10:740, doi 10.1038/s41597-023-02650-w. (The authors named in
``dataset_description.json`` are not those of the paper.)

``sub-000`` to ``sub-122`` hold ``eeg/sub-NNN_task-watchingVideoClips_{eeg.bdf,events.tsv,channels.tsv,eeg.json}``.
Clips are the rows of the events whose ``video_index`` is a number (1 to 28); ``value`` is no index of anything. There
are two montages (T3 T4 T5 T6 and ears, or T7 T8 P7 P8 and HEOR HEOL), two rates (1000 and 250 Hz), and the numbers of
some files are volts where the header says µV: the scale of each file decides. The five seconds before a clip show a
cross. Twelve ratings, 0 to 7, stand in columns of their own.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from realtime_mood.errors import MoodError
from realtime_mood.types import StreamInfo

from ..folders import unknown_layout
from ..guards import onset_unit
from ..refusing import readable
from ..signals import RawSignal
from ..tables import number, ratings, rows
from ..trials import DatasetInfo, Recording, Span, Trial
from .faced import EMOTIONS, PUBLISHED, SCALES, emotion_of, sign_of

CROSS_S = 5.0
"""The cross before each clip."""
REFERENCES = ("A1", "A2", "HEOR", "HEOL")
"""The reference sites of the two devices, recorded beside the electrodes."""
VOLTS = 1e6


class FacedBids:
    """Reads nm000112."""

    info = DatasetInfo(
        name="faced-bids",
        title="FACED in BIDS (nm000112)",
        paper="Chen et al. (2023), A Large Finer-grained Affective Computing EEG Dataset, Scientific Data 10:740, "
        "doi 10.1038/s41597-023-02650-w",
        page="https://nemar.org/dataexplorer/detail?dataset_id=nm000112",
        licence="CC BY 4.0",
        access="pip install eegdash && python -c \"from eegdash import EEGDashDataset; "
        "EEGDashDataset(dataset='nm000112', cache_dir='DIR').download_all()\"  # 30 GB",
        layout="sub-000 … sub-122/eeg/sub-NNN_task-watchingVideoClips_eeg.bdf\n"
        "sub-000 … sub-122/eeg/sub-NNN_task-watchingVideoClips_events.tsv",
        n_subjects=123,
        n_sessions=1,
        n_trials=28,
        labels=EMOTIONS,
        scales=SCALES,
        subjects=tuple(f"{i:03}" for i in range(123)),
        baseline="pre-clip",
        published=PUBLISHED,
    )  # fmt: skip

    def recordings(self, root: Path) -> Sequence[Recording]:
        """One of each subject whose signal is there; see `DatasetReader`."""
        tables = sorted(root.glob("sub-*/eeg/*_task-watchingVideoClips_events.tsv"))
        if not tables:
            raise unknown_layout(self.info, root)
        signals = [(table, table.with_name(table.name.replace("_events.tsv", "_eeg.bdf"))) for table in tables]
        there = {table.parts[-3].removeprefix("sub-"): (table, path) for table, path in signals if path.exists()}
        return readable({subject: partial(_recording, subject, *paths) for subject, paths in there.items()})


def _recording(subject: str, table: Path, path: Path) -> Recording:
    source = RawSignal(path, drop=REFERENCES, units="uV", scales=(VOLTS,))
    info, length, notes = source.info("FACED")
    spans = _spans(table, info, length)
    trials = tuple(span.trial for span in spans if span.trial)
    return Recording(subject, "1", info, trials, partial(source.segments, info, spans), (table, path), notes=notes)


def _spans(table: Path, info: StreamInfo, length_s: float) -> list[Span]:
    """The clips in playing order, each after its cross."""
    needs = ("onset", "duration", "video_index", *SCALES_IN_FILE)
    clips = [row for row in rows(table, needs=needs) if number(row["video_index"]) == number(row["video_index"])]
    clips.sort(key=lambda row: number(row["onset"]))
    indices = [int(number(row["video_index"])) for row in clips]
    asked = f"events of {table.name.split('_')[0]}"
    if not clips or len(set(indices)) < len(indices) or not set(indices) <= set(range(1, 29)):
        raise MoodError(
            asked, f"video_index {indices[:5]} …: each of 1 to 28 at most once expected", "download it again"
        )
    unit = onset_unit([number(row["onset"]) for row in clips], info.sfreq, length_s)
    if unit != "s":
        found = f"the last clip begins after the recording's {length_s:.0f} s (unit of onsets: {unit})"
        raise MoodError(asked, found, "the events belong to another recording, or it is cut short: get both again")
    spans: list[Span] = []
    for position, (row, index) in enumerate(zip(clips, indices, strict=True)):
        if row.get("binary_label", "").lower() not in ("", "n/a", sign_of(index)):
            found = f"clip {index} is {row['binary_label']}, by its index {sign_of(index)}"
            raise MoodError(asked, found, "the columns of another subject or version were mixed in: download it again")
        onset, duration = number(row["onset"]), number(row["duration"])
        trial = Trial(position, f"clip{index:02}", emotion_of(index), ratings(row, SCALES_IN_FILE, 0.0, 7.0))
        spans += [Span(max(0.0, onset - CROSS_S), onset), Span(onset, onset + duration, trial)]
    return spans


SCALES_IN_FILE = tuple(scale.capitalize() for scale in SCALES)
READER = FacedBids()

"""What was recorded beside the EEG, in a BIDS data set: physiological recordings, and feedback as a derivative.

BIDS wants a constant rate, so each sample of a regular stream is put in the row of its time; rows without one are
``n/a``. Irregular streams and texts have no such place in BIDS: they stay in the recording.
"""

from __future__ import annotations

import gzip
import json
import math
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ..files import write_whole
from ..recording.reader import FEEDBACK, Recorded, RecordedStream
from .readings import write_events

TASK = "mood"
MOST_ROWS = 50_000_000  # of one stream; more would not fit into memory as text
MEANING = {
    "level": "feedback level shown, 0 to 1", "shown": "z-score that was fed back",
    "threshold": "z-score of the threshold",
    "reward": "1 at a reward", "valid": "1 where the feedback was valid", "block": "number of the block",
    "delay_ms": "delay of the feedback after the arrival of its samples (ms)",
}  # fmt: skip


def write_beside(recorded: Recorded, basename: str, folder: Path, derivative: Path) -> Iterator[Path]:
    """Write each stream beside the EEG into `folder`, and feedback as `derivative` (without suffix); yield what is new.

    `basename` is the name of the EEG's file up to ``_eeg``.
    """
    seen: set[str] = set()
    for stream in recorded.beside():
        if stream.name == FEEDBACK:
            yield from _write_feedback(stream, derivative)
        elif stream.sfreq > 0:
            label = _free_label(stream.name, seen)
            path = folder / f"{basename}_recording-{label}_physio.tsv.gz"
            _write_physio(stream, path)
            yield path


def _free_label(name: str, seen: set[str]) -> str:
    """A BIDS label for a stream that no other of the recording has."""
    label = first = re.sub("[^0-9A-Za-z]", "", name) or "stream"
    number = 2
    while label in seen:
        label, number = f"{first}{number}", number + 1
    seen.add(label)
    return label


def _write_physio(stream: RecordedStream, path: Path) -> None:
    start_s = float(stream.t.min())  # a sender whose clock is set back sends stamps that are not in order
    row = np.round((stream.t - start_s) * stream.sfreq).astype(int)
    table = np.full((min(int(row.max()) + 1, MOST_ROWS), stream.values.shape[1]), np.nan)
    inside = row < len(table)
    table[row[inside]] = stream.values[inside]
    columns = _columns(stream)
    with np.errstate(over="ignore"):
        single = table.astype(np.float32)  # as most streams are sent: half the digits
    exact = single if np.array_equal(single, table, equal_nan=True) else table
    lines = ("\t".join("n/a" if np.isnan(x) else str(x) for x in values) for values in exact)
    write_whole(path, gzip.compress("".join(f"{line}\n" for line in lines).encode(), mtime=0))
    about: dict[str, object] = {"TaskName": TASK, "PhysioType": "generic", "SamplingFrequency": stream.sfreq}
    about |= {"StartTime": round(start_s, 6), "Columns": columns}
    units = {
        column: {"Description": f"{label or 'unlabelled'} of the stream {stream.name} ({stream.type})"}
        | ({"Units": unit} if unit else {})
        for column, label, unit in zip(columns, stream.labels, stream.units, strict=True)
    }
    sidecar = path.with_name(path.name.removesuffix(".tsv.gz") + ".json")
    write_whole(sidecar, (json.dumps(about | units, indent=1) + "\n").encode())


def _columns(stream: RecordedStream) -> list[str]:
    """A name for each channel that no other has."""
    names = [label.strip() or f"channel{k}" for k, label in enumerate(stream.labels, 1)]
    return [name if names.count(name) == 1 else f"{name}_{k}" for k, name in enumerate(names, 1)]


def _write_feedback(stream: RecordedStream, path: Path) -> Iterator[Path]:
    numbers = zip(stream.labels, stream.values.T.tolist(), strict=True)
    columns = {name: [None if math.isnan(x) else x for x in column] for name, column in numbers}
    write_events(path, {"onset": stream.t.round(4).tolist(), "duration": [0] * len(stream.t), **columns}, MEANING)
    yield path.with_suffix(".tsv")

"""The EEGMAT data set (rest, then mental arithmetic) with the `effort` labels.

References
----------
.. [1] Zyma et al. (2019), "Electroencephalograms during mental arithmetic task performance", Data 4(1):14,
   doi 10.3390/data4010014; PhysioNet, doi 10.13026/C2JQ1P. ODC-By 1.0.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from realtime_mood.dsp.spec import FeatureSpec
from realtime_mood.montage import canonical_name
from realtime_mood.types import StreamInfo

from .person import NO_LABEL, Person, person

LABELS = ("rest", "arithmetic")
HELD_OUT = ("32", "33", "34", "35")  # never trained on: the shipped weights are checked on them
BASELINE_S = 60
SETTLE_S = 12  # dropped from both classes, because padding at a file's start would separate them


def people(path: Path, spec: FeatureSpec) -> Iterator[Person]:
    """Each subject of the archive, the first minute of rest being the baseline."""
    with np.load(path) as archive:
        meta = json.loads(str(archive["meta"]))
        names = tuple(canonical_name(label) or label for label in meta["channels"])
        info = StreamInfo(names, float(meta["fs"]), name="EEGMAT", reference=meta["reference"])
        records: dict[str, dict[str, np.ndarray]] = {}
        for entry in map(json.loads, archive["index"]):
            signal = archive[entry["key"]].T.astype(np.float32) * np.float32(meta["uV_per_lsb"])
            records.setdefault(entry["subject"], {})[entry["label"]] = signal
    for subject, signals in sorted(records.items()):
        minute = round(BASELINE_S * info.sfreq)
        # Every minute is processed separately, like a file of its own: otherwise the time since the start of the file,
        # visible in running statistics, would separate three minutes of rest from one of arithmetic.
        rest, task = (_minutes(signals[label], minute) for label in LABELS)
        labels = [_labels(len(piece) / info.sfreq, y) for y, pieces in enumerate((rest, task)) for piece in pieces]
        yield person(f"eegmat-{subject}", info, [*rest, *task], labels, slice(0, BASELINE_S), spec)


def _minutes(signal: np.ndarray, minute: int) -> list[np.ndarray]:
    return [signal[at : at + minute] for at in range(0, len(signal) - minute // 2, minute)]


def _labels(seconds: float, y: int) -> np.ndarray:
    label = np.full(int(seconds), y)
    label[:SETTLE_S] = NO_LABEL
    return label

"""Electrode quality on all real recordings available: faults, and agreement with a headset's own contact check.

``python -m benchmarks.contact --data FOLDER`` (some six minutes). Nothing was fitted. The one threshold set with
contact labels in view, that of swings, was set on the first half of the people; the second half had been looked at too,
so it is no untouched test.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Container, Iterator
from pathlib import Path

import numpy as np
from sklearn.metrics import roc_auc_score

from benchmarks.effort_lsl import FOLDER
from benchmarks.rig import table
from realtime_mood.dsp.spec import FeatureSpec
from realtime_mood.errors import MoodError, StreamEnded
from realtime_mood.montage import canonical_name
from realtime_mood.pipeline import Pipeline
from realtime_mood.sources import open_source
from realtime_mood.types import Chunk, Fault, Quality, StreamInfo

ARCHIVES = ("eegmat_dev24_125hz", "ssvep_exo_256hz", "muse_lsl_256hz")
CONTACT = "muse_sequence_learning_220hz"
GOOD, BAD = 1, 4  # contact labels; 2 is fair
SHORT = FeatureSpec(settle_s=1.0)  # rounds with contact labels last some 5 s


def judged(info: StreamInfo, signal: np.ndarray, spec: FeatureSpec, from_s: float) -> Iterator[tuple[int, Quality]]:
    """Where each hop of (n_times, n_chans) µV ended and how it was judged, from `from_s` on."""
    pipeline, n = Pipeline(info, spec, None), round(10 * info.sfreq)  # nothing is read
    for at in range(0, len(signal), n):
        for window in pipeline.push(Chunk(signal[at : at + n], at, 0.0)):
            if window.end >= from_s * info.sfreq:
                yield window.end, window.quality


def archive(path: Path) -> Iterator[tuple[dict, StreamInfo, np.ndarray, np.ndarray | None]]:
    """Each recording's entry, info, signal (n_times, n_chans) in µV, and contact labels where there are some."""
    with np.load(path) as found:
        meta = json.loads(str(found["meta"]))
        info = StreamInfo(tuple(canonical_name(c) or c for c in meta["channels"]), float(meta["fs"]))
        for entry in map(json.loads, found["index"]):
            contact, signal = f"h{entry['key'][1:]}", found[entry["key"]].T * meta["uV_per_lsb"]
            yield entry, info, signal, found[contact].T if contact in found else None


def played(path: Path) -> tuple[StreamInfo, np.ndarray]:
    """A device's own file, as the program plays it; raises `MoodError` where it cannot."""
    stream = open_source(f"playback://{path}?speed=max").open()
    rows = [np.zeros((0, stream.info.n_chans))]
    try:
        while True:
            chunk = stream.read(1.0)
            if chunk is not None:
                rows += [np.full((chunk.lost, stream.info.n_chans), np.nan), chunk.data]
    except StreamEnded:
        return stream.info, np.concatenate(rows)
    finally:
        stream.close()


class Tally:
    """How often each fault was reported, and how often most electrodes were bad at once."""

    def __init__(self, name: str) -> None:
        self._name, self._faults, self._n, self._hops, self._hopeless = name, Counter[Fault | None](), 0, 0, 0

    def add(self, info: StreamInfo, signal: np.ndarray) -> None:
        spec = FeatureSpec()
        for _, quality in judged(info, signal, spec, spec.settle_s + spec.context_s):
            self._faults.update(quality.faults)
            self._n += len(quality.faults)
            self._hops += 1
            self._hopeless += int(quality.good.sum()) < max(2, info.n_chans / 2)

    @property
    def row(self) -> list[object]:
        n = max(self._n, 1)
        shares = [f"{100 * self._faults[fault] / n:.2f}" for fault in Fault]
        masked = 1 - self._faults[None] / n if self._n else 0.0
        hopeless = self._hopeless / max(1, self._hops)
        return [self._name, self._n // 4, *shares, f"{100 * masked:.2f}", f"{100 * hopeless:.2f}"]


def faults(data: Path) -> Iterator[list[object]]:
    for name in ARCHIVES:
        tally = Tally(name)
        for _, info, signal, _ in archive(data / f"{name}.npz"):
            tally.add(info, signal)
        yield tally.row
    for path in sorted((data / "device_files").glob("*/*")):
        tally = Tally(path.name)
        try:
            tally.add(*played(path))
        except MoodError:
            continue
        yield tally.row


def contacts(path: Path, people: Container[str] | None = None) -> np.ndarray:
    """One row per second of one electrode with one label throughout: person, label, score, whether masked."""
    rows = []
    for entry, info, signal, labels in archive(path):
        if labels is None or (people is not None and entry["subject"] not in people):
            continue
        second = round(info.sfreq)
        for end, quality in judged(info, signal, SHORT, 2.5):
            if end % second == 0:
                part = labels[end - second : end]
                for c in np.flatnonzero((part == part[0]).all(axis=0)).tolist():
                    rows.append((int(entry["subject"]), part[0, c], quality.scores[c], not quality.good[c]))
    return np.array(rows)


def agreement(rows: np.ndarray) -> Iterator[list[object]]:
    people = np.unique(rows[:, 0])
    first = np.isin(rows[:, 0], people[: len(people) // 2])
    for name, half in (("first half", first), ("second half", ~first)):
        _, label, score, masked = rows[half].T
        sure = label != 2
        auc = roc_auc_score(label[sure] == BAD, -score[sure])
        counts = [(label == kind).sum() for kind in (GOOD, 2, BAD)]
        shares = [f"{100 * masked[label == kind].mean():.1f}" for kind in (GOOD, 2, BAD)]
        yield [name, len(np.unique(rows[half, 0])), *counts, f"{auc:.3f}", *shares]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=FOLDER)
    data = parser.parse_args().data
    print("Share of electrode time, %, once settled\n")
    header = ["recordings", "electrode seconds", *(fault.value for fault in Fault), "masked", "no estimate"]
    print(table(header, list(faults(data))))
    print("\nAgainst the contact a Muse reports, electrode second by electrode second\n")
    header = ["people", "n", "good", "fair", "bad", "AUC, bad against good", "masked: good, %", "fair, %", "bad, %"]
    print(table(header, list(agreement(contacts(data / f"{CONTACT}.npz")))))


if __name__ == "__main__":
    main()

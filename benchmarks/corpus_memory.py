"""Memory of a simulated corpus of 100 hours, prepared and evaluated: ``python -m benchmarks.corpus_memory``.

Subjects with one session of two hours each, 32 electrodes at 200 Hz. Making signals would take longest, so all have the
same ten minutes of noise: it is rolled, its electrodes are permuted and scaled for each trial, and each label changes
its beta power. ``evaluate --dataset`` is then run twice: the first run prepares the subjects and compares the methods,
the second finds everything in its cache. Memory is that of this process and of all that it started, together: parts
that they share are counted once (proportional set size, Linux only).
"""

from __future__ import annotations

import argparse
import os
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import lru_cache, partial
from pathlib import Path
from unittest import mock

import numpy as np
import psutil
from rich.console import Console

from benchmarks.rig import Row, table
from realtime_mood.dsp.spec import FeatureSpec
from realtime_mood.models.datasets.sets import READERS
from realtime_mood.models.datasets.trials import DatasetInfo, Recording, Segment, Span, Trial
from realtime_mood.models.evaluation import labelled, run
from realtime_mood.models.executor import open_executor
from realtime_mood.montage import SPREAD
from realtime_mood.types import StreamInfo

SFREQ, N_CHANS, NOISE_S, REST_S, TRIAL_S, N_TRIALS = 200.0, 32, 600, 120, 177, 40
LABELS = ("negative", "neutral", "positive")
INFO = DatasetInfo("hours", "Simulated hours", "none", "none", "none", "none", "none", 50, 1, N_TRIALS, LABELS,
                   baseline="rest")  # fmt: skip
LIMIT_MB = 2000


@lru_cache(1)
def noise() -> np.ndarray:
    """(n_times, n_chans) float32, µV: with a 1/f spectrum, in part shared by all electrodes."""
    rng, n = np.random.default_rng(0), round(NOISE_S * SFREQ)
    shape = 1 / np.sqrt(np.maximum(np.fft.rfftfreq(n), 1 / n))[:, None]
    own, shared = (np.fft.irfft(np.fft.rfft(rng.standard_normal((n, k)), axis=0) * shape, n, axis=0)
                   for k in (N_CHANS, 1))  # fmt: skip
    return (10 * (own + shared) / (own + shared).std()).astype(np.float32)


def segments_of(seed: int, trials: tuple[Trial, ...]) -> Iterator[Segment]:
    """Two hours in one piece: rest, then the trials."""
    rng, base = np.random.default_rng(seed), noise()
    signal = np.empty((round((REST_S + N_TRIALS * TRIAL_S) * SFREQ), N_CHANS), np.float32)
    spans = [Span(0, REST_S), *(Span(REST_S + TRIAL_S * i, REST_S + TRIAL_S * (i + 1), t)
                                for i, t in enumerate(trials))]  # fmt: skip
    for span in spans:
        at = slice(round(span.start * SFREQ), round(span.stop * SFREQ))
        rows, t = at.stop - at.start, np.arange(at.stop - at.start, dtype=np.float32)[:, None] / np.float32(SFREQ)
        signal[at] = np.roll(base, rng.integers(len(base)), axis=0)[:rows, rng.permutation(N_CHANS)]
        signal[at] *= np.exp(0.2 * rng.standard_normal(N_CHANS)).astype(np.float32)
        strength = LABELS.index(span.trial.label) if span.trial else 1
        signal[at, :8] += np.float32(2 * strength) * np.sin(np.float32(2 * np.pi * 20) * t)
    yield Segment(tuple(spans), signal)


class Reader:
    """Lists the subjects of a corpus of so many hours."""

    info = INFO

    def __init__(self, hours: float) -> None:
        self._n_subjects = round(hours * 3600 / (REST_S + N_TRIALS * TRIAL_S))

    def recordings(self, root: Path) -> list[Recording]:
        """One session a subject."""
        del root
        info = StreamInfo(tuple(SPREAD[:N_CHANS]), SFREQ, "hours", virtual=True)
        found = []
        for seed in range(self._n_subjects):
            order = np.random.default_rng([seed, 1]).permutation(N_TRIALS).tolist()
            trials = tuple(Trial(i, f"clip{k}", LABELS[k % 3]) for i, k in enumerate(order))
            found.append(Recording(f"{seed:03d}", "1", info, trials, partial(segments_of, seed, trials)))
        return found


def peak_of(work: Callable[[], object]) -> tuple[float, float, float]:
    """The most memory (MB) of all processes together and of the largest, and minutes."""
    me, done, most, largest = psutil.Process(), threading.Event(), 0.0, 0.0

    def watch() -> None:
        nonlocal most, largest
        while not done.wait(0.2):
            each = []
            for process in (me, *me.children(recursive=True)):
                with suppress(psutil.Error):
                    each.append(process.memory_full_info().pss / 1e6)
            most, largest = max(most, sum(each)), max(largest, *each)

    watcher, began = threading.Thread(target=watch, daemon=True), time.monotonic()
    watcher.start()
    try:
        work()
    finally:
        done.set()
        watcher.join()
    return most, largest, (time.monotonic() - began) / 60


def rows(hours: float, methods: str, n_jobs: int, folder: Path) -> Iterator[Row]:
    """Memory of preparing, of evaluating, and of finding all of it again."""
    prepared = folder / "prepared"
    choice = labelled.DatasetChoice(INFO.name, folder, "emotion3", cache=prepared)
    options = run.Options(
        "emotion3", folder / "hours.json", folder, INFO.name, channels="all", methods=methods, n_folds=4, n_inner=2,
        n_jobs=n_jobs,
    )  # fmt: skip

    def prepare() -> None:
        with open_executor(n_jobs) as executor:
            labelled.load_labelled(choice, options.track, FeatureSpec(), executor, print)

    def evaluate() -> None:
        run.evaluate(options, ["evaluate"], print, Console())

    with (
        mock.patch.dict(READERS, {INFO.name: ""}),
        mock.patch.object(labelled, "reader_of", return_value=Reader(hours)),
        mock.patch.object(labelled, "user_cache_path", return_value=folder),
        mock.patch.object(labelled, "PREPARED", prepared.name),
    ):
        for name, work in (("prepared", prepare), (f"evaluated: {methods}", evaluate), ("shown again", evaluate)):
            most, largest, minutes = peak_of(work)
            size = sum(f.stat().st_size for f in prepared.rglob("*") if f.is_file()) / 1e6
            yield [f"{hours:g} hours, {N_CHANS} ch at {SFREQ:g} Hz, {size:.0f} MB on disk, {name}", f"{most:.0f} MB",
                   f"{largest:.0f} MB", f"{LIMIT_MB} MB", f"{minutes:.1f} min"]  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hours", type=float, default=100.0)
    parser.add_argument("--methods", default="lda,lr")
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    parser.add_argument("--folder", type=Path, help="folder to work in; by default one that is removed afterwards")
    asked = parser.parse_args()
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    with tempfile.TemporaryDirectory() as folder:
        found = list(rows(asked.hours, asked.methods, asked.jobs, asked.folder or Path(folder)))
    header = ["what", "all processes at most", "the largest", "limit", "took"]
    print(table(header, found))


if __name__ == "__main__":
    main()

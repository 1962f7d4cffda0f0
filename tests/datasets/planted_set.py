"""A labelled data set in memory: subjects whose beta power follows the label of each trial."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

import numpy as np

from realtime_mood.models.datasets.trials import DatasetInfo, Recording, Segment, Span, Trial
from realtime_mood.types import StreamInfo

NAMES = ("Fp1", "Fp2", "C3", "C4", "O1", "O2")
SFREQ = 128.0
REST_S, TRIAL_S = 30, 24
LABELS = ("negative", "neutral", "positive")


def info_of(baseline: str = "rest", **more: object) -> DatasetInfo:
    return DatasetInfo(
        "planted", "Planted", "none", "none", "CC0", "none", "none", 4, 1, 6, LABELS, {"valence": (1.0, 9.0)},
        baseline, **more,
    )  # fmt: skip


def trials_of(seed: int, n: int = 6) -> tuple[Trial, ...]:
    order = np.random.default_rng([5, seed]).permutation(n)
    return tuple(
        Trial(i, f"clip{k}", LABELS[k % 3], {"valence": 1.0 + 4 * (k % 3)}) for i, k in enumerate(order.tolist())
    )


def signal_of(seed: int, seconds: int, beta: float) -> np.ndarray:
    """(n_times, n_chans), µV: noise, and beta of that amplitude on the first two electrodes."""
    rng = np.random.default_rng(seed)
    t = np.arange(round(seconds * SFREQ)) / SFREQ
    x = 8 * rng.standard_normal((len(t), len(NAMES)))
    x[:, :2] += beta * np.sin(2 * np.pi * 20 * t + rng.uniform(0, 6))[:, None]
    return x.astype(np.float32)


def segments_of(seed: int, trials: Sequence[Trial], with_rest: bool) -> Iterator[Segment]:
    if with_rest:
        yield Segment((Span(0, REST_S),), signal_of(1000 * seed, REST_S, 4))
    for trial in trials:
        beta = {"negative": 0, "neutral": 8, "positive": 24}[trial.label]
        x = signal_of(1000 * seed + trial.position + 1, TRIAL_S, beta)
        yield Segment((Span(0, TRIAL_S, trial),), x)


def recording(seed: int, session: str = "1", *, with_rest: bool = True, names: tuple[str, ...] = NAMES) -> Recording:
    trials = trials_of(seed + 100 * int(session))
    info = StreamInfo(names, SFREQ, f"planted {seed}", virtual=True)
    read = partial(segments_of, seed + 100 * int(session), trials, with_rest)
    return Recording(f"{seed:02d}", session, info, trials, read)

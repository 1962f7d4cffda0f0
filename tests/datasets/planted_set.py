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


BETA = {"negative": 0.0, "neutral": 8.0, "positive": 24.0}
N_CLIPS = 6


def trials_of(seed: int, *, same_order: bool = False) -> tuple[Trial, ...]:
    order = np.random.default_rng([5, 0 if same_order else seed]).permutation(N_CLIPS)
    return tuple(
        Trial(i, f"clip{k}", LABELS[k % 3], {"valence": 1.0 + 4 * (k % 3)}) for i, k in enumerate(order.tolist())
    )


def signal_of(seed: int, seconds: int, beta: float, alpha: Sequence[float] = (0.0, 0.0)) -> np.ndarray:
    """(n_times, n_chans), µV: noise, beta of that amplitude on the first two electrodes, alpha on the last two."""
    rng = np.random.default_rng(seed)
    t = np.arange(round(seconds * SFREQ)) / SFREQ
    gain = np.exp(0.4 * rng.standard_normal((seconds // 3 + 1, len(NAMES))))  # a person is never twice the same
    x = 8 * rng.standard_normal((len(t), len(NAMES))) * gain[(t // 3).astype(int)]
    x[:, :2] += beta * np.sin(2 * np.pi * 20 * t + rng.uniform(0, 6))[:, None]
    x[:, 4:] += np.array(alpha) * np.sin(2 * np.pi * 10 * t + rng.uniform(0, 6))[:, None]
    return x.astype(np.float32)


def segments_of(seed: int, trials: Sequence[Trial], with_rest: bool, marked_clips: bool) -> Iterator[Segment]:
    """Rest, then the trials; with `marked_clips` the two stimuli of a label differ, whatever the label."""
    if with_rest:
        yield Segment((Span(0, REST_S),), signal_of(1000 * seed, REST_S, 4))
    for trial in trials:
        second = int(trial.stimulus[4:]) >= len(LABELS)
        alpha = ((20.0, 0.0) if second else (0.0, 20.0)) if marked_clips else (0.0, 0.0)
        x = signal_of(1000 * seed + trial.position + 1, TRIAL_S, BETA[trial.label], alpha)
        yield Segment((Span(0, TRIAL_S, trial),), x)


def recording(
    seed: int,
    session: str = "1",
    *,
    with_rest: bool = True,
    names: tuple[str, ...] = NAMES,
    same_order: bool = False,
    marked_clips: bool = False,
    copy_of: int | None = None,
) -> Recording:
    number = (seed if copy_of is None else copy_of) + 100 * int(session)
    trials = trials_of(number, same_order=same_order)
    info = StreamInfo(names, SFREQ, f"planted {seed}", virtual=True)
    return Recording(
        f"{seed:02d}", session, info, trials, partial(segments_of, number, trials, with_rest, marked_clips)
    )

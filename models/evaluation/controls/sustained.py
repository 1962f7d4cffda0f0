"""A state held for ten minutes must not fade as the normaliser adapts."""

from __future__ import annotations

from itertools import count, islice
from typing import Any

import numpy as np

from ...datasets.virtual import SETTLE_S
from ..baselines import Scorer
from ..cohorts import FIRST_SEED, virtual_person, with_baseline
from ..contexts import View

HOLD_S = 600
N_HOLDING = 18


def sustained(score: Scorer, view: View, n_subjects: int = N_HOLDING, hold_s: int = HOLD_S) -> dict[str, Any]:
    """Accuracy in the first and last two minutes of a state held, with the statistics of the view's track.

    Each of the simulated subjects, which training has not seen, holds one state after a minute of rest.
    """
    made = (
        virtual_person(FIRST_SEED + 10_000 + i, 60, view.spec, (view.labels[i % len(view.labels)], hold_s))
        for i in count()
    )
    minutes: list[list[float]] = []
    for p in islice(with_baseline(made, view.spec), n_subjects):
        c = view.contexts(p)
        hit = score(c).argmax(axis=1) == c.labels
        minutes.append([float(hit[(c.at >= a) & (c.at < a + 60)].mean()) for a in range(60, 60 + hold_s, 60)])
    by_minute = np.mean(minutes, axis=0)
    first, last = float(by_minute[:2].mean()), float(by_minute[-2:].mean())
    return {
        "people": n_subjects, "settle_s": SETTLE_S, "by_minute": by_minute.round(3).tolist(),
        "first_two": round(first, 4), "last_two": round(last, 4), "lost": round(first - last, 4),
    }  # fmt: skip

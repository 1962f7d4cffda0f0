"""The shipped weights on new simulated subjects: attention maps, and a state held for long.

``python -m benchmarks.shipped`` (seeds from 50,000; every figure with the person's own minute of rest).
"""

from __future__ import annotations

import argparse

import numpy as np
import torch

from realtime_mood.entropy import Population
from realtime_mood.models.checkpoint import load_weights
from realtime_mood.models.datasets import virtual
from realtime_mood.models.evaluation import attention
from realtime_mood.models.evaluation.cohorts import FIRST_SEED, TEN_TWENTY, virtual_person, with_baseline
from realtime_mood.models.evaluation.contexts import View
from realtime_mood.models.evaluation.controls.sustained import sustained
from realtime_mood.models.evaluation.mood_reader import FittedReader

READOUT = "emotion3"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=24)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    weights = load_weights()
    card = weights.card.readouts[READOUT]
    pop = Population(np.array(card.population_mean), np.array(card.population_sd))

    def view(track: str) -> View:
        return View(virtual.LABELS, weights.card.spec, track, TEN_TWENTY, pop)

    score = FittedReader(weights.reader, readout=READOUT)
    rng, rows = np.random.default_rng(0), []
    spec, seeds = weights.card.spec, range(FIRST_SEED, FIRST_SEED + asked.people)
    for p in with_baseline((virtual_person(seed, 60, spec) for seed in seeds), spec):
        c = view("c1").contexts(p)
        rows.append(attention.of_person(weights.reader, READOUT, virtual.LABELS, c, rng))
    print(*attention.summarised(rows, 0)["lines"], sep="\n", flush=True)
    for track in ("c1", "drifting", "running"):
        found = sustained(score, view(track))
        print(f"a state held for ten minutes, {track} statistics, {found['people']} people: right in "
              f"{found['first_two']:.3f} of the first and {found['last_two']:.3f} of the last two minutes; by minute "
              f"{found['by_minute']}", flush=True)  # fmt: skip


if __name__ == "__main__":
    main()

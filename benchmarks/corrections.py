"""How often corrections of a run count: planted features, with right, random and wrong labels.

``python -m benchmarks.corrections`` prints the table of docs/decisions/0029: runs of twelve corrections, one a minute,
of a readout that was fitted to twelve blocks.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from realtime_mood.corrections import BUDGET, CorrectionStatus
from realtime_mood.models.correcting import TOGETHER_S, Correction, Corrector
from realtime_mood.models.personal import LabelledSeconds, Parts, fit_head

N_FEATURES, N_LABELS, N_BLOCKS, SEEDS = 30, 3, 12, range(60)
Choice = Callable[[int, np.random.Generator], int]
"""The label that the user gives for a true one."""


def block(rng: np.random.Generator, label: int, at: int, n: int = 10) -> np.ndarray:
    """Seconds (n, N_FEATURES) of one label, which shows in the features from `at` on; blocks differ, as seconds do."""
    x = rng.normal(0, 0.6, N_FEATURES) + rng.normal(size=(n, N_FEATURES))
    x[:, at : at + N_LABELS] += 2 * np.eye(N_LABELS)[label]
    return x


def run(seed: int, at: int, choice: Choice) -> tuple[list[CorrectionStatus], float, float]:
    """Status after each correction, and the accuracy on later blocks of the readout as it was and as it is used."""
    rng, parts = np.random.default_rng(seed), Parts(de=N_FEATURES)
    label, number = np.arange(N_BLOCKS) % N_LABELS, np.repeat(np.arange(N_BLOCKS), 20)
    x = np.concatenate([block(rng, k, 0, 20) for k in label])
    head = fit_head(x, label[number], parts, N_LABELS)
    it, found = Corrector(parts, N_LABELS, head, 1.0, LabelledSeconds(x, label[number], number)), []
    for k in range(BUDGET):
        true = int(rng.integers(N_LABELS))
        found.append(it.add(Correction(block(rng, true, at), choice(true, rng), k * TOGETHER_S)).status)
    later = [(k, block(rng, k, at)) for k in range(N_LABELS) for _ in range(10)]
    before, after = (np.mean([(h(x).argmax(1) == k).mean() for k, x in later]) for h in (head, it.counts or head))
    return found, float(before), float(after)


def main() -> None:
    """Print the table."""
    cases: dict[str, tuple[int, Choice]] = {
        "right labels; the states show in other features than in the calibration": (N_LABELS, lambda true, _: true),
        "right labels; as in the calibration": (0, lambda true, _: true),
        "random labels": (0, lambda _, rng: int(rng.integers(N_LABELS))),
        "every label wrong": (0, lambda true, _: (true + 1) % N_LABELS),
    }
    print("| corrections | counted at any time | counted at the end | accuracy later: as it was | as used |")
    print("|---|---|---|---|---|")
    for name, (at, choice) in cases.items():
        runs = [run(seed, at, choice) for seed in SEEDS]
        ever = np.mean([CorrectionStatus.COUNTS in found for found, *_ in runs])
        end = np.mean([found[-1] is CorrectionStatus.COUNTS for found, *_ in runs])
        before, after = np.mean([row[1:] for row in runs], axis=0)
        print(f"| {name} | {ever:.2f} | {end:.2f} | {before:.3f} | {after:.3f} |", flush=True)


if __name__ == "__main__":
    main()

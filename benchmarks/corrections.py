"""How often corrections of a run count: planted features, with right, random and wrong labels.

``python -m benchmarks.corrections`` prints the figures of docs/decisions/0029: runs of twelve corrections, one a
minute, of a readout that was fitted to twelve blocks; then simulated subjects who correct `emotion3`.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from realtime_mood.api.options import ReadingOptions
from realtime_mood.corrections import BUDGET, CorrectionStatus
from realtime_mood.dsp.spec import FeatureSpec
from realtime_mood.models.building import PipelineBuilder
from realtime_mood.models.correcting import TOGETHER_S, Correction, Corrector
from realtime_mood.models.datasets.person import by_second
from realtime_mood.models.personal import LabelledSeconds, Parts, fit_head
from realtime_mood.pipeline import CORRECTION
from realtime_mood.profile import Profile
from realtime_mood.sources.synthetic.person import Script, VirtualPerson
from realtime_mood.types import Chunk, StreamInfo

SPEC = FeatureSpec()
EIGHT = ("F3", "F4", "C3", "C4", "P3", "P4", "O1", "O2")
MOODS = ("neutral", "positive", "negative")
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


def simulated(seed: int, difficulty: str) -> str:
    """One simulated subject: a minute of rest, twelve right corrections in twelve minutes, then six minutes."""
    blocks = [
        ("rest", 64),
        *[(MOODS[i % 3], 30) for i in range(24)],
        *[(MOODS[(2 * i + 1) % 3], 30) for i in range(12)],
    ]
    truth = [mood for mood, seconds in blocks for _ in range(seconds)]
    info = StreamInfo(EIGHT, 128.0, "simulated", virtual=True)
    script = Script.parse(",".join(f"{mood}:{seconds}" for mood, seconds in blocks))
    signal = VirtualPerson(seed, EIGHT, info.sfreq, script, difficulty).signal(len(truth))
    rest = by_second(info, signal[: 64 * 128], SPEC)
    good = (rest["good"] & rest["there"][:, None])[4:]
    builder = PipelineBuilder(ReadingOptions(readout="emotion3"), Profile.from_steps(info, SPEC, rest["de"][4:], good))
    accuracy, status = [], ""
    for corrects in (False, True):
        pipeline, hits = builder(info), []
        for t, mood in enumerate(truth):
            if corrects and 64 < t < 64 + 24 * 30 and (t - 64) % 60 == 59:
                pipeline.request(CORRECTION + truth[t - 1], 128 * t - 5)
            windows = pipeline.push(Chunk(signal[128 * t : 128 * (t + 1)], 128 * t, t + 1 - 1 / 128))
            if t >= 64 + 24 * 30 and windows and mood == truth[t - 12]:
                reading = pipeline.read(windows[-1])
                hits.append(max(reading.probabilities, key=reading.probabilities.__getitem__, default="") == mood)
                status = reading.corrections.status.value if reading.corrections else status
        accuracy.append(float(np.mean(hits)))
    return f"| {difficulty} | {seed} | {status} | {accuracy[0]:.3f} | {accuracy[1]:.3f} |"


def main() -> None:
    """Print the tables."""
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
    print("\n| simulated subject | seed | corrections | accuracy later: as it was | as used |\n|---|---|---|---|---|")
    for difficulty, seeds in (("medium", range(84_001, 84_003)), ("hard", range(84_000, 84_005))):
        for seed in seeds:
            print(simulated(seed, difficulty), flush=True)


if __name__ == "__main__":
    main()

"""People made of noise with an effect planted, without a pipeline: hundreds a second."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from realtime_mood.dsp.spec import FeatureSpec
from realtime_mood.entropy import differential_entropy
from realtime_mood.models.datasets.person import NO_LABEL, Person, population
from realtime_mood.models.evaluation.compare import Study
from realtime_mood.models.evaluation.contexts import View
from realtime_mood.models.evaluation.mood_reader import ReaderMethod
from realtime_mood.models.reader import ReaderConfig
from realtime_mood.models.train import TrainingRecipe
from realtime_mood.types import StreamInfo

SPEC = FeatureSpec()
NAMES = ("Fp1", "Fp2", "C3", "C4", "O1", "O2")
REST_S, BLOCK_S, SETTLE_S = 60, 26, 10
HZ = (2.5, 6.0, 11.0, 20.0, 38.0)  # one tone a band


def planted(seed: int, effect: float = 0.7, ch_names: Sequence[str] = NAMES, n_blocks: int = 4) -> Person:
    """Rest, then blocks of labels 0 and 1 in turn; 1 has `effect` more log amplitude in beta of two channels."""
    rng = np.random.default_rng([11, seed])
    piece = np.repeat(np.arange(n_blocks + 1), [REST_S] + n_blocks * [BLOCK_S])
    within = np.arange(len(piece)) - np.searchsorted(piece, piece)
    label = np.where((piece == 0) | (within < SETTLE_S), NO_LABEL, (piece + seed) % 2)
    n, n_chans = len(piece), len(ch_names)
    amplitude = np.log(8.0) + 0.4 * rng.standard_normal((1, n_chans, 5)) + 0.15 * rng.standard_normal((n, n_chans, 5))
    amplitude[(piece > 0) & ((piece + seed) % 2 == 1), :2, 3] += effect
    t, phase = np.arange(SPEC.patch_len) / SPEC.patch_sfreq, rng.uniform(0, 2 * np.pi, (n, n_chans, 5))
    waves = np.exp(amplitude)[..., None] * np.sin(2 * np.pi * np.array(HZ)[:, None] * t + phase[..., None])
    patches = waves.sum(axis=2) + 3 * rng.standard_normal((n, n_chans, SPEC.patch_len))
    return Person(
        f"planted-{seed}", StreamInfo(tuple(ch_names), 128.0),
        differential_entropy(np.exp(2 * amplitude) / 2).astype(np.float32), patches.astype(np.float16),
        within >= 4, np.ones((n, n_chans), bool), piece, label, piece == 0, f"sha-{seed}",
    )  # fmt: skip


def study(people: Sequence[Person], track: str = "c1", sets: dict | None = None) -> Study:
    names = people[0].info.ch_names
    return Study(people, ("a", "b"), SPEC, track, names, sets or {"all": names}, 0)


def view(people: Sequence[Person], track: str = "c1", ch_names: Sequence[str] = NAMES) -> View:
    return View(("a", "b"), SPEC, track, tuple(ch_names), population(people))


def quick_reader(steps: int = 30) -> ReaderMethod:
    config = ReaderConfig(dim=16, band_dim=8, raw_dim=16, raw_depth=1, rounds=1, dropout=0.1, head_dropout=0.1)
    return ReaderMethod(TrainingRecipe(steps=steps, batches={"effort": 16}, lr=5e-3), config)

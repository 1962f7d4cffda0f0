"""Samples of subjects' data as the network sees them live, and the input of personal classifiers; without torch."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from itertools import combinations

import numpy as np

from realtime_mood.dsp.spec import FeatureSpec
from realtime_mood.entropy import CLIP_SD, Population, Statistics
from realtime_mood.errors import ProfileError

from .datasets.person import NO_LABEL, Person, frozen_statistics, running_statistics, standardised_eye
from .inputs import Inputs
from .network import Inference
from .personal import described

LEAST_HALF_S = 20  # the mean of fewer seconds is noise rather than drift
BySecond = tuple[np.ndarray, np.ndarray]  # mean and sd, each (n_seconds, n_chans, n_bands)
Sample = tuple[np.ndarray, ...]


def piece_starts(p: Person) -> np.ndarray:
    """(n_seconds,) int: the first second of each second's piece."""
    return np.searchsorted(p.piece, p.piece)


def labelled_seconds(p: Person, spec: FeatureSpec) -> np.ndarray:
    """The labelled seconds that end `n_patches` whole seconds of their piece."""
    t = np.arange(len(p.label))
    recent = np.stack([p.there[np.maximum(t - back, 0)] for back in range(spec.n_patches)]).all(axis=0)
    return np.flatnonzero((p.label != NO_LABEL) & recent & (t - piece_starts(p) >= spec.n_patches - 1))


def _own_statistics(p: Person, pop: Population, spec: FeatureSpec) -> BySecond:
    """Those of the subject's baseline, or running ones where that is too poor: on some tracks none is needed."""
    try:
        return frozen_statistics(p, pop, spec)
    except ProfileError:
        return running_statistics(p, pop, spec)


class SubjectSampler:
    """Samples of one readout's subjects, normalised by frozen or running statistics."""

    def __init__(self, subjects: Sequence[Person], pop: Population, spec: FeatureSpec) -> None:
        self.subjects, self.spec = list(subjects), spec
        self.frozen = [_own_statistics(p, pop, spec) for p in self.subjects]
        self.running = [running_statistics(p, pop, spec) for p in self.subjects]
        ways = {True: frozen_statistics, False: running_statistics}
        self.eyes = {
            frozen: [standardised_eye(p, pop, spec, way) for p in self.subjects] for frozen, way in ways.items()
        }
        """(n_seconds, n_features) of each subject, by whether the statistics are frozen; None for one without."""
        self.starts = [piece_starts(p) for p in self.subjects]
        labelled = [labelled_seconds(p, spec) for p in self.subjects]
        # The seconds of a baseline are not sampled with the statistics that they determine.
        later = [t[~p.rest[t]] for p, t in zip(self.subjects, labelled, strict=True)]
        self.seconds = {True: later, False: labelled}  # by whether the statistics are frozen

    @cached_property
    def drifts(self) -> list[tuple[np.ndarray, np.ndarray]]:
        """Drifts within a state: positions (n_chans, 3), and the change (n_chans, n_bands) in sd."""
        found = []
        for p, (mean, sd), t in zip(self.subjects, self.frozen, self.seconds[False], strict=True):
            means: dict[int, list[np.ndarray]] = {}
            for piece, y in sorted(set(zip(p.piece[t].tolist(), p.label[t].tolist(), strict=True))):
                at = t[(p.piece[t] == piece) & (p.label[t] == y)]
                for half in np.array_split(at, 2):
                    if len(half) >= LEAST_HALF_S:
                        z = np.clip((p.de[half] - mean[half]) / sd[half], -CLIP_SD, CLIP_SD)
                        means.setdefault(y, []).append(z.mean(0))
            found += [(p.positions, b - a) for row in means.values() for a, b in combinations(row, 2)]
        return found

    def statistics(self, i: int, *, frozen: bool) -> BySecond:
        """Mean and sd of subject `i`, second by second."""
        return (self.frozen if frozen else self.running)[i]

    def sample(self, i: int, t: int, statistics: BySecond, chans: np.ndarray, early: int = 0) -> Sample:
        """One context of subject `i` ending with second `t`: z-scored DE, patches, usable channels, steps there.

        The patches end `early` samples earlier if the second before them is there.
        """
        p, spec = self.subjects[i], self.spec
        steps = np.arange(t - spec.n_steps + 1, t + 1)
        there = (steps >= self.starts[i][t]) & p.there[np.maximum(steps, 0)]
        first = t - spec.n_patches + 1
        if early and first > self.starts[i][t] and p.there[first - 1]:
            signal = p.patches[first - 1 : t + 1][:, chans].transpose(1, 0, 2).reshape(len(chans), -1)
            raw = signal[:, spec.patch_len - early : -early].reshape(len(chans), spec.n_patches, -1).astype(np.float32)
        else:
            raw = p.patches[first : t + 1][:, chans].astype(np.float32).transpose(1, 0, 2)
        fixed = Statistics(statistics[0][t][chans], statistics[1][t][chans])
        de, patches = fixed.standardise(p.de[np.maximum(steps, 0)][:, chans], raw, ~there)
        return de, patches, p.good[t][chans], there, p.positions[chans]

    def eye(self, at: Sequence[tuple[int, int, bool]]) -> np.ndarray | None:
        """Eye movements (n, n_features) of subjects, seconds and whether the statistics are frozen; NaN where missing.

        None where no subject has any.
        """
        width = next((z.shape[1] for z in self.eyes[True] if z is not None), 0)
        rows = [self.eyes[frozen][i] for i, _, frozen in at]
        nothing = np.full(width, np.nan, np.float32)
        found = [nothing if z is None else z[t] for z, (_, t, _) in zip(rows, at, strict=True)]
        return np.stack(found) if width else None


def inputs_of_samples(samples: Sequence[Sample], eye: np.ndarray | None = None) -> Inputs:
    """Samples of one montage as the network's input."""
    de, patches, good, there, positions = (np.stack(column) for column in zip(*samples, strict=True))
    de, patches, positions = (x.astype(np.float32, copy=False) for x in (de, patches, positions))
    keep_patches = np.ones(patches.shape[:1] + patches.shape[2:3], bool)
    eye = None if eye is None else eye.astype(np.float32, copy=False)
    return Inputs(de, patches, positions, good.astype(bool), there.astype(bool), keep_patches, eye)


def describe_subject(inference: Inference, sampler: SubjectSampler, base: str) -> tuple[np.ndarray, np.ndarray]:
    """Input of a personal classifier at every labelled second of a sampler's only subject, on a frozen baseline.

    Returns it as (n, F), see `personal.described`, and the attention (n, n_chans, n_bands).
    """
    statistics, seconds = sampler.statistics(0, frozen=True), sampler.seconds[True][0]
    chans = np.arange(sampler.subjects[0].info.n_chans)
    parts = np.array_split(seconds, max(1, len(seconds) // 64))
    inputs = (inputs_of_samples([sampler.sample(0, int(t), statistics, chans) for t in part]) for part in parts)
    found = [inference(it, lambda it, out: described(out, it, base)) for it in inputs]
    xs, attention = zip(*found, strict=True)
    return np.concatenate(xs), np.concatenate(attention)

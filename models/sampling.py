"""Batches of subjects' data: balanced and augmented for training, plain for evaluation and personal classifiers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations

import numpy as np
import torch

from realtime_mood.dsp.spec import FeatureSpec
from realtime_mood.entropy import CLIP_SD, Population, Statistics
from realtime_mood.errors import ProfileError

from .datasets.person import NO_LABEL, Person, frozen_statistics, running_statistics, standardised_eye
from .personal import described
from .reader import Batch, MoodReader
from .runtime import choose_device

LEAST_HALF_S = 20  # the mean of fewer seconds is noise rather than drift
BySecond = tuple[np.ndarray, np.ndarray]  # mean and sd, each (n_seconds, n_chans, n_bands)


@dataclass(frozen=True)
class Augment:
    """Data augmentation of training."""

    frozen_share: float = 0.5  # of samples on the subject's own baseline; the others on running statistics
    sub_montage: float = 0.7  # of batches on some of the electrodes only
    least_chans: int = 4
    most_chans: int = 32  # of a batch: time grows with them, and each batch has others
    drop_chan: float = 0.1
    noise_sd: float = 0.2  # on every DE value and feature of eye movements
    offset_sd: float = 0.15  # constant per channel and band
    drift_sd: float = 0.5  # of the factor on slow changes of other subjects within one state
    raw_noise: float = 0.2
    shift: bool = True  # raw patches end anywhere in the last second, as they do live
    short_share: float = 0.25  # of samples with a context that has only just begun


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

    def sample(self, i: int, t: int, statistics: BySecond, chans: np.ndarray, early: int = 0) -> tuple[np.ndarray, ...]:
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


def _batch(samples: Sequence[tuple[np.ndarray, ...]], eye: np.ndarray | None = None) -> Batch:
    de, patches, good, there, positions = (np.stack(column) for column in zip(*samples, strict=True))
    keep_patches = np.ones(patches.shape[:1] + patches.shape[2:3], bool)
    f, b = torch.float32, torch.bool
    return Batch(
        torch.as_tensor(de, dtype=f), torch.as_tensor(patches, dtype=f), torch.as_tensor(positions, dtype=f),
        torch.as_tensor(good, dtype=b), torch.as_tensor(there, dtype=b), torch.as_tensor(keep_patches, dtype=b),
        None if eye is None else torch.as_tensor(eye, dtype=f),
    )  # fmt: skip


def training_batches(
    sampler: SubjectSampler, size: int, seed: int, augment: Augment, n_labels: int
) -> Iterator[tuple[Batch, torch.Tensor]]:
    """Endless batches, balanced by subject and label, on random sub-montages.

    A subject who lacks some labels, as happens with ratings, gives the others.
    """
    rng = np.random.default_rng(seed)
    by_label = {
        frozen: [[t[p.label[t] == y] for y in range(n_labels)] for p, t in zip(sampler.subjects, known, strict=True)]
        for frozen, known in sampler.seconds.items()
    }
    present = [[y for y in range(n_labels) if len(rows[y])] for rows in by_label[True]]
    usable = [i for i, labels_of_subject in enumerate(present) if len(labels_of_subject) > 1]
    least = augment.least_chans
    n_all = min(augment.most_chans, *(sampler.subjects[i].info.n_chans for i in usable))
    while True:
        n_chans = n_all
        if rng.random() < augment.sub_montage:  # few more often than many: they are harder to learn from
            n_chans = least + int((n_all + 1 - least) * rng.random() ** 2)
        samples, labels, seconds = [], [], []
        for _ in range(size):
            i = int(rng.choice(usable))
            y = present[i][int(rng.integers(len(present[i])))]
            frozen = bool(rng.random() < augment.frozen_share)
            t = int(rng.choice(by_label[frozen][i][y]))
            chans = rng.permutation(sampler.subjects[i].info.n_chans)[:n_chans]
            early = int(rng.integers(sampler.spec.patch_len)) if augment.shift else 0
            samples.append(sampler.sample(i, t, sampler.statistics(i, frozen=frozen), chans, early))
            labels.append(y)
            seconds.append((i, t, frozen))
        batch = _augmented(_batch(samples, sampler.eye(seconds)), augment, rng)
        if augment.drift_sd and sampler.drifts:
            _drift(batch, sampler.drifts, augment.drift_sd, rng)
        yield batch, torch.tensor(labels)


def _drift(batch: Batch, drifts: list[tuple[np.ndarray, np.ndarray]], sd: float, rng: np.random.Generator) -> None:
    """Add slow drifts of other subjects, with either sign, so that drift alone does not look like a state."""
    change = np.empty((len(batch.de), 1, *batch.de.shape[2:]), np.float32)
    for row, positions in enumerate(batch.positions.numpy()):
        other_positions, drift = drifts[rng.integers(len(drifts))]
        nearest = np.argmax(positions @ other_positions.T, axis=1)
        change[row, 0] = drift[nearest] * rng.normal(0, sd)
    batch.de = (batch.de + torch.from_numpy(change)) * batch.keep_steps[:, :, None, None]


def _augmented(batch: Batch, augment: Augment, rng: np.random.Generator) -> Batch:
    def normal(like: torch.Tensor, sd: float) -> torch.Tensor:
        return torch.as_tensor(rng.normal(0, sd, tuple(like.shape)), dtype=torch.float32)

    de = batch.de + normal(batch.de, augment.noise_sd) + normal(batch.de[:, :1], augment.offset_sd)
    gain = torch.exp(normal(batch.patches[:, :, :1, :1], augment.raw_noise))
    patches = batch.patches * gain + normal(batch.patches, augment.raw_noise)
    kept = torch.as_tensor(rng.random(tuple(batch.keep_chans.shape)) >= augment.drop_chan)
    kept[:, :2] = True  # never empty
    n_steps = batch.keep_steps.shape[1]
    length = np.where(rng.random(len(de)) < augment.short_share, rng.integers(4, n_steps, len(de)), n_steps)
    recent = torch.as_tensor(np.arange(n_steps)[None] >= n_steps - length[:, None])
    keep_steps = batch.keep_steps & recent
    de = de * keep_steps[:, :, None, None]
    eye = None if batch.eye is None else batch.eye + normal(batch.eye, augment.noise_sd)
    return Batch(de, patches, batch.positions, batch.keep_chans & kept, keep_steps, batch.keep_patches, eye)


def plain_batches(
    sampler: SubjectSampler, i: int, *, frozen: bool, chans: np.ndarray
) -> Iterator[tuple[Batch, np.ndarray]]:
    """Batches of all labelled seconds of subject `i` without augmentation, and their labels."""
    statistics, seconds = sampler.statistics(i, frozen=frozen), sampler.seconds[frozen][i]
    for part in np.array_split(seconds, max(1, len(seconds) // 64)):
        samples = [sampler.sample(i, int(t), statistics, chans) for t in part]
        yield _batch(samples, sampler.eye([(i, int(t), frozen) for t in part])), sampler.subjects[i].label[part]


@torch.inference_mode()
def describe_subject(
    reader: MoodReader, sampler: SubjectSampler, base: str, device: str
) -> tuple[np.ndarray, np.ndarray]:
    """Input of a personal classifier at every labelled second of a sampler's only subject, on a frozen baseline.

    Returns it as (n, F), see `personal.described`, and the attention (n, n_chans, n_bands).
    """
    where = choose_device(device)
    reader, chans = reader.to(where), np.arange(sampler.subjects[0].info.n_chans)
    xs, attention = [], []
    for plain, _ in plain_batches(sampler, 0, frozen=True, chans=chans):
        batch = plain.to(where)
        out = reader(batch)
        xs.append(described(out, batch, base).cpu().double().numpy())
        attention.append(out.attention.cpu().numpy())
    return np.concatenate(xs), np.concatenate(attention)

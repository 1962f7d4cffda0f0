"""Batches of subjects' data: balanced and augmented for training, plain for evaluation."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from .reader import Batch
from .subject_sampler import Sample, SubjectSampler, inputs_of_samples


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
    raw_noise: float = 0.2  # of patches, and of their gain
    spectral_noise: float = 0.05  # the same where tokens are spectra: more would hide what is weak above 20 Hz
    shift: bool = True  # raw patches end anywhere in the last second, as they do live
    short_share: float = 0.25  # of samples with a context that has only just begun


def _batch(samples: Sequence[Sample], eye: np.ndarray | None = None) -> Batch:
    return Batch.of(inputs_of_samples(samples, eye))


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

"""Fits what `familiarity` measures with to the subjects of a readout, and its limits to those left out of each fold."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from realtime_mood.dsp.spec import FeatureSpec
from realtime_mood.entropy import Population

from .card import ReadoutCard
from .datasets.person import Person
from .evaluation.splits import Split
from .familiarity import LEAST_SD, Context, Gaussian, Sites, TrainingSignals
from .subject_sampler import SubjectSampler

FAMILIAR_DEVICE, FAMILIAR_FEATURES = 0.98, 0.99
"""Share of the readings of held-out subjects within each limit."""
SECONDS = 24  # of a subject, evenly spaced
MONTAGES = 4  # all electrodes, and random parts of them as in training
LEAST_CHANS = 4
LEAST_SUBJECTS = 3
Rows = list[np.ndarray]
"""Of each subject, (n, n_features)."""


def with_familiarity(
    card: ReadoutCard, subjects: Sequence[Person], spec: FeatureSpec, splits: Sequence[Split], seed: int
) -> tuple[ReadoutCard, dict[str, float]]:
    """The card with what its readout is familiar with; and the share of held-out readings that are unfamiliar to it.

    For each of `splits`, the Gaussians of its training subjects measure the others. Where fewer than `LEAST_SUBJECTS`
    have a reading, the card stays as it is.
    """
    pop = Population(np.array(card.population_mean), np.array(card.population_sd))
    sampler = SubjectSampler(subjects, pop, spec)
    at = {
        frozen: [spaced(seconds_of(sampler, i, frozen=frozen)) for i in range(len(subjects))]
        for frozen in (False, True)
    }
    if sum(len(seconds) > 0 for seconds in at[True]) < LEAST_SUBJECTS:
        return card, {}
    sites, width = sites_of(sampler, at[False]), 3 * spec.n_bands + 2
    device: dict[bool, Rows] = {}
    features: dict[bool, Rows] = {}
    for frozen, of_mode in at.items():
        rows = [summaries(sampler, i, t, sites, frozen=frozen, seed=seed) for i, t in enumerate(of_mode)]
        device[frozen], features[frozen] = ([row[:, part] for row in rows] for part in np.s_[:width, width:])
    off_device = {frozen: held_out(device[False], device[frozen], splits) for frozen in at}
    of_device = fitted(device[False], off_device[False], FAMILIAR_DEVICE)
    trust, unfamiliar = {}, {}
    for frozen, key, name in ((True, "own_baseline", "own baseline"), (False, "no_baseline", "no baseline")):
        off = held_out(features[frozen], features[frozen], splits)
        of_features = fitted(features[frozen], off, FAMILIAR_FEATURES)
        trust[key] = getattr(card, key).model_copy(update={"features": of_features})
        most = np.maximum(off_device[frozen] / of_device.limit, off / of_features.limit)
        unfamiliar[name] = round(float(np.mean(most > 1)), 4)
    return card.model_copy(update={**trust, "device": TrainingSignals(sites=sites, gaussian=of_device)}), unfamiliar


# -- Gaussians ----------------------------------------------------------------------------------------------------


def held_out(train: Rows, tested: Rows, splits: Sequence[Split]) -> np.ndarray:
    """Distances (n,) of the rows `tested` of each fold's held-out subjects from the rows `train` of the others."""
    found = []
    for split in splits:
        gaussian = Gaussian.of(np.concatenate([train[i] for i in split.train]))
        found.append(gaussian(np.concatenate([tested[i] for i in split.left])))
    return np.concatenate(found)


def fitted(rows: Rows, distances: np.ndarray, share: float) -> Gaussian:
    """The Gaussian of all subjects, with the limit that this share of held-out `distances` keeps."""
    return Gaussian.of(np.concatenate(rows), round(float(np.quantile(distances, share)), 4))


# -- summaries ----------------------------------------------------------------------------------------------------


def seconds_of(sampler: SubjectSampler, i: int, *, frozen: bool) -> np.ndarray:
    """Seconds (n,) of subject `i` with as much before them as a reading needs; after the baseline where `frozen`."""
    p, spec = sampler.subjects[i], sampler.spec
    t = np.arange(len(p.label))
    least = spec.n_patches + round(spec.settle_s / spec.step_s) - 1
    recent = np.stack([p.there[np.maximum(t - back, 0)] for back in range(spec.n_patches)]).all(axis=0)
    enough = p.good.sum(axis=1) >= max(2, p.info.n_chans / 2)
    return np.flatnonzero(recent & enough & (t - sampler.starts[i] >= least) & ~(p.rest & frozen))


def spaced(seconds: np.ndarray) -> np.ndarray:
    """At most `SECONDS` of them, evenly spaced."""
    return seconds[np.linspace(0, len(seconds) - 1, min(SECONDS, len(seconds))).astype(int)]


def context_at(sampler: SubjectSampler, i: int, t: int, chans: np.ndarray, *, frozen: bool) -> Context:
    """The context of subject `i` that ends with second `t`, on the electrodes `chans`."""
    z, patches, _, there, _ = sampler.sample(i, t, sampler.statistics(i, frozen=frozen), chans)
    steps = np.arange(t - len(there) + 1, t + 1)[there]
    return Context(sampler.subjects[i].de[steps][:, chans], z[there], patches)


def sites_of(sampler: SubjectSampler, at: Sequence[np.ndarray]) -> Sites:
    """DE by electrode site, of the seconds `at` of each subject."""
    found: dict[str, list[tuple[np.ndarray, np.ndarray]]] = {}
    for i, p in enumerate(sampler.subjects):
        for t in at[i]:
            chans = np.flatnonzero(p.good[t])
            de = context_at(sampler, i, int(t), chans, frozen=False).de
            for c, mean, change in zip(chans, de.mean(axis=0), np.log(de.std(axis=0) + LEAST_SD), strict=True):
                found.setdefault(p.info.ch_names[c], []).append((mean, change))
    by_site = {name: np.array(rows, float) for name, rows in sorted(found.items())}  # (n, 2, n_bands)

    def table(rows: Sequence[np.ndarray]) -> tuple[tuple[float, ...], ...]:
        return tuple(tuple(row.round(4).tolist()) for row in rows)

    return Sites(
        names=tuple(by_site),
        mean=table([x[:, 0].mean(axis=0) for x in by_site.values()]),
        sd=table([np.maximum(x[:, 0].std(axis=0), LEAST_SD) for x in by_site.values()]),
        change=table([x[:, 1].mean(axis=0) for x in by_site.values()]),
    )


def summaries(sampler: SubjectSampler, i: int, at: np.ndarray, sites: Sites, *, frozen: bool, seed: int) -> np.ndarray:
    """Summaries (n, n_features) of device and features at the seconds `at`, on all electrodes and on some."""
    p, rng = sampler.subjects[i], np.random.default_rng([seed, i])
    n_all, n_bands = p.info.n_chans, p.de.shape[2]
    found = [np.empty((0, 5 * n_bands + 2))]
    for k in range(MONTAGES):
        for t in at:
            n = LEAST_CHANS + int((n_all + 1 - LEAST_CHANS) * rng.random() ** 2) if k else n_all
            chans = rng.permutation(n_all)[:n]
            chans = chans[p.good[t, chans]]
            if len(chans) >= max(2, n / 2):
                context = context_at(sampler, i, int(t), chans, frozen=frozen)
                both = context.of_device(sites.at(p.positions[chans])), context.of_features()
                found.append(np.concatenate(both)[None])
    return np.concatenate(found)

"""Input of every method: the same seconds, context, channels and statistics of a subject.

Tracks define what is known of a subject: ``z`` fixed population statistics only; ``c1`` and ``c5`` one and five minutes
of the subject's rest, fixed; ``l`` one minute, and the first labelled trials (see `own_trials`); ``drifting`` one
minute, whose statistics then drift like those of a profile in live use; ``running`` no baseline, statistics that adapt
as in live use without a profile; ``t`` statistics of the scored seconds themselves (transductive), as in much of the
literature, which are not available live. The seconds of the baseline are left out of the scores on every track, so
that tracks can be compared.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from realtime_mood.dsp.spec import FeatureSpec
from realtime_mood.entropy import Population, Statistics
from realtime_mood.errors import ConfigError
from realtime_mood.profile import Normaliser, Profile

from ..datasets.person import Person, frozen_statistics, means_of, running_statistics, standardised_eye
from ..subject_sampler import labelled_seconds, piece_starts

BASELINE_S = {"z": 60, "c1": 60, "c5": 300, "drifting": 60, "running": 60, "t": 60, "l": 60}
"""Seconds of rest at the start that are not scored; on ``c1``, ``c5`` and ``l`` they are the baseline."""
BLOCK = 512  # contexts at a time
MOST_NUMBERS = 2**25
"""In the features that a method is fitted to: 256 MB. Of more training windows, evenly spaced ones are taken."""
STILL = ("z", "c1", "c5", "t", "l")
MOST_CONTEXTS = 10_000  # of all subjects together, from which on only some are scored


def check_track(track: str) -> None:
    """Raise `ConfigError` for a track that is not available."""
    if track not in BASELINE_S:
        raise ConfigError(f"track {track!r}", "unknown", f"use {', '.join(BASELINE_S)}")


def scored_seconds(p: Person, spec: FeatureSpec) -> np.ndarray:
    """The labelled seconds after the baseline whose last `n_patches` seconds are there; one of `Person.every`."""
    at = labelled_seconds(p, spec)
    at = at[~p.rest[at]]
    if p.every == 1:
        return at
    assert p.trial is not None
    numbers, row = np.unique(p.trial[at], return_inverse=True)
    last = np.zeros(len(numbers), int)
    np.maximum.at(last, row, at)
    return at[(last[row] - at) % p.every == 0]


def thinned(subjects: Sequence[Person], spec: FeatureSpec) -> list[Person]:
    """Subjects of whom no more seconds are scored than `MOST_CONTEXTS` together, as far as contexts still touch.

    Contexts of neighbouring seconds overlap by nine tenths: in long trials most of them cost time and memory only.
    Each trial keeps its last second. Training of the Mood Reader sees all seconds.
    """
    every = min(spec.n_steps, every_nth(n_scored(subjects, spec), MOST_CONTEXTS))
    return [replace(p, every=every) for p in subjects]


def n_scored(subjects: Sequence[Person], spec: FeatureSpec) -> int:
    """The number of scored windows of all `subjects`."""
    return sum(len(scored_seconds(p, spec)) for p in subjects)


def every_nth(n_windows: int, most: int) -> int:
    """Of how many windows one is taken, so that there are about `most` at most."""
    return max(1, -(-n_windows // most))


@dataclass(frozen=True, eq=False)
class Contexts:
    """The contexts of one subject's n scored seconds on some channels, with the statistics of one track."""

    person: Person
    spec: FeatureSpec
    track: str
    chans: np.ndarray  # (n_chans,) int
    at: np.ndarray  # (n,) int: the second each context ends with
    mean: np.ndarray  # (n_seconds, n_chans, n_bands): the statistics at every second
    sd: np.ndarray
    eyes: np.ndarray | None = None  # (n_seconds, n_features): eye movements in standard deviations, NaN where missing

    def __len__(self) -> int:
        return len(self.at)

    @property
    def labels(self) -> np.ndarray:
        """(n,) int."""
        return self.person.label[self.at]

    @cached_property
    def steps(self) -> np.ndarray:
        """(n, n_steps) int: the seconds of each context, oldest first; may be of an earlier piece where not `there`."""
        return np.maximum(self.at[:, None] + np.arange(1 - self.spec.n_steps, 1), 0)

    @cached_property
    def there(self) -> np.ndarray:
        """(n, n_steps) bool: of the same piece of signal, and not masked."""
        seconds = self.at[:, None] + np.arange(1 - self.spec.n_steps, 1)
        return (seconds >= piece_starts(self.person)[self.at][:, None]) & self.person.there[self.steps]

    @property
    def good(self) -> np.ndarray:
        """(n, n_chans) bool: the electrode can be trusted."""
        return self.person.good[self.at][:, self.chans]

    @property
    def eye(self) -> np.ndarray | None:
        """(n, n_features), in standard deviations; NaN where no eye was seen. None for a subject without."""
        return None if self.eyes is None else self.eyes[self.at]

    @property
    def positions(self) -> np.ndarray:
        """(n_chans, 3) unit vectors."""
        return self.person.positions[self.chans]

    @cached_property
    def de(self) -> np.ndarray:
        """(n, n_steps, n_chans, n_bands), in standard deviations; zero where not `there`."""
        return self._standardised(np.arange(len(self)), raw=False)

    @cached_property
    def mean_de(self) -> np.ndarray:
        """(n, n_chans·n_bands): the average of `de` over the context, zero for electrodes that cannot be trusted."""
        blocks = np.array_split(np.arange(len(self)), len(self) // BLOCK + 1)  # `de` would take ten times the memory
        sums = np.concatenate([self._standardised(rows, raw=False).sum(axis=1) for rows in blocks])
        average = sums / self.there.sum(axis=1)[:, None, None]
        return (average * self.good[:, :, None]).reshape(len(self), -1)

    def by_trial(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Numbers of the trials (m,), the row of each context's trial (n,), and means of x (n, F) by trial (m, F)."""
        assert self.person.trial is not None
        numbers, row = np.unique(self.person.trial[self.at], return_inverse=True)
        return numbers, row, means_of(x, row, len(numbers))

    def microvolts(self, rows: Sequence[int] | np.ndarray) -> np.ndarray:
        """(n_rows, n_chans, n_steps·patch_len) at the patches' rate, µV; zero where not `there`."""
        rows = np.asarray(rows)
        raw = self.person.patches[self.steps[rows]][:, :, self.chans].astype(np.float32)  # (m, S, C, L)
        raw *= self.there[rows][:, :, None, None]
        return raw.transpose(0, 2, 1, 3).reshape(len(rows), len(self.chans), -1)

    def raw(self, rows: Sequence[int] | np.ndarray) -> np.ndarray:
        """`microvolts` divided by the rms of the statistics and clipped: a network's input."""
        return self._standardised(np.asarray(rows), raw=True)

    def _same_statistics(self, rows: np.ndarray) -> list[np.ndarray]:
        """`rows` in runs that share their statistics: those of a session where they stand still, else each row."""
        if self.track not in STILL:
            return list(rows[:, None])
        if self.person.session is None:
            return [rows]
        return np.split(rows, np.flatnonzero(np.diff(self.person.session[self.at[rows]])) + 1)

    def _standardised(self, rows: np.ndarray, *, raw: bool) -> np.ndarray:
        """DE or raw signal of some contexts, standardised by the statistics of their last second."""
        n_chans, n_steps = len(self.chans), self.spec.n_steps
        parts: list[np.ndarray] = []
        for some in self._same_statistics(rows):
            known = Statistics(self.mean[self.at[some[0]]], self.sd[self.at[some[0]]])
            de = self.person.de[self.steps[some]][:, :, self.chans].reshape(len(some) * n_steps, n_chans, -1)
            patches = np.empty((n_chans, 0, self.spec.patch_len), np.float32)
            if raw:
                signal = self.microvolts(some).swapaxes(0, 1)
                patches = signal.reshape(n_chans, len(some) * n_steps, self.spec.patch_len)
            z, scaled = known.standardise(de, patches, ~self.there[some].ravel())
            if raw:
                parts.append(scaled.reshape(n_chans, len(some), -1).swapaxes(0, 1))
            else:
                parts.append(z.reshape(len(some), n_steps, n_chans, -1))
        return np.concatenate(parts)


def drifting_statistics(p: Person, pop: Population, spec: FeatureSpec) -> tuple[np.ndarray, np.ndarray]:
    """Mean and sd (n_seconds, n_chans, n_bands) of a profile in live use: from the end of the baseline they drift."""
    mean, sd = (np.array(x, float) for x in frozen_statistics(p, pop, spec))
    for at in p.sessions:
        normaliser = Normaliser(Statistics(mean[at[0]], sd[at[0]]), 1.0, frozen=True)
        for t in at[at > at[p.rest[at]].max(initial=-1)]:
            if p.there[t]:
                normaliser.take_in(p.de[t].astype(np.float64), p.good[t][:, None], spec.step_s)
            mean[t] = normaliser.statistics.mean
    return mean, sd


def transductive_statistics(p: Person, pop: Population, spec: FeatureSpec) -> tuple[np.ndarray, np.ndarray]:
    """Mean and sd (n_seconds, n_chans, n_bands) of the scored seconds themselves, labels unseen."""
    at = scored_seconds(p, spec)
    good = (p.good & p.there[:, None])[at]
    fixed = Profile.from_steps(p.info, spec, p.de[at], good).statistics(p.info, spec, pop.sd)
    return np.broadcast_to(fixed.mean, p.de.shape), np.broadcast_to(fixed.sd, p.de.shape)


def population_statistics(p: Person, pop: Population, spec: FeatureSpec) -> tuple[np.ndarray, np.ndarray]:
    """Mean and sd (n_seconds, n_chans, n_bands) of the population."""
    fixed = Statistics.of_population(pop.mean, pop.sd, p.info.n_chans)
    return np.broadcast_to(fixed.mean, p.de.shape), np.broadcast_to(fixed.sd, p.de.shape)


STATISTICS = {
    "z": population_statistics, "c1": frozen_statistics, "c5": frozen_statistics, "drifting": drifting_statistics,
    "running": running_statistics, "t": transductive_statistics, "l": frozen_statistics,
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class View:
    """The input of a fit: labels, track and channels, and the population statistics of its training subjects."""

    labels: tuple[str, ...]
    spec: FeatureSpec
    track: str
    ch_names: tuple[str, ...]
    population: Population

    def contexts(self, p: Person) -> Contexts:
        """Scored seconds of `p`."""
        mean, sd = STATISTICS[self.track](p, self.population, self.spec)
        chans = np.array([p.info.ch_names.index(name) for name in self.ch_names])
        at = scored_seconds(p, self.spec)
        eyes = standardised_eye(p, self.population, self.spec, STATISTICS[self.track])
        return Contexts(p, self.spec, self.track, chans, at, _of_channels(mean, chans), _of_channels(sd, chans), eyes)

    def training(self, subjects: Sequence[Person], most: int) -> Iterator[Contexts]:
        """Contexts of training subjects, one subject at a time; `every_nth` of them, which is all where they are few.

        Neighbouring windows share nine of their ten seconds, so that little is lost.
        """
        step = every_nth(n_scored(subjects, self.spec), most)
        for c in map(self.contexts, subjects):
            yield replace(c, at=c.at[::step])

    def features(
        self, subjects: Sequence[Person], most: int, of: Callable[[Contexts], np.ndarray]
    ) -> tuple[np.ndarray, np.ndarray]:
        """Features ``of(contexts)`` (n, n_features), and labels (n,), of the `training` contexts."""
        step = every_nth(n_scored(subjects, self.spec), most)
        n, first, x = sum(len(scored_seconds(p, self.spec)[::step]) for p in subjects), 0, np.empty((0, 0))
        y = np.empty(n, int)
        for c in self.training(subjects, most):
            rows, found = slice(first, first := first + len(c)), of(c)
            if not x.size:
                x = np.empty((n, found.shape[1]), found.dtype)  # parts, then joined, would take twice as much
            x[rows], y[rows] = found, c.labels
        return x, y


def _of_channels(statistics: np.ndarray, chans: np.ndarray) -> np.ndarray:
    """``statistics[:, chans]``, which stays one row where all are the same one."""
    if statistics.strides[0]:
        return statistics[:, chans]
    return np.broadcast_to(statistics[:1, chans], (len(statistics), len(chans), *statistics.shape[2:]))

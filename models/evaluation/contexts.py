"""Input of every method: the same seconds, context, channels and statistics of a subject.

Tracks define the prior knowledge of a subject: ``z`` fixed population statistics only; ``c1`` and ``c5`` one and five
minutes of the subject's unlabelled rest, fixed; ``drifting`` one minute, whose statistics then drift slowly, as a
profile's do in live use; ``running`` no baseline, statistics that adapt to the subject as in live use without a
profile; ``t`` statistics of the scored seconds themselves (transductive), as in much of the literature, which are not
available live. On every track the seconds of the baseline are left out of the scores, so that tracks can be
compared.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from realtime_mood.dsp.spec import FeatureSpec
from realtime_mood.entropy import Population, Statistics
from realtime_mood.errors import ConfigError
from realtime_mood.profile import Normaliser, Profile

from ..datasets.person import NO_LABEL, Person, frozen_statistics, running_statistics

BASELINE_S = {"z": 60, "c1": 60, "c5": 300, "drifting": 60, "running": 60, "t": 60}
"""Seconds of rest at the start that are not scored; on ``c1`` and ``c5`` they are the baseline."""
STILL = ("z", "c1", "c5", "t")


def check_track(track: str) -> None:
    """Raise `ConfigError` for a track that is not available."""
    if track == "l":
        raise ConfigError("track 'l'", "labelled calibration is not there yet", "it comes with calibration; use c1")
    if track not in BASELINE_S:
        raise ConfigError(f"track {track!r}", "unknown", f"use {', '.join(BASELINE_S)}")


def scored_seconds(p: Person, spec: FeatureSpec) -> np.ndarray:
    """The labelled seconds after the baseline whose last `n_patches` seconds are there."""
    t = np.arange(len(p.label))
    begin = np.searchsorted(p.piece, p.piece)
    recent = np.stack([p.there[np.maximum(t - back, 0)] for back in range(spec.n_patches)]).all(axis=0)
    return np.flatnonzero((p.label != NO_LABEL) & recent & (t - begin >= spec.n_patches - 1) & ~p.rest)


@dataclass(frozen=True, eq=False)
class Contexts:
    """All scored seconds of one subject, n of them, as one track shows them on some channels."""

    person: Person
    spec: FeatureSpec
    track: str
    chans: np.ndarray  # (n_chans,) int
    at: np.ndarray  # (n,) int: the second each context ends with
    mean: np.ndarray  # (n_seconds, n_chans, n_bands): the statistics at every second
    sd: np.ndarray

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
        begin = np.searchsorted(self.person.piece, self.person.piece)[self.at]
        wanted = self.at[:, None] + np.arange(1 - self.spec.n_steps, 1)
        return (wanted >= begin[:, None]) & self.person.there[self.steps]

    @property
    def good(self) -> np.ndarray:
        """(n, n_chans) bool: the electrode can be trusted."""
        return self.person.good[self.at][:, self.chans]

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
        average = self.de.sum(axis=1) / self.there.sum(axis=1)[:, None, None]
        return (average * self.good[:, :, None]).reshape(len(self), -1)

    def microvolts(self, rows: Sequence[int] | np.ndarray) -> np.ndarray:
        """(n_rows, n_chans, n_steps·patch_len) at the patches' rate, µV; zero where not `there`."""
        rows = np.asarray(rows)
        raw = self.person.patches[self.steps[rows]][:, :, self.chans].astype(np.float32)  # (m, S, C, L)
        raw *= self.there[rows][:, :, None, None]
        return raw.transpose(0, 2, 1, 3).reshape(len(rows), len(self.chans), -1)

    def raw(self, rows: Sequence[int] | np.ndarray) -> np.ndarray:
        """The same in the rms of the statistics, clipped: what a network is fed."""
        return self._standardised(np.asarray(rows), raw=True)

    def _same_statistics(self, rows: np.ndarray) -> list[np.ndarray]:
        """`rows` in runs that share their statistics: those of a session where they stand still, else each row."""
        if self.track not in STILL:
            return list(rows[:, None])
        if self.person.session is None:
            return [rows]
        return np.split(rows, np.flatnonzero(np.diff(self.person.session[self.at[rows]])) + 1)

    def _standardised(self, rows: np.ndarray, *, raw: bool) -> np.ndarray:
        """Some contexts' DE or raw signal on the statistics of the second they end with."""
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
    found = Profile.from_steps(p.info, spec, p.de[at], good).statistics(p.info, spec, pop.sd)
    return np.broadcast_to(found.mean, p.de.shape), np.broadcast_to(found.sd, p.de.shape)


@dataclass(frozen=True, eq=False)
class View:
    """How a fit sees subjects: the statistics are of those it was given to learn from."""

    labels: tuple[str, ...]
    spec: FeatureSpec
    track: str
    ch_names: tuple[str, ...]
    population: Population

    def contexts(self, p: Person) -> Contexts:
        """Scored seconds of `p`."""
        shape = p.de.shape
        if self.track in ("c1", "c5"):
            mean, sd = frozen_statistics(p, self.population, self.spec)
        elif self.track == "z":
            still = Statistics.of_population(self.population.mean, self.population.sd, p.info.n_chans)
            mean, sd = np.broadcast_to(still.mean, shape), np.broadcast_to(still.sd, shape)
        elif self.track == "t":
            mean, sd = transductive_statistics(p, self.population, self.spec)
        elif self.track == "drifting":
            mean, sd = drifting_statistics(p, self.population, self.spec)
        else:
            mean, sd = running_statistics(p, self.population, self.spec)
        chans = np.array([p.info.ch_names.index(name) for name in self.ch_names])
        at = scored_seconds(p, self.spec)
        return Contexts(p, self.spec, self.track, chans, at, mean[:, chans], sd[:, chans])

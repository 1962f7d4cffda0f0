"""Value of a minute of rest, and of whitening the signal with it: EEGMAT, held-out subjects."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import torch
from scipy.linalg import fractional_matrix_power

from realtime_mood.dsp.spec import FeatureSpec
from realtime_mood.entropy import Population, Statistics
from realtime_mood.models.datasets import eegmat
from realtime_mood.models.datasets.person import NO_LABEL, Person, person, population
from realtime_mood.models.evaluation.baselines import Classical
from realtime_mood.models.evaluation.cohorts import CHANNEL_SETS
from realtime_mood.models.evaluation.contexts import Contexts, View, scored_seconds
from realtime_mood.models.evaluation.figures import Scores, of_person
from realtime_mood.models.evaluation.mood_reader import ReaderMethod
from realtime_mood.models.evaluation.splits import plan
from realtime_mood.profile import Profile

SECONDS = (0, 15, 30, 60, 120)
TESTED_FROM_S = 120  # whatever the baseline, the same seconds are scored: the third minute of rest, and arithmetic
SETS = ("19", "8", "4")
METHODS = {"lr": {"C": 5e-3}, "svm": {"C": 1.0, "width": 0.1}}
SHRUNK = 0.05  # of a covariance towards its mean variance: EEGMAT's 19 electrodes are not of full rank
ARCHIVE = "eegmat_dev24_125hz.npz"
Row = tuple[str, int, str, str, dict]


def whitened(path: Path, spec: FeatureSpec, mean: str) -> Iterator[Person]:
    """EEGMAT with every person's signal multiplied by the inverse root of their resting minute's mean covariance.

    `mean` is ``euclid`` (He & Wu 2020, Euclidean alignment) or ``riemann`` (Zanini et al. 2018); none where empty.
    """
    from pyriemann.geometry.mean import mean_euclid, mean_riemann

    kept = eegmat.person

    def person_(name, info, pieces, labels, rest, spec):
        if mean:
            x = pieces[0][: len(pieces[0]) // round(info.sfreq) * round(info.sfreq)]
            x = (x - x.mean(0)).reshape(-1, round(info.sfreq), x.shape[1])[4:]
            cov = np.einsum("tsc,tsd->tcd", x, x) / x.shape[1]
            cov += SHRUNK * np.trace(cov, axis1=1, axis2=2)[:, None, None] / x.shape[2] * np.eye(x.shape[2])
            root = np.real(fractional_matrix_power({"euclid": mean_euclid, "riemann": mean_riemann}[mean](cov), -0.5))
            scale = np.sqrt(np.mean(x**2))
            pieces = [(piece @ root * scale).astype(np.float32) for piece in pieces]
        made = person(name, info, pieces, labels, rest, spec)
        # Whitened electrodes look unlike each other, as ones that have come off do: quality is of the signal before.
        return replace(made, good=np.ones_like(made.good)) if mean else made

    eegmat.person = person_  # the one place where people are made of EEGMAT's signal
    try:
        yield from eegmat.people(path, spec)
    finally:
        eegmat.person = kept


def contexts(p: Person, pop: Population, spec: FeatureSpec, names: tuple[str, ...], seconds: int) -> Contexts:
    """What a method is shown of a person whose first `seconds` of rest are known."""
    chans = np.array([p.info.ch_names.index(name) for name in names])
    if seconds:
        at = slice(0, seconds)
        good = (p.good & p.there[:, None])[at]
        known = Profile.from_steps(p.info, spec, p.de[at], good, least_s=5).statistics(p.info, spec, pop.sd)
    else:
        known = Statistics.of_population(pop.mean, pop.sd, p.info.n_chans)
    shape = p.de.shape
    mean, sd = (np.broadcast_to(x, shape)[:, chans] for x in (known.mean, known.sd))
    label = np.where(np.arange(len(p.label)) < TESTED_FROM_S, NO_LABEL, p.label)
    tested = replace(p, label=label)
    return Contexts(tested, spec, "c1", chans, scored_seconds(tested, spec), mean, sd)


class _View:
    """How a classical method sees the people it learns from, at one length of baseline."""

    def __init__(self, pop: Population, spec: FeatureSpec, names: tuple[str, ...], seconds: int) -> None:
        self.labels, self._how = eegmat.LABELS, (pop, spec, names, seconds)

    def contexts(self, p: Person) -> Contexts:
        return contexts(p, *self._how)


def fold(split, data: Path, mean: str, encoder: str, lengths: tuple[int, ...]) -> list[Row]:
    """(method, seconds, channels, person, figures) of everybody one split leaves out."""
    torch.set_num_threads(1)
    spec, found = FeatureSpec(), []
    people = list(whitened(data / ARCHIVE, spec, mean))
    train = [people[i] for i in split.train]
    pop = population(train)
    reader = ReaderMethod(encoder=Path(encoder)).fit(
        train, View(eegmat.LABELS, spec, "c1", CHANNEL_SETS["19"], pop), {"steps": 500}, 0
    )
    for seconds in lengths:
        for channels in SETS:
            names = CHANNEL_SETS[channels]
            view = _View(pop, spec, names, seconds)
            scorers = {key: Classical(key).fit(train, view, METHODS[key], 0) for key in METHODS} | {"reader": reader}  # type: ignore[arg-type]
            for i in split.left:
                c = contexts(people[i], pop, spec, names, seconds)
                for method, score in scorers.items():
                    figures = of_person(Scores(score(c), c.labels), 1.0)
                    kept = {key: figures[key] for key in ("balanced_accuracy", "auc")}
                    found.append((method, seconds, channels, people[i].name, kept))
    return found


def study(data: Path, encoder: str, mean: str, lengths: tuple[int, ...] = SECONDS) -> list[Row]:
    """Eight groups of people, each left out once."""
    splits = [f.split for f in plan(24, "groups", 8, 1, 0)]
    with ProcessPoolExecutor(2, get_context("spawn")) as pool:
        work = partial(fold, data=data, mean=mean, encoder=encoder, lengths=lengths)
        return [row for rows in pool.map(work, splits) for row in rows]

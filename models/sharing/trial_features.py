"""Trials of EEG as subjects to train on: their seconds, their baseline, and what these are compared with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from realtime_mood.dsp.spec import FeatureSpec
from realtime_mood.entropy import Population
from realtime_mood.errors import ConfigError
from realtime_mood.pipeline import Pipeline
from realtime_mood.types import Chunk, StreamInfo

from ..datasets.person import NO_LABEL, Person, means_of, population
from ..subject_sampler import SubjectSampler, labelled_seconds, piece_starts
from .torch_features import settle_s, sites_of

Baseline = tuple[float, float] | None


@dataclass(frozen=True, eq=False)
class Trials:
    """Signals of equal length."""

    signal: np.ndarray  # (n_trials, n_chans, n_times), µV
    sfreq: float
    ch_names: tuple[str, ...]

    def chosen(self, which: np.ndarray) -> Trials:
        """Some of them."""
        return replace(self, signal=self.signal[which])


def trials_of(X: Any, sfreq: float | None, ch_names: Sequence[str] | None) -> Trials:
    """Arrays, ``mne.Epochs`` or a sequence of these (as scikit-learn selects them) as `Trials`."""
    if isinstance(X, list | tuple) and X and hasattr(X[0], "get_data"):
        from mne import concatenate_epochs

        X = concatenate_epochs(list(X), verbose="error")
    if hasattr(X, "get_data"):
        epochs = X.copy().load_data().pick("eeg", exclude=())
        return Trials(epochs.get_data(units="uV"), float(epochs.info["sfreq"]), sites_of(epochs.ch_names))
    x, asked = np.asarray(X), "trials (n_trials, n_chans, n_times)"
    if sfreq is None or ch_names is None:
        raise ConfigError(asked, "sampling rate or electrodes are unknown", "give sfreq and ch_names, or mne.Epochs")
    if x.ndim != 3 or not x.size or x.dtype.kind not in "fiu":
        raise ConfigError(asked, f"an array of {x.dtype} of shape {x.shape}", "give an array of µV with 3 dimensions")
    if x.shape[1] != len(ch_names):
        found = f"{x.shape[1]} channels and {len(ch_names)} names"
        raise ConfigError(asked, found, "give a name for each channel")
    return Trials(x, float(sfreq), sites_of(ch_names))


def spec_of(trials: Trials, baseline: Baseline) -> FeatureSpec:
    """The features, with the time that trials leave for the filters to settle."""
    spec, seconds = FeatureSpec(), trials.signal.shape[2] / trials.sfreq
    if seconds < spec.context_s:
        raise ConfigError("trials of EEG", f"they last {seconds:.3g} s", f"give {spec.context_s:g} s or more")
    settle = min(settle_s(spec, np.floor(seconds)), baseline[0] if baseline else np.inf)
    return spec.model_copy(update={"settle_s": float(settle)})


def subject_of(trials: Trials, label: np.ndarray, spec: FeatureSpec, baseline: Baseline) -> Person:
    """One subject whose pieces are the trials; the seconds of the baseline are its rest."""
    info, n_trials = StreamInfo(trials.ch_names, trials.sfreq, "trials"), len(trials.signal)
    # One stream with gaps, at which filters restart, costs less than a pipeline for each trial.
    pipeline = Pipeline(info, spec.model_copy(update={"hop_s": spec.step_s}), None)  # type: ignore[arg-type]
    apart_s = int(np.ceil(trials.signal.shape[2] / trials.sfreq) + spec.context_s + 1)
    found: list[tuple[Any, ...]] = []  # trial, DE, patch, whether both are there, good channels
    for k, x in enumerate(trials.signal):
        first = round(k * apart_s * trials.sfreq)
        chunk = Chunk(np.asarray(x.T, np.float64), first, (first + len(x.T)) / trials.sfreq)
        for window in pipeline.push(chunk):
            de, patch, is_there = pipeline.newest(window)
            found.append((k, de, patch.astype(np.float16), is_there, window.quality.good))
    _check_seconds(np.array([row[0] for row in found]), n_trials, "a second to classify")
    piece, de, patches, there, good = (np.array(column) for column in zip(*found, strict=True))
    t = np.arange(len(piece)) - np.searchsorted(piece, piece)
    rest = np.zeros(len(piece), bool) if baseline is None else (t >= baseline[0]) & (t + 1 <= baseline[1])
    label = np.where(rest, NO_LABEL, label[piece])
    p = Person("trials", info, de, patches, there, good, piece, label, rest, sha256="")
    _check_seconds(piece[labelled_seconds(p, spec)], n_trials, "a second to classify")
    if baseline is not None:
        _check_seconds(piece[rest & p.there], n_trials, f"baseline from {baseline[0]:g} to {baseline[1]:g} s")
    return p


def _check_seconds(piece: np.ndarray, n_trials: int, what: str) -> None:
    if len(missing := np.setdiff1d(np.arange(n_trials), piece)):
        found = f"none in {len(missing)} of {n_trials} trials, the first is number {missing[0]}"
        raise ConfigError(f"{what} in every trial", found, "leave them out, or give longer ones or another baseline")


class TrialSampler(SubjectSampler):
    """Samples of subjects whose trials are compared with their own baseline, or with the population."""

    def __init__(self, subjects: Sequence[Person], pop: Population, spec: FeatureSpec, baseline: Baseline) -> None:
        self.subjects, self.spec = list(subjects), spec
        self.frozen = self.running = [_statistics(p, pop, baseline) for p in self.subjects]
        self.eyes = {frozen: [None] * len(self.subjects) for frozen in (True, False)}
        self.starts = [piece_starts(p) for p in self.subjects]
        seconds = [labelled_seconds(p, spec) for p in self.subjects]
        self.seconds = {True: seconds, False: seconds}


def population_of(subjects: Sequence[Person], baseline: Baseline) -> Population:
    """Mean of DE of the training trials, and its SD within a subject: of the difference from the baseline, if any."""
    pop = population(subjects)
    if baseline is None:
        return pop
    return replace(pop, sd=population([replace(p, de=p.de - _rest_mean(p)) for p in subjects]).sd)


def _statistics(p: Person, pop: Population, baseline: Baseline) -> tuple[np.ndarray, np.ndarray]:
    """Mean and sd (n_seconds, n_chans, n_bands) that the seconds of each trial are compared with."""
    mean, sd = (np.broadcast_to(x, p.de.shape).astype(np.float32) for x in (pop.mean, pop.sd))
    return mean if baseline is None else _rest_mean(p), sd


def _rest_mean(p: Person) -> np.ndarray:
    """Mean DE of the baseline of each second's trial: (n_seconds, n_chans, n_bands)."""
    known = p.rest & p.there
    return means_of(p.de[known], p.piece[known], p.piece.max() + 1).astype(np.float32)[p.piece]

"""The Mood Reader as a scikit-learn classifier of trials (n_trials, n_chans, n_times).

A thin layer over the training of this program: trials become the seconds of a `Person`, with features from the pipeline
that runs live.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import Tags, check_random_state
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_consistent_length, check_is_fitted

from realtime_mood.errors import ConfigError

from ..datasets.person import means_of
from ..reader import MoodReader, ReaderConfig
from ..train import Task, TrainingRecipe, fit, scores
from .trial_features import Baseline, TrialSampler, population_of, spec_of, subject_of, trials_of

READOUT = "classes"


class MoodReaderClassifier(ClassifierMixin, BaseEstimator):
    """A Mood Reader that is trained on labelled trials of EEG.

    Parameters
    ----------
    sfreq : float, optional
        Sampling rate (Hz), 99 or more; not needed for ``mne.Epochs``.
    ch_names : sequence of str, optional
        Electrodes of the 10-05 system, in the order of the channels; not needed for ``mne.Epochs``.
    baseline : (float, float), optional
        Start and end, in seconds from the beginning of a trial, of rest that every trial contains. DE is compared with
        the mean of these seconds, which are not classified. Without it, DE is compared with the mean of the training
        trials over all subjects, and differences between subjects remain: live readings with a profile are better than
        that, and studies that standardise each subject by all of its trials look at test data.
    steps : int
        Training steps. With `encoder`, a few hundred or fewer suffice.
    batch_size : int
        Seconds in a training step.
    lr : float
        Maximum learning rate.
    encoder : str or Path, optional
        Pre-trained raw encoder to start from: its folder, or weights that contain it (``"reader-5"``).
    encoder_lr : float
        Learning rate of that encoder relative to `lr`; 0 leaves it as it is.
    network : mapping, optional
        Fields of `ReaderConfig`, such as ``{"dim": 32, "rounds": 1}``.
    random_state : int, RandomState or None
        Random seed of initial weights, batches and augmentation.

    Attributes
    ----------
    classes_ : array (n_classes,)
    reader_ : MoodReader
    population_ : Population
        Mean and standard deviation of DE of the training trials.
    ch_names_ : tuple of str
    sfreq_ : float

    Notes
    -----
    A trial lasts 4 s or more. The causal filters settle for up to 4 s, as long as 4 s remain (and until the start of
    the `baseline`); after that, every second that ends 4 s of signal is classified from up to 10 s, and the logits of
    a trial are averaged. Probabilities are not calibrated on held-out subjects, unlike those of trained weights.

    With ``groups`` in `fit`, training draws subjects equally often. To hold out subjects, use `GroupKFold`.

    Examples
    --------
    >>> from sklearn.model_selection import GroupKFold, cross_val_score
    >>> reader = MoodReaderClassifier(sfreq=128, ch_names=["C3", "C4", "O1", "O2"], steps=200, random_state=0)
    >>> cross_val_score(reader, X, y, groups=subjects, cv=GroupKFold(5))  # doctest: +SKIP
    """

    def __init__(
        self,
        sfreq: float | None = None,
        ch_names: Sequence[str] | None = None,
        *,
        baseline: Baseline = None,
        steps: int = 300,
        batch_size: int = 48,
        lr: float = 1e-3,
        encoder: str | Path | None = None,
        encoder_lr: float = 0.0,
        network: Mapping[str, Any] | None = None,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.sfreq, self.ch_names, self.baseline = sfreq, ch_names, baseline
        self.steps, self.batch_size, self.lr = steps, batch_size, lr
        self.encoder, self.encoder_lr, self.network, self.random_state = encoder, encoder_lr, network, random_state

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array, tags.input_tags.three_d_array = False, True
        tags.input_tags.allow_nan = True
        return tags

    def fit(self, X: Any, y: ArrayLike, groups: ArrayLike | None = None) -> Self:
        """Train on trials.

        Parameters
        ----------
        X : array (n_trials, n_chans, n_times) or mne.Epochs
            In µV (Epochs: in V, as MNE keeps them); NaN where samples were lost.
        y : array (n_trials,)
            Classes.
        groups : array (n_trials,), optional
            The subject of each trial; by default one. Each has trials of two or more classes.

        Raises
        ------
        ConfigError
            A `ValueError`: trials of another shape or shorter than 4 s, unknown electrodes, or too few classes.
        """
        trials = trials_of(X, self.sfreq, self.ch_names)
        y = np.asarray(y)
        check_consistent_length(trials.signal, y, groups)
        check_classification_targets(y)
        self.classes_, label = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise ConfigError("training a classifier", "y has one class only", "give trials of two or more classes")
        who = np.zeros(len(y), int) if groups is None else np.unique(groups, return_inverse=True)[1]
        if not all(len(np.unique(label[who == k])) > 1 for k in range(who.max() + 1)):
            found = "a group has trials of one class only"
            raise ConfigError("training on groups", found, "leave `groups` out, or that group")
        spec = spec_of(trials, self.baseline)
        subjects = [
            subject_of(trials.chosen(who == k), label[who == k], spec, self.baseline) for k in range(who.max() + 1)
        ]
        self.ch_names_, self.sfreq_, self.population_ = (
            trials.ch_names,
            trials.sfreq,
            population_of(subjects, self.baseline),
        )
        sampler = TrialSampler(subjects, self.population_, spec, self.baseline)
        labels = tuple(map(str, self.classes_))
        config = ReaderConfig(**{**(self.network or {}), "readouts": {READOUT: len(labels)}})
        recipe = replace(
            TrainingRecipe(), steps=self.steps, batches={READOUT: self.batch_size}, lr=self.lr, raw_lr=self.encoder_lr
        )
        seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        task = Task(READOUT, labels, subjects, self.population_, sampler)
        with torch.random.fork_rng(devices=[]):
            self.reader_: MoodReader = fit(
                config, [task], recipe, seed, encoder=None if self.encoder is None else Path(self.encoder)
            )
        return self

    def decision_function(self, X: Any) -> np.ndarray:
        """Mean logits of trials: (n_trials, n_classes), or (n_trials,) of the second class where there are two."""
        logits = self._logits(X)
        found: np.ndarray = logits[:, 1] - logits[:, 0] if len(self.classes_) == 2 else logits
        return found

    def predict_proba(self, X: Any) -> np.ndarray:
        """Probabilities of trials (n_trials, n_classes), in the order of `classes_`."""
        logits = self._logits(X)
        odds = np.exp(logits - logits.max(axis=1, keepdims=True))
        return np.asarray(odds / odds.sum(axis=1, keepdims=True))

    def predict(self, X: Any) -> np.ndarray:
        """The most probable class of trials: (n_trials,)."""
        best = self._logits(X).argmax(axis=1)
        return np.asarray(self.classes_[best])

    def _logits(self, X: Any) -> np.ndarray:
        check_is_fitted(self)
        trials = trials_of(X, self.sfreq or self.sfreq_, self.ch_names or self.ch_names_)
        if trials.sfreq != self.sfreq_:
            raise ConfigError(f"trials at {trials.sfreq:g} Hz", f"training had {self.sfreq_:g} Hz", "resample them")
        spec = spec_of(trials, self.baseline)
        everything = subject_of(trials, np.zeros(len(trials.signal), int), spec, self.baseline)
        sampler = TrialSampler([everything], self.population_, spec, self.baseline)
        logits, _ = scores(self.reader_, READOUT, sampler, 0, frozen=True)
        return means_of(logits, everything.piece[sampler.seconds[True][0]], len(trials.signal))

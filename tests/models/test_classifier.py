"""The scikit-learn classifier: what is planted is found, what is not is not, and it behaves as estimators do."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from pathlib import Path
from unittest import SkipTest

import mne
import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.model_selection import GroupKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils.estimator_checks import estimator_checks_generator
from sklearn.utils.validation import check_is_fitted, validate_data

import realtime_mood.models
from realtime_mood.dsp.spec import FeatureSpec
from realtime_mood.errors import ConfigError
from realtime_mood.models import MoodReaderClassifier
from realtime_mood.models.card import DEFAULT
from realtime_mood.models.datasets.person import Person
from realtime_mood.models.pretraining.encoder import load_encoder
from realtime_mood.models.sharing import classifier
from realtime_mood.models.sharing.trial_features import Trials
from realtime_mood.types import StreamInfo

NAMES = ("Fp1", "Fp2", "O1", "O2")
SMALL = {"dim": 16, "band_dim": 8, "raw_dim": 16, "raw_depth": 1, "rounds": 1, "dropout": 0.1, "head_dropout": 0.1}
SFREQ = 128.0


def reader(**changed) -> MoodReaderClassifier:
    quick = {"steps": 12, "batch_size": 12, "lr": 1e-2, "network": SMALL, "random_state": 0}
    return MoodReaderClassifier(SFREQ, NAMES, **(quick | changed))


def trials(n_subjects: int, per_subject: int = 6, seconds: int = 5, rest_s: int = 0, spread: float = 0.0):
    """Trials in µV, classes and subjects; in "tense" trials, beta in front is strong after the rest."""
    rng = np.random.default_rng(0)
    t = np.arange(round(seconds * SFREQ)) / SFREQ
    x, y, who = [], [], []
    for subject in range(n_subjects):
        for k in range(per_subject):
            signal = 8 * rng.standard_normal((len(NAMES), len(t)))
            if k % 2:
                signal[:2] += 24 * np.sin(2 * np.pi * 20 * t + rng.uniform(0, 6)) * (t >= rest_s)
            x.append(np.exp(spread * rng.standard_normal()) * signal)
            y.append(("calm", "tense")[k % 2])
            who.append(subject)
    return np.stack(x), np.array(y), np.array(who)


def test_it_finds_what_is_planted_in_a_pipeline_on_subjects_left_out():
    x, y, who = trials(2)
    whole = make_pipeline(FunctionTransformer(lambda volts: 1e6 * volts), reader())
    found = cross_val_score(whole, 1e-6 * x, y, groups=who, cv=GroupKFold(2))
    assert found.mean() > 0.8


def test_it_finds_nothing_in_shuffled_classes():
    x, y, who = trials(2, 8)
    y = np.where(np.arange(len(y)) // 2 % 2, y, np.where(y == "calm", "tense", "calm"))
    fitted = reader().fit(x[who == 0], y[who == 0])
    assert 0.2 < fitted.score(x[who == 1], y[who == 1]) < 0.8
    np.testing.assert_allclose(fitted.predict_proba(x[:3]).sum(axis=1), 1)


def test_a_baseline_in_each_trial_takes_out_the_gain_of_the_trial():
    x, y, who = trials(2, seconds=6, rest_s=2, spread=0.6)
    train, test = who == 0, who == 1
    fitted = reader(baseline=(0, 2), steps=16).fit(x[train], y[train])
    assert fitted.score(x[test], y[test]) > 0.8
    shown = fitted.decision_function(x[test])
    np.testing.assert_allclose(fitted.decision_function(0.5 * x[test]), shown, atol=0.1)


@pytest.fixture(scope="module")
def fitted():
    x, y, who = trials(2)
    before = torch.get_rng_state()
    made = reader(steps=1).fit(x, y, groups=who)
    assert torch.equal(torch.get_rng_state(), before)
    return made, x, y


def test_epochs_are_read_in_their_unit_and_as_scikit_learn_selects_them(fitted):
    made, x, _ = fitted
    info = mne.create_info(["T8", *NAMES], SFREQ, ["ecg", *["eeg"] * 4])
    volts = np.concatenate((np.ones_like(x[:, :1]), 1e-6 * x), axis=1)
    epochs = mne.EpochsArray(volts, info, verbose="error")
    expected = made.predict_proba(x[:3])
    np.testing.assert_allclose(made.predict_proba([epochs[k] for k in range(3)]), expected, atol=1e-5)
    np.testing.assert_allclose(classifier.trials_of(epochs, None, None).signal, x, atol=1e-5)
    assert classifier.trials_of(epochs, None, None).ch_names == NAMES


def test_the_seed_decides(fitted):
    made, x, y = fitted
    again = reader(steps=1).fit(x, y, groups=np.repeat([0, 1], 6))
    np.testing.assert_array_equal(again.decision_function(x[:3]), made.decision_function(x[:3]))
    other = reader(steps=1, random_state=1).fit(x[:4], y[:4])
    assert not torch.equal(other.reader_.fuse.gate[0].weight, made.reader_.fuse.gate[0].weight)


def test_it_starts_from_an_encoder(fitted):
    _, x, y = fitted
    made = reader(encoder=DEFAULT, steps=1, batch_size=4).fit(x[:6], y[:6])
    state, _ = load_encoder(Path(DEFAULT))
    assert all(torch.equal(value, state[name]) for name, value in made.reader_.raw.state_dict().items())


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda x, y: (x[:, 0], y), r"an array of float64 of shape \(12, 640\)"),
        (lambda x, y: (x[:, :3], y), "3 channels and 4 names"),
        (lambda x, y: (x[:, :, :500], y), "they last 3.91 s · give 4 s or more"),
        (lambda x, y: (x, np.full(len(x), "calm")), "y has one class only"),
        (
            lambda x, y: (np.where(np.arange(12)[:, None, None] == 7, np.nan, x), y),
            "none in 1 of 12 trials, .* number 7",
        ),
        (lambda x, y: (x, y[:5]), "inconsistent numbers of samples"),
    ],
)
def test_what_cannot_be_learnt_from_is_named(fitted, change, says):
    _, x, y = fitted
    with pytest.raises(ValueError, match=says):
        reader().fit(*change(x, y))


def test_groups_of_one_class_and_other_rates_are_refused(fitted):
    made, x, y = fitted
    with pytest.raises(ConfigError, match="a group has trials of one class only"):
        reader().fit(x, y, groups=y)
    with pytest.raises(ConfigError, match="sampling rate or electrodes are unknown"):
        MoodReaderClassifier().fit(x, y)
    with pytest.raises(ConfigError, match="none in 12 of 12 trials"):
        reader(baseline=(4.5, 5.2)).fit(x, y)
    other = clone(made).set_params(sfreq=256.0)
    other.__dict__ |= {name: value for name, value in vars(made).items() if name.endswith("_")}
    with pytest.raises(ConfigError, match="trials at 256 Hz · training had 128 Hz"):
        other.predict(np.repeat(x, 2, axis=2))


def test_the_name_is_imported_when_it_is_used():
    code = "import sys, realtime_mood.models; sys.exit(len({'torch', 'sklearn', 'numpy'} & set(sys.modules)))"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[2])
    with pytest.raises(AttributeError, match="no attribute 'MoodReaderRegressor'"):
        realtime_mood.models.MoodReaderRegressor  # noqa: B018


def test_without_scikit_learn_the_message_says_how_to_install_it(monkeypatch):
    monkeypatch.delitem(sys.modules, "realtime_mood.models.sharing.classifier")
    monkeypatch.setitem(sys.modules, "sklearn.base", None)
    with pytest.raises(
        ImportError, match=r"package sklearn.base is not installed · pip install 'realtime-mood\[train\]'"
    ):
        realtime_mood.models.MoodReaderClassifier  # noqa: B018


# -- scikit-learn's own checks -----------------------------------------------------------------------------------


class Rows(MoodReaderClassifier):
    """The classifier for tables, which the checks use: a row becomes a trial whose DE it tells."""

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array, tags.input_tags.three_d_array, tags.input_tags.allow_nan = True, False, False
        return tags

    def fit(self, X, y, groups=None):
        return super().fit(*validate_data(self, X, y), groups)

    def _logits(self, X):
        check_is_fitted(self)
        return super()._logits(validate_data(self, X, reset=False))


def rows_as_subject(trials: Trials, label: np.ndarray, spec: FeatureSpec, _) -> Person:
    n, seconds = len(label), spec.n_patches
    de = np.resize(trials.signal[:, 0].T, (20, n)).T.reshape(n, 4, 5) * 0.3 + 2.5
    de, piece = np.repeat(de, seconds, axis=0).astype(np.float32), np.repeat(np.arange(n), seconds)
    there = np.ones(len(piece), bool)
    return Person(
        "rows", StreamInfo(NAMES, SFREQ), de, np.zeros((len(de), 4, 128), np.float16), there,
        np.ones((len(de), 4), bool), piece, label[piece], ~there, "",
    )  # fmt: skip


EXPECTED = {
    "check_classifiers_train": "asks for .83 after one training step; passes with 150",
    "check_methods_subset_invariance": "asks for 1e-7; logits are float32, and sums depend on the size of a batch",
}
SLOW = {
    "check_estimators_pickle", "check_classifiers_classes", "check_estimators_dtypes", "check_fit_idempotent",
    "check_classifier_data_not_an_array", "check_methods_sample_order_invariance", "check_pipeline_consistency",
}  # fmt: skip
"""Pass as well, and take as long as all others together: set ALL_CHECKS to run them."""


def test_it_passes_the_checks_of_scikit_learn(monkeypatch):
    monkeypatch.setattr(classifier, "subject_of", rows_as_subject)
    monkeypatch.setattr(classifier, "trials_of", lambda x, *_: Trials(np.asarray(x, float)[:, None], SFREQ, NAMES))
    monkeypatch.setattr(classifier, "spec_of", lambda *_: FeatureSpec())
    rows = Rows(SFREQ, NAMES, steps=1, batch_size=8, network=SMALL, random_state=0)
    names = set()
    for estimator, check in estimator_checks_generator(rows):
        name = getattr(check, "func", check).__name__
        if name not in EXPECTED and (name not in SLOW or os.environ.get("ALL_CHECKS")):
            with contextlib.suppress(SkipTest):
                check(estimator)
            names.add(name)
    assert len(names) >= 35

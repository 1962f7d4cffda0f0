"""Figures against scikit-learn and against what was planted."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import softmax
from sklearn.metrics import balanced_accuracy_score, brier_score_loss, f1_score, log_loss, roc_auc_score

from realtime_mood.models.evaluation.figures import (
    Scores,
    auc,
    binned,
    draws,
    expected_calibration_error,
    interval,
    kept,
    macro_f1,
    mean_with_interval,
    of_person,
    selective,
    temperature,
    thresholds,
)


def scores(seed: int, n: int = 300, n_labels: int = 2, sharpness: float = 1.0) -> Scores:
    """Labels drawn from the very probabilities the logits stand for, then made too sharp."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 1.5, (n, n_labels))
    labels = (softmax(logits, axis=1).cumsum(axis=1) > rng.random((n, 1))).argmax(axis=1)
    return Scores(logits * sharpness, labels)


@pytest.mark.parametrize("n_labels", [2, 3])
def test_figures_of_a_person_are_scikit_learns(n_labels):
    s, t = scores(0, n_labels=n_labels), 1.7
    found, even = of_person(s, t), s.even()
    probs, guess = softmax(even.logits / t, axis=1), even.logits.argmax(axis=1)
    assert len(set(np.bincount(even.labels))) == 1
    assert found["balanced_accuracy"] == pytest.approx(balanced_accuracy_score(even.labels, guess))
    assert found["macro_f1"] == pytest.approx(f1_score(even.labels, guess, average="macro"))
    whole = {"multi_class": "ovr"} if n_labels > 2 else {}
    given = probs if n_labels > 2 else probs[:, 1]
    assert found["auc"] == pytest.approx(roc_auc_score(even.labels, given, **whole))
    assert found["nll"] == pytest.approx(log_loss(even.labels, probs))
    assert found["brier"] == pytest.approx(brier_score_loss(even.labels, probs, scale_by_half=False))


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(2, 60), st.integers(2, 4), st.integers(0, 3))
def test_auc_and_f1_are_scikit_learns_whatever_is_tied(seed, n, n_labels, decimals):
    rng = np.random.default_rng(seed)
    probs = rng.random((n, n_labels)).round(decimals)
    labels, guess = np.append(np.arange(2), rng.integers(n_labels, size=n - 2)), probs.argmax(axis=1)
    if n_labels == 2:
        expected = roc_auc_score(labels, probs[:, 1])
    else:
        expected = np.mean([roc_auc_score(labels == y, probs[:, y]) for y in np.unique(labels)])
    assert auc(probs, labels) == pytest.approx(expected, abs=1e-12)
    whole = {"average": "macro", "labels": np.unique(labels), "zero_division": 0}
    assert macro_f1(guess, labels) == pytest.approx(f1_score(labels, guess, **whole), abs=1e-12)


def test_auc_of_one_label_alone_is_nan():
    assert np.isnan(auc(np.array([[0.1, 0.9], [0.2, 0.8]]), np.array([1, 1])))


def test_classes_are_cut_to_their_first_equally_many_seconds():
    s = Scores(np.arange(12).reshape(6, 2), np.array([0, 1, 0, 0, 1, 0]))
    np.testing.assert_array_equal(s.even().logits[:, 0], [0, 4, 2, 8])


def test_calibration_error_of_known_cases():
    sure = np.tile([0.9, 0.1], (10, 1))
    labels = np.array([0] * 6 + [1] * 4)
    assert expected_calibration_error(binned(sure, labels)) == pytest.approx(0.3)
    mixed = np.concatenate([sure, np.tile([0.4, 0.6], (10, 1))])
    assert expected_calibration_error(binned(mixed, np.concatenate([labels, labels]))) == pytest.approx(0.25)


@pytest.mark.parametrize("planted", [0.5, 1.0, 3.0])
def test_temperature_finds_the_planted_one_and_calibrates(planted):
    people = [scores(seed, 2000, sharpness=planted) for seed in range(4)]
    found = temperature(people)
    assert found == pytest.approx(planted, rel=0.1)
    after = np.sum([binned(softmax(s.logits / found, axis=1), s.labels) for s in people], axis=0)
    assert expected_calibration_error(after) < 0.02


def test_thresholds_keep_the_share_they_are_for_and_the_kept_are_righter():
    chosen_on, tested = [scores(seed, 2000) for seed in range(4)], [scores(seed, 2000) for seed in range(4, 8)]
    limits = thresholds(chosen_on, 1.0)
    weights = draws(4, 0, 500)
    found = {c: selective(np.stack([kept(s, 1.0, limits[c]) for s in tested]), weights) for c in (0.5, 0.8, 1.0)}
    for c, row in found.items():
        assert row["coverage"] == pytest.approx(c, abs=0.03)
    assert found[0.5]["balanced_accuracy"] > found[0.8]["balanced_accuracy"] > found[1.0]["balanced_accuracy"]
    assert found[1.0]["coverage"] == 1


def test_intervals_cover_the_truth_as_often_as_they_say():
    rng = np.random.default_rng(0)
    weights = draws(24, 1, 1000)
    hits = [low <= 0.8 <= high for low, high in (
        mean_with_interval(rng.normal(0.8, 0.1, 24), weights)["interval"] for _ in range(400)
    )]  # fmt: skip
    assert 0.89 <= np.mean(hits) <= 0.97  # percentile intervals of 24 people are a little narrow


def test_pairing_makes_a_difference_surer():
    rng = np.random.default_rng(0)
    person, noise = rng.normal(0.8, 0.1, 24), rng.normal(0, 0.01, 24)
    weights = draws(24, 0)
    low, high = mean_with_interval(noise + 0.02, weights)["interval"]
    alone = mean_with_interval(person, weights)["interval"]
    assert 0 < low < 0.02 < high
    assert high - low < (alone[1] - alone[0]) / 4


def test_draws_are_of_as_many_people_and_seeded():
    one = draws(7, 0, 50)
    assert (one.sum(axis=1) == 7).all()
    np.testing.assert_array_equal(one, draws(7, 0, 50))
    assert interval(np.array([np.nan, 1.0, 1.0])) == [1, 1]

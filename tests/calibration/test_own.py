"""The small map over a fixed network."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from realtime_mood.models.personal import SHRINK, Parts, PersonalHead, fit_head


def planted(seed=0, n=150, n_features=20, n_labels=3, strength=1.0):
    rng = np.random.default_rng(seed)
    y = np.arange(n) % n_labels
    x = rng.normal(size=(n, n_features))
    x[:, :n_labels] += strength * np.eye(n_labels)[y]
    return x, y


def test_it_is_what_a_general_solver_finds():
    x, y = planted()
    head = fit_head(x, y, Parts(de=20), 3)
    z = (x - x.mean(0)) / x.std(0)
    theirs = LogisticRegression(C=1 / SHRINK, tol=1e-10, max_iter=10_000).fit(z, y).decision_function(z)
    ours = head(x)
    np.testing.assert_allclose(ours - ours.mean(1, keepdims=True), theirs - theirs.mean(1, keepdims=True), atol=1e-4)


def test_with_little_to_learn_from_it_says_what_other_people_s_readout_says():
    x, _ = planted(strength=0.0)
    y = np.arange(6) % 3
    base = 3 * np.eye(3)[np.arange(150) % 3] - 1
    both = np.concatenate([x, base], 1)
    head = fit_head(both[:6], y, Parts(de=20, base=3), 3)
    assert (head(both).argmax(1) == base.argmax(1)).mean() > 0.95
    alone = fit_head(x[:6], y, Parts(de=20), 3)
    assert (alone(x).argmax(1) == base.argmax(1)).mean() < 0.6


def test_a_label_seen_seldom_counts_as_much():
    x, y = planted(n=300, n_labels=2)
    few = np.flatnonzero((y == 0) | (np.arange(300) % 10 == 1))
    guess = fit_head(x[few], y[few], Parts(de=20), 2)(x).argmax(1)
    assert 0.35 < guess.mean() < 0.65


def test_its_file_gives_it_back_and_another_file_does_not():
    x, y = planted()
    head = fit_head(x, y, Parts(de=20), 3)
    np.testing.assert_array_equal(PersonalHead.from_bytes(head.to_bytes())(x), head(x))
    broken = PersonalHead(head.mean[:-1], head.scale, head.weight, head.bias).to_bytes()
    with pytest.raises(ValueError, match="shapes do not match"):
        PersonalHead.from_bytes(broken)

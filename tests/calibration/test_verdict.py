"""Whether a readout is believed, on planted truth."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from realtime_mood.calibration import verdict
from realtime_mood.calibration.verdict import balanced, calibrated, folds, hold_out, judge
from realtime_mood.models.personal import Parts, fit_head

NAMES = ("negative", "neutral", "positive")
FIT = partial(fit_head, parts=Parts(de=24), n_labels=3)
EACH = 16  # seconds a block


def sitting(seed=0, strength=1.0, order=None, per_label=4, drift=0.0, n_features=24):
    """Blocks whose features share a block's own offset, a label's effect, and a drift with time."""
    rng = np.random.default_rng(seed)
    of_block = np.concatenate([rng.permutation(3) for _ in range(per_label)]) if order is None else np.array(order)
    block = np.repeat(np.arange(len(of_block)), EACH)
    at = block * 28.0 + np.tile(np.arange(EACH), len(of_block))
    x = rng.normal(size=(len(block), n_features)) + 0.7 * rng.normal(size=(len(of_block), n_features))[block]
    x[:, :3] += strength * np.eye(3)[of_block[block]]
    x[:, 3:6] += drift * (at / at.max())[:, None]
    return x, at, block, of_block


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(verdict, "SHUFFLES", 99)
    monkeypatch.setattr(verdict, "DRAWS", 500)


def test_every_block_is_in_one_fold_and_a_fold_has_every_label():
    of_block = np.array([0, 1, 2, 2, 0, 1, 1, 2, 0, 0])
    fold = folds(of_block)
    assert set(fold) == {0, 1, 2}
    for k in range(3):
        assert set(of_block[fold == k]) == {0, 1, 2}


def test_no_second_of_a_block_is_judged_by_what_was_learnt_from_that_block():
    """Features that name the block and nothing else give chance at best, however well they can be learnt."""
    of_block = np.array([0, 1, 2] * 4)
    block = np.repeat(np.arange(12), EACH)
    x = 5 * np.eye(12)[block]
    fit = partial(fit_head, parts=Parts(de=12), n_labels=3)
    hit = hold_out(x, block, of_block, fit).argmax(1) == of_block[block]
    assert balanced(hit, block, of_block) <= 1 / 3 + 1e-9


def test_how_sure_a_fold_may_be_is_learnt_on_the_others():
    """A fold's own labels, whatever they are, say nothing about its probabilities; they count for later use."""
    rng = np.random.default_rng(0)
    labels, block = rng.integers(0, 3, 240), np.repeat(np.arange(12), 20)
    fold = block % 3
    logits = rng.normal(size=(240, 3)) + 2 * np.eye(3)[labels]
    honest = calibrated(logits, labels, block, fold)
    for k in range(3):
        others = np.where(fold == k, (labels + 1) % 3, labels)  # this fold is all wrong, and sure of it
        told = calibrated(logits, others, block, fold)
        np.testing.assert_array_equal(told.probs[fold == k], honest.probs[fold == k])
        assert (told.probs[fold != k].max(axis=1) < honest.probs[fold != k].max(axis=1)).all()
        assert told.temperature > honest.temperature


def test_a_strong_effect_is_believed(quick):
    x, at, block, of_block = sitting(strength=3.0)
    said, held = judge(x, at, block, of_block, FIT, NAMES)
    assert said.passed, said.text
    assert said.balanced_accuracy > 0.8
    assert said.interval[0] < said.balanced_accuracy < said.interval[1] + 1e-9
    assert said.p <= 0.02
    assert said.blocks == (4, 4, 4)
    assert 0 <= said.ece < 0.3
    assert held.probs.shape == (len(x), 3)
    np.testing.assert_allclose(held.probs.sum(1), 1)


def test_nothing_there_is_refused_with_what_to_try(quick):
    refused = 0
    for seed in range(8):
        said, _ = judge(*sitting(seed, strength=0.0), FIT, NAMES)
        refused += not said.passed
        assert said.passed or (said.text and said.advice)
    assert refused == 8


def test_labels_in_an_order_are_refused_since_time_tells_them_as_well(quick):
    x, at, block, of_block = sitting(strength=0.0, order=[0] * 4 + [1] * 4 + [2] * 4, drift=8.0)
    said, _ = judge(x, at, block, of_block, FIT, NAMES)
    assert said.time_only > 0.6
    assert not said.passed
    assert "the time of a second alone" in said.text
    assert any("mix the order of labels" in line for line in said.advice)


def test_the_same_again_gives_the_same(quick):
    assert judge(*sitting(), FIT, NAMES)[0] == judge(*sitting(), FIT, NAMES)[0]


def test_what_is_taken_for_what_is_named(quick):
    x, at, block, of_block = sitting(strength=0.0)
    x[:, 10] += 4 * (of_block[block] == 0)
    said, _ = judge(x, at, block, of_block, FIT, NAMES)
    told = " ".join(said.advice)
    assert said.passed or ("neutral" in told and "positive" in told)

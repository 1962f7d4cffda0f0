"""Planted corrections: right ones count on held-out blocks, random ones do not, and worse ones are taken back."""

from __future__ import annotations

import json

import numpy as np
import pytest

from realtime_mood.corrections import CorrectionStatus
from realtime_mood.models.correcting import LEAST_UNITS, TOGETHER_S, Correction, Corrector, sign_flip_p
from realtime_mood.models.personal import LabelledSeconds, Parts, PersonalHead, fit_head

F, PARTS = 20, Parts(de=20)


def block(rng, label, at, n=10):
    """Seconds of one label, which shows in the features from `at` on."""
    x = rng.normal(size=(n, F)) + rng.normal(0, 0.5, F)
    x[:, at : at + 3] += 2.5 * np.eye(3)[label]
    return x


def corrector(seed=0):
    """A readout of three labels that was fitted to twelve blocks, in which they show in the first features."""
    rng = np.random.default_rng(seed)
    label, number = np.arange(12) % 3, np.repeat(np.arange(12), 15)
    x = np.concatenate([block(rng, k, 0, 15) for k in label])
    head = fit_head(x, label[number], PARTS, 3)
    return rng, Corrector(PARTS, 3, head, 1.0, LabelledSeconds(x, label[number], number))


def corrected(n, labels, at=3, seed=0):
    """Statuses after each of `n` corrections in a run where labels show in the features from `at` on."""
    rng, it = corrector(seed)
    found = []
    for k in range(n):
        true = int(rng.integers(3))
        found.append(it.add(Correction(block(rng, true, at), labels(k, true, rng), k * TOGETHER_S)).status)
    return found, it, rng


def right(_k, true, _rng):
    return true


@pytest.mark.parametrize("seed", range(3))
def test_right_corrections_of_a_wrong_readout_count_and_help_later(seed):
    found, it, rng = corrected(10, right, seed=seed)
    assert found[: LEAST_UNITS - 1] == [CorrectionStatus.WAITING] * (LEAST_UNITS - 1)
    assert found[-1] is CorrectionStatus.COUNTS
    later = [(k, block(rng, k, 3)) for k in (0, 1, 2) * 4]
    hits = [np.mean([(head(x).argmax(1) == k).mean() for k, x in later]) for head in (it.present, it.counts)]
    assert hits[1] > hits[0] + 0.15


def test_random_labels_do_not_count():
    counted = [corrected(8, lambda _k, _t, rng: int(rng.integers(3)), at=0, seed=s)[1].counts for s in range(4)]
    assert sum(it is not None for it in counted) <= 1


def test_what_later_corrections_contradict_is_taken_back():
    found, it, _ = corrected(14, lambda k, true, _rng: true if k < 9 else (true + 1) % 3)
    assert CorrectionStatus.COUNTS in found
    assert CorrectionStatus.TAKEN_BACK in found
    assert it.counts is None
    assert it.head is None


def test_corrections_of_one_label_within_a_minute_are_one_unit():
    rng, it = corrector()
    for k in range(10):
        status = it.add(Correction(block(rng, k % 2, 3), k % 2, 20.0 * k)).status
    assert len(set(it._units())) < 10
    assert status is not CorrectionStatus.COUNTS or len(set(it._units())) >= LEAST_UNITS


def test_a_readout_of_the_weights_is_corrected_without_a_calibration():
    rng = np.random.default_rng(1)
    parts = Parts(de=F, base=3)
    it = Corrector(parts, 3, lambda x: x[:, -3:], 1.0)
    for k in range(10):
        x, wrong = block(rng, k % 3, 0), np.tile(2 * np.eye(3)[(k + 1) % 3] - 0.67, (10, 1))
        status = it.add(Correction(np.concatenate([x, wrong], 1), k % 3, k * TOGETHER_S)).status
    assert status is CorrectionStatus.COUNTS


def test_without_a_calibration_every_label_must_have_been_corrected():
    rng = np.random.default_rng(1)
    it = Corrector(Parts(de=F, base=3), 3, lambda x: x[:, -3:], 1.0)
    for k in range(10):  # of the third label the readout knows, and the corrections nothing
        x = np.concatenate([block(rng, k % 2, 0), np.tile(np.eye(3)[2], (10, 1))], 1)
        assert it.add(Correction(x, k % 2, k * TOGETHER_S)).status is CorrectionStatus.WAITING


def test_the_file_of_a_classifier_keeps_the_seconds_it_was_fitted_to():
    _, it, _ = corrected(10, right)
    blob = it.to_bytes()
    kept = LabelledSeconds.from_bytes(blob)
    assert len(kept.x) == 12 * 15 + 10 * 10
    assert kept.block.max() >= 12 + LEAST_UNITS - 1
    np.testing.assert_array_equal(PersonalHead.from_bytes(blob).weight, it.counts.weight)
    assert LabelledSeconds.from_bytes(it.counts.to_bytes()) is None  # as in older files


def test_corrections_that_pass_through_a_file_make_the_same_classifier():
    _, it, _ = corrected(10, right)
    _, again = corrector()
    made = json.loads(json.dumps(it.stored()))
    for stored in made:
        again.add(Correction.restored(stored, F, 3))
    np.testing.assert_array_equal(again.counts.weight, it.counts.weight)
    assert again.ahead == it.ahead
    for damage in ({"x": "?"}, {"label": 3}, {"time": None}):
        with pytest.raises((ValueError, TypeError)):
            Correction.restored(made[0] | damage, F, 3)


def test_the_p_value_is_the_share_of_signs_that_give_as_much():
    assert sign_flip_p(np.ones(5)) == 1 / 32
    assert sign_flip_p(-np.ones(5)) == 1
    assert sign_flip_p(np.random.default_rng(0).normal(1, 1, 40)) < 0.01

"""Eye movements of subjects: standardised like DE, masked where missing, learnt, and compared with EEG."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from evaluation_people import SPEC, planted, quick_reader, study, view

from realtime_mood.dsp.eye import SEED_IV
from realtime_mood.models.card import ReadoutCard, Trust
from realtime_mood.models.checkpoint import golden_input, load_weights, save_weights
from realtime_mood.models.datasets import virtual
from realtime_mood.models.datasets.person import (
    Person,
    frozen_statistics,
    of_length,
    population,
    running_statistics,
    standardised_eye,
)  # fmt: skip
from realtime_mood.models.evaluation import cohorts
from realtime_mood.models.evaluation.ablations import variants
from realtime_mood.models.evaluation.baselines import Majority
from realtime_mood.models.evaluation.compare import Runner, compare
from realtime_mood.models.evaluation.mood_reader import FittedReader, batch, by_modality, modalities
from realtime_mood.models.evaluation.report import summary
from realtime_mood.models.evaluation.splits import plan
from realtime_mood.models.executor import SerialExecutor
from realtime_mood.models.network import ReaderNetwork
from realtime_mood.models.reader import MoodReader, ReaderConfig
from realtime_mood.models.runtime import TorchInference
from realtime_mood.models.sampling import Augment, plain_batches, training_batches
from realtime_mood.models.subject_sampler import SubjectSampler
from realtime_mood.models.train import TrainingRecipe, _kept
from realtime_mood.types import Features, Quality, StreamInfo

N_EYE = 33
MISSING = slice(100, 110)


def with_eyes(seed: int, effect: float = 1.5, eeg_effect: float = 0.0) -> Person:
    """A subject of noise whose own level of each feature differs; label 1 raises the first three by `effect` SD."""
    p, rng = planted(seed, eeg_effect), np.random.default_rng([12, seed])
    up = (p.piece > 0) & ((p.piece + seed) % 2 == 1)
    eye = rng.uniform(1, 100, N_EYE) + rng.standard_normal((len(p.label), N_EYE))
    eye[up, :3] += effect
    eye[MISSING] = np.nan
    return replace(p, eye=eye.astype(np.float32))


@pytest.fixture(scope="module")
def people() -> list[Person]:
    return [with_eyes(seed) for seed in range(6)]


def test_a_subject_is_compared_with_its_own_baseline(people):
    pop = population(people)
    for p in people:
        z = standardised_eye(p, pop, SPEC, frozen_statistics)
        assert np.isnan(z[MISSING]).all()
        assert np.abs(z[p.rest].mean(axis=0)).max() < 0.05
        assert z[p.rest].std() == pytest.approx(1, abs=0.1)
        found = np.delete(np.arange(len(p.label)), np.r_[MISSING])
        assert z[found][p.label[found] == 1, :3].mean() == pytest.approx(1.5, abs=0.3)


def test_each_session_has_its_own_baseline_and_one_without_an_eye_has_none(people):
    p, n = people[0], len(people[0].label)
    twice = {key: np.concatenate([getattr(p, key)] * 2) for key in ("de", "there", "good", "piece", "label", "rest")}
    both = replace(p, session=np.repeat([0, 1], n), eye=np.concatenate([p.eye, p.eye + 50]), **twice)
    z = standardised_eye(both, population(people), SPEC, frozen_statistics)
    np.testing.assert_allclose(z[n:], z[:n], atol=1e-3)
    both.eye[n : n + 50] = np.nan
    z = standardised_eye(both, population(people), SPEC, frozen_statistics)
    assert np.isnan(z[n:]).all()
    assert np.isfinite(z[:100]).all()


def test_features_that_a_set_does_not_have_are_at_the_baseline(people):
    lacking = [replace(p, eye=p.eye.copy()) for p in people]
    absent = np.setdiff1d(np.arange(N_EYE), SEED_IV)
    for p in lacking:
        p.eye[:, absent] = np.nan
    z = standardised_eye(lacking[0], population(lacking), SPEC, frozen_statistics)
    assert not z[:100, absent].any()
    np.testing.assert_allclose(
        z[:, SEED_IV], standardised_eye(people[0], population(people), SPEC, frozen_statistics)[:, SEED_IV], atol=1e-6
    )


def test_running_statistics_know_nothing_of_later(people):
    p, pop = people[0], population(people)
    other = replace(p, eye=np.where(np.arange(len(p.label))[:, None] >= 90, 7.0, p.eye))
    a, b = (standardised_eye(x, pop, SPEC, running_statistics) for x in (p, other))
    np.testing.assert_array_equal(a[:90], b[:90])
    assert np.abs(a[90:95] - b[90:95]).max() > 0.5


@pytest.mark.parametrize(("track", "frozen"), [("c1", True), ("running", False)])
def test_training_and_evaluation_feed_the_same_eyes(people, track, frozen):
    sampler, c = SubjectSampler(people, population(people), SPEC), view(people, track).contexts(people[1])
    rows = np.array([0, 5, len(c) - 1])
    fed = sampler.eye([(1, int(c.at[row]), frozen) for row in rows])
    np.testing.assert_array_equal(batch(c, rows).eye.numpy(), fed)
    plain = np.concatenate([b.eye.numpy() for b, _ in plain_batches(sampler, 1, frozen=frozen, chans=np.arange(6))])
    assert len(plain) == len(sampler.seconds[frozen][1])


def test_subjects_without_eyes_are_batched_with_others_as_missing(people):
    mixed = [*people[:2], *(planted(seed) for seed in range(2, 4))]
    pop = population(mixed)
    b, _ = next(training_batches(SubjectSampler(mixed, pop, SPEC), 64, 0, Augment(), 2))
    assert 0 < b.eye_seen.sum() < 64
    assert b.eye.isnan().all(1).equal(~b.eye_seen)
    assert view(mixed).contexts(mixed[3]).eye is None
    nobody, _ = next(training_batches(SubjectSampler(mixed[2:], pop, SPEC), 8, 0, Augment(), 2))
    assert nobody.eye is None


def test_what_is_drawn_for_eeg_does_not_depend_on_eyes(people):
    calm = Augment(noise_sd=0.0)
    alike = [replace(p, eye=None) for p in people]
    both, eeg = (next(training_batches(SubjectSampler(who, population(who), SPEC), 16, 0, calm, 2)) for who in
                 (people, alike))  # fmt: skip
    assert eeg[0].eye is None
    torch.testing.assert_close(both[0].de, eeg[0].de)
    torch.testing.assert_close(both[0].patches, eeg[0].patches)


def test_a_missing_eye_is_masked_sample_by_sample():
    torch.manual_seed(0)
    reader = MoodReader(ReaderConfig()).eval()
    b = golden_input(reader.config)
    b.eye = torch.randn(2, N_EYE)
    b.eye[1] = torch.nan
    with torch.inference_mode():
        out, without = reader(b), reader(replace(b, eye=None))
    torch.testing.assert_close(out.scores["effort"][1], without.scores["effort"][1])
    assert (out.scores["effort"][0] - without.scores["effort"][0]).abs().max() > 1e-3
    assert out.gates[1, 3] < 1e-6 < out.gates[0, 3]


def test_each_modality_is_hidden_in_training_and_a_missing_eye_is_never_left_alone():
    b = golden_input(ReaderConfig())
    b.de, b.eye = b.de.repeat(500, 1, 1, 1), torch.zeros(1000, N_EYE)
    b.eye[500:] = torch.nan
    keep = _kept(b, TrainingRecipe(hide_levels=(0.5, 0.2, 0.2, 0.25), hide_eeg=0.3), torch.Generator().manual_seed(0))
    seen, unseen = keep[:500].float(), keep[500:]
    assert seen[:, 3].mean().item() == pytest.approx(0.75, abs=0.06)
    assert (seen[:, :3].sum(1) == 0).float().mean().item() == pytest.approx(0.75 * 0.3, abs=0.07)
    assert not unseen[:, 3].any()
    assert unseen.any(1).all()


def test_each_modality_alone_and_missing_stands_in_the_table(people, tmp_path):
    methods, fits = modalities(quick_reader(90)), []
    for m in methods:

        def fit(*how, m=m, usual=m.fit):
            fits.append(m.name)
            return usual(*how)

        m.fit = fit  # type: ignore[method-assign]
    runner = Runner(study(people), tmp_path, SerialExecutor(), print)
    found = summary(compare(runner, methods, plan(len(people), "groups", 3, 1, 0)[:1], choose=False), 0)["all"]
    reached = {name: m["auc"]["mean"] for name, m in found.items()}
    assert fits == ["reader", "reader-eeg", "reader-eyes"]
    assert min(reached[name] for name in ("reader", "reader-eyes", "reader-no-eeg")) > 0.8, reached
    assert max(reached[name] for name in ("reader-eeg", "reader-no-eyes")) < 0.7, reached
    assert "reader_minus_this" in found["reader-eeg"]


def test_there_are_rows_for_modalities_where_subjects_have_eyes_and_only_then(people):
    methods = [Majority(), quick_reader(1)]
    names = [m.name for m in by_modality(methods, people)]
    assert names == ["majority", "reader", "reader-eeg", "reader-eyes", "reader-no-eyes", "reader-no-eeg"]
    assert len({m.title for m in by_modality(methods, people)}) == 6
    assert by_modality(methods, [planted(0)]) == methods


def test_where_there_are_features_only_no_reader_looks_at_signals(people):
    methods = [Majority(), quick_reader(1)]
    for subjects in (people, [planted(0)]):
        found = by_modality(methods, [replace(p, raw=False) for p in subjects])
        assert [m.name for m in found] == [m.name for m in by_modality(methods, subjects)]
        assert not any(m.levels[0] for m in found[1:])
        assert all(m.recipe.hide_levels[0] == 1 for m in found[1:])
        assert [m.name for m in variants(found[1], None) if m.levels[0]] == ["raw"]


def test_where_only_the_eye_may_be_looked_at_and_is_missing_nothing_is_said(people):
    whole, c = quick_reader(2), view(people).contexts(people[0])
    eyes = modalities(whole)[2]
    scores = eyes.fit(people, view(people), eyes.settings[0], 0)(c)
    missing = np.isnan(c.eye).all(axis=1)
    assert missing.any()
    assert not scores[missing].any()
    assert scores[~missing].any(axis=1).all()


def test_an_untrained_eye_branch_is_not_used(people):
    torch.manual_seed(0)
    reader, c = MoodReader(ReaderConfig(readouts={"readout": 2})).eval(), view(people).contexts(people[0])
    np.testing.assert_array_equal(FittedReader(reader)(c), FittedReader(reader)(replace(c, eyes=None)))
    reader.eye_trained = True
    assert np.abs(FittedReader(reader)(c) - FittedReader(reader)(replace(c, eyes=None))).max() > 1e-3


def test_training_on_eeg_alone_does_not_train_the_eye_branch_and_a_stored_fit_remembers(people):
    both, eeg, *_ = modalities(quick_reader(3))
    for method, trained in ((both, True), (eeg, False)):
        fitted = method.fit(people, view(people), method.settings[0], 0)
        assert fitted.reader.eye_trained is trained
        assert method.restore(fitted.state(), view(people)).reader.eye_trained is trained


MAKERS = {
    "training": lambda eyes: virtual.one(5, SPEC, eyes=eyes),
    "evaluation": lambda eyes: cohorts.virtual_person(50_000, 60, SPEC, ("positive", 30), eyes=eyes),
}


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
def test_simulated_subjects_have_eyes_where_asked_and_the_same_eeg(make):
    p, without = make(True), make(False)
    assert without.eye is None
    assert p.eye.shape == (len(p.label), N_EYE)
    assert np.isfinite(p.eye).all(axis=1).mean() > 0.9
    np.testing.assert_array_equal(p.de, without.de)


def test_eye_movements_are_cut_or_unknown_at_the_end():
    assert of_length(np.ones((3, 2)), 2).tolist() == [[1, 1], [1, 1]]
    assert np.isnan(of_length(np.ones((1, 2)), 2)[1]).all()


def test_a_network_is_given_eyes_where_its_card_has_their_statistics(tmp_path):
    torch.manual_seed(0)
    reader = MoodReader(ReaderConfig(readouts={"emotion3": 3}))
    reader.eye_trained = True
    trust = Trust(temperature=1.0, least_confidence=0.0)
    values = {"labels": virtual.LABELS, "coordinates": (), "evidence": "virtual", "population_mean": (2.5,) * 5,
              "population_sd": (0.3,) * 5, "own_baseline": trust, "no_baseline": trust}  # fmt: skip
    info = StreamInfo(("Fp1", "Fp2", "C3", "C4"), 128.0, virtual=True)
    for eye in ({}, {"eye_mean": (1.0,) * N_EYE, "eye_sd": (2.0,) * N_EYE}):
        save_weights(tmp_path / "w", reader, SPEC, {"emotion3": ReadoutCard(**values, **eye)}, {"figures": {}})
        network = ReaderNetwork(
            TorchInference(load_weights(str(tmp_path / "w")), torch.device("cpu")), "emotion3", info
        )
        assert (network.population.eye is not None) is bool(eye)
    quality = Quality(np.ones(4), (None,) * 4)
    one = Features(np.zeros((10, 4, 5), np.float32), np.zeros((4, 4, 128), np.float32), np.zeros(10, bool),
                   np.zeros(4, bool), quality, 1.0, 0.0, 10.0)  # fmt: skip
    without, seen = network(one)[0], network(replace(one, eye=np.ones(N_EYE, np.float32)))[0]
    assert np.abs(np.subtract(without, seen)).max() > 1e-3

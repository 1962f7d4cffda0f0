"""Training sees what a live run would see, and learns what is planted."""

from __future__ import annotations

import io
import json
from contextlib import redirect_stdout
from dataclasses import replace

import numpy as np
import pytest
import torch
from launching import two_processes

from realtime_mood.dsp.spec import FeatureSpec
from realtime_mood.entropy import Statistics
from realtime_mood.errors import ConfigError
from realtime_mood.estimator import MoodEstimator
from realtime_mood.models import train
from realtime_mood.models.checkpoint import golden_input
from realtime_mood.models.datasets import virtual
from realtime_mood.models.datasets.person import NO_LABEL, frozen_statistics, population, running_statistics
from realtime_mood.models.pretraining.encoder import save_encoder
from realtime_mood.models.reader import MoodReader, RawEncoder, ReaderConfig
from realtime_mood.models.sampling import Augment, plain_batches, training_batches
from realtime_mood.models.spectra import FrameSpectra
from realtime_mood.models.subject_sampler import SubjectSampler
from realtime_mood.models.train import Task, TrainingRecipe, fit, scores
from realtime_mood.pipeline import Pipeline
from realtime_mood.profile import Normaliser
from realtime_mood.sources.synthetic.person import Script, VirtualPerson
from realtime_mood.types import Chunk, StreamInfo

SPEC = FeatureSpec()


@pytest.fixture(scope="module")
def people():
    return [virtual.one(seed, SPEC) for seed in range(6)]


class Remember:
    """A network that keeps what it is fed."""

    readout = None
    least_confidence = 0.0
    notes = ()

    def __init__(self):
        self.seen = {}

    def __call__(self, features):
        self.seen[round(4 * features.t_last) / 4] = features
        return (1.0,), np.zeros((features.de.shape[1], 5), np.float32)


@pytest.mark.parametrize("frozen", [True, False])
def test_a_training_sample_is_what_the_live_pipeline_feeds_the_network(people, frozen, monkeypatch):
    """No skew between training and use: same features, same normalisation, from the same signal."""
    monkeypatch.setattr(Remember, "readout", type("R", (), {"evidence": "real"})())
    names, seconds = ("Fp1", "Fp2", "C3", "C4", "O1", "O2", "T7", "T8"), 100
    signal = VirtualPerson(5, names, 128.0, Script.parse("rest:60,positive:40"), "medium").signal(seconds)
    info = StreamInfo(names, 128.0, virtual=True)
    labels = [np.where(np.arange(seconds) < 70, NO_LABEL, 2)]
    p = virtual.person("p", info, [signal], labels, slice(0, 60), SPEC)
    pop = population(people)
    sampler, network = SubjectSampler([p], pop, SPEC), Remember()
    start = p.profile(SPEC).statistics(info, SPEC, pop.sd) if frozen else Statistics.of_population(pop.mean, pop.sd, 8)
    normaliser = Normaliser(start, 128.0, frozen=frozen)
    pipeline = Pipeline(info, SPEC, MoodEstimator(info, network, normaliser, SPEC.step_s))
    for window in pipeline.push(Chunk(signal, 0, seconds - 1 / 128)):
        pipeline.read(window)
    fed = network.seen[90]
    de, patches, good, there, _ = sampler.sample(0, 89, sampler.statistics(0, frozen=frozen), np.arange(8))
    # A frozen profile drifts a little when live (at most 0.05 sd a minute); training keeps it still.
    assert np.abs(de - fed.de).max() < (0.2 if frozen else 1e-3)
    assert np.abs(patches - fed.patches).max() < (0.1 if frozen else 0.02)  # patches are stored in half precision
    assert good.all()
    assert (there == ~fed.step_mask).all()
    spectra, yes = FrameSpectra(SPEC.patch_len).eval(), torch.ones(1, 8, dtype=torch.bool)
    live, trained = (spectra(torch.from_numpy(x)[None], yes, yes[:, :4]) for x in (fed.patches, patches))
    assert (live - trained).abs().max() < (0.1 if frozen else 0.01)  # in nats of power


def test_contexts_never_hold_the_future_another_piece_or_the_baseline(people):
    sampler = SubjectSampler(people, population(people), SPEC)
    for i, p in enumerate(people):
        assert not set(sampler.seconds[True][i]) & set(np.flatnonzero(p.rest))
        assert (p.label[sampler.seconds[False][i]] != NO_LABEL).all()
    mean, _ = running_statistics(people[0], population(people), SPEC)
    cut = ("de", "patches", "there", "good", "piece", "label")
    shorter = replace(people[0], **{name: getattr(people[0], name)[:80] for name in cut})
    np.testing.assert_array_equal(running_statistics(shorter, population(people), SPEC)[0], mean[:80])
    assert frozen_statistics(people[0], population(people), SPEC)[0].shape == people[0].de.shape


@pytest.mark.parametrize("has_eye", [False, True])
def test_a_trained_network_says_whether_it_saw_eye_features(people, has_eye, monkeypatch):
    feed = train.training_batches

    def batches(*how):
        for b, y in feed(*how):
            yield replace(b, eye=torch.zeros(len(y), 33) if has_eye else None), y

    monkeypatch.setattr(train, "training_batches", batches)
    task = Task.of("emotion3", virtual.LABELS, people, SPEC)
    assert fit(ReaderConfig(), [task], TrainingRecipe(steps=1, batches={"emotion3": 6}), 0).eye_trained is has_eye


def test_seeds_from_ten_thousand_up_are_refused():
    with pytest.raises(ValueError, match="10000"):
        virtual.one(10_000, SPEC)


def test_batches_are_balanced_and_on_sub_montages(people):
    sampler = SubjectSampler(people, population(people), SPEC)
    feed = training_batches(sampler, 60, 0, Augment(), 3)
    found = [next(feed) for _ in range(6)]
    counts = torch.bincount(torch.cat([y for _, y in found]), minlength=3)
    assert counts.min() > 80
    assert len({b.de.shape[2] for b, _ in found}) > 1
    assert all(torch.isfinite(b.de).all() and torch.isfinite(b.patches).all() for b, _ in found)
    assert any((~b.keep_chans).any() for b, _ in found)


def slowly_moved(seconds=64):
    """A person at rest for two spells, whose left half is louder in the second of them; and the same without that."""
    names = ("F3", "F4", "C3", "C4", "P3", "P4", "O1", "O2")
    signal = VirtualPerson(7, names, 128.0, Script.parse(f"rest:{60 + 2 * seconds}"), "medium").signal(60 + 2 * seconds)
    pieces = [signal[: 60 * 128], signal[60 * 128 : (60 + seconds) * 128], signal[(60 + seconds) * 128 :]]
    labels = [np.full(60, NO_LABEL), np.zeros(seconds, int), np.zeros(seconds, int)]
    p = virtual.person("p", StreamInfo(names, 128.0), pieces, labels, slice(0, 60), SPEC)
    _, sd = frozen_statistics(p, population([p]), SPEC)
    return p, replace(p, de=p.de + 2 * sd * ((p.piece == 2)[:, None] & (p.positions[:, 0] < 0))[:, :, None])


def test_a_subject_without_some_labels_gives_the_others(people):
    """As with ratings: who never was neutral is still an example of the rest."""
    some = [replace(people[0], label=np.where(people[0].label == 1, NO_LABEL, people[0].label))]
    feed = training_batches(SubjectSampler(some, population(people), SPEC), 40, 0, Augment(), 3)
    assert set(next(feed)[1].tolist()) == {0, 2}


def test_how_people_drift_within_a_state_is_learnt_from_them_and_given_to_others(people):
    still, moved = slowly_moved()
    left, pop = still.positions[:, 0] < 0, population(people)
    before, after = (SubjectSampler([p], pop, SPEC).drifts for p in (still, moved))
    assert len(before) == 6  # four halves of spells, each against each later one
    between = [0, 1, 1, 1, 1, 0]  # those of different spells
    for (_, a), (_, b), spells in zip(before, after, between, strict=True):
        np.testing.assert_allclose((b - a)[left], 2 * spells, atol=0.05)  # sd leans on the population a little
        np.testing.assert_allclose((b - a)[~left], 0, atol=1e-4)

    calm = Augment(frozen_share=1.0, drop_chan=0.0, noise_sd=0.0, offset_sd=0.0, short_share=0.0, drift_sd=0.0)
    sampler = SubjectSampler(people, pop, SPEC)
    sampler.__dict__["drifts"] = after
    given, as_they_are = (
        next(training_batches(sampler, 32, 0, augment, 3))[0] for augment in (replace(calm, drift_sd=1.0), calm)
    )
    change, there = (given.de - as_they_are.de).numpy(), as_they_are.keep_steps.numpy()
    assert not change[~there].any()
    assert np.ptp(np.where(there[:, :, None, None], change, change[:, -1:]), axis=1).max() < 1e-5  # all steps alike
    assert np.abs(change).max() > 0.5
    torch.testing.assert_close(given.patches, as_they_are.patches)


def test_a_pretrained_encoder_is_begun_with_and_kept_or_adapted(people, tmp_path):
    torch.manual_seed(1)
    shape = ReaderConfig(raw_dim=32, raw_depth=1)
    encoder = RawEncoder(shape)
    save_encoder(tmp_path, encoder, shape, {})
    task = Task.of("emotion3", virtual.LABELS, people[:3], SPEC)
    for raw_lr in (0.0, 0.1):
        recipe = TrainingRecipe(steps=2, batches={"emotion3": 6}, raw_lr=raw_lr)
        reader = fit(ReaderConfig(), [task], recipe, 0, encoder=tmp_path)
        same = [torch.equal(a, b) for a, b in zip(reader.raw.parameters(), encoder.parameters(), strict=True)]
        assert all(same) if not raw_lr else not any(same)
        assert reader.config.raw_dim == 32


def test_two_processes_get_the_loss_of_one(program, tmp_path):
    imports = (
        "import json, torch; from accelerate import Accelerator; from evaluation_people import SPEC, planted;"
        "from realtime_mood.models.reader import ReaderConfig;"
        "from realtime_mood.models.train import TrainingRecipe, Task, fit"
    )
    script = (
        "task = Task.of('t', ('a', 'b'), [planted(k) for k in range(3)], SPEC);"
        "config = ReaderConfig(readouts={'t': 2}, raw_dim=16, raw_depth=1, dropout=0.0, head_dropout=0.0);"
        "recipe = TrainingRecipe(steps=4, batches={'t': 8}, lr=5e-3); told = [];"
        "reader = fit(config, [task], recipe, 0, lambda _, l: told.append(l['t']), accelerator=accelerator);"
        "print(json.dumps([told, reader.heads['t'].weight.abs().sum().item()]))"
    )
    alone = io.StringIO()
    with redirect_stdout(alone):
        exec(f"{imports}\naccelerator = None\n{script}", {})
    losses, head = json.loads(alone.getvalue())
    script = f"torch.set_num_threads(1); accelerator = Accelerator(cpu=True)\n{script}"
    for out in two_processes(program, tmp_path, imports, script):
        found, their_head = json.loads(out)
        assert found == pytest.approx(losses, rel=1e-4)
        assert their_head == pytest.approx(head, rel=1e-4)


def test_batches_that_cannot_be_shared_equally_are_refused(people):
    task = Task.of("emotion3", virtual.LABELS, people[:2], SPEC)
    three = type("Spread", (), {"num_processes": 3, "process_index": 0, "device": torch.device("cpu")})()
    with pytest.raises(ConfigError, match="8 for 3 processes"):
        fit(ReaderConfig(), [task], TrainingRecipe(steps=1, batches={"emotion3": 8}), 0, accelerator=three)


def test_a_loss_that_is_no_number_says_at_which_step(people):
    task = Task.of("emotion3", virtual.LABELS, people[:1], SPEC)
    with pytest.raises(ArithmeticError, match=r"loss is (nan|inf) at step [1-5], learning rate \d"):
        fit(ReaderConfig(), [task], TrainingRecipe(steps=6, batches={"emotion3": 4}, lr=1e30), 0)


def test_patches_that_end_earlier_are_the_same_signal_earlier(people):
    p = people[0]
    sampler, still = SubjectSampler([p], population(people), SPEC), np.arange(3)
    t, statistics = int(sampler.seconds[True][0][20]), sampler.statistics(0, frozen=True)
    now, early, before = (sampler.sample(0, at, statistics, still, n)[1] for at, n in ((t, 0), (t, 40), (t - 1, 0)))
    flat, shifted, past = (x.reshape(3, -1) for x in (now, early, before))
    np.testing.assert_array_equal(shifted[:, 40:], flat[:, :-40])
    np.testing.assert_array_equal(shifted[:, :40], past[:, 88:128])
    first = int(np.flatnonzero(p.there & (np.arange(len(p.there)) >= SPEC.n_patches - 1))[0])
    hole = replace(p, there=np.arange(len(p.there)) > first - SPEC.n_patches)  # nothing to be had from before
    sampler = SubjectSampler([hole], population(people), SPEC)
    a, b = (sampler.sample(0, first, statistics, still, n)[1] for n in (0, 40))
    np.testing.assert_array_equal(a, b)


def test_samples_whose_raw_signal_is_hidden_cost_nothing_and_change_nothing():
    torch.manual_seed(0)
    reader = MoodReader(ReaderConfig()).eval()
    rng = np.random.default_rng(0)
    b = golden_input(reader.config)
    b.patches = torch.from_numpy(rng.normal(size=tuple(b.patches.shape)).astype(np.float32))
    hidden = torch.tensor([[False, True, True, False], [True, True, True, False]])
    out = reader(b, hidden).scores["effort"]
    b.patches[0] = 99.0
    torch.testing.assert_close(reader(b, hidden).scores["effort"], out)
    all_seen = reader(b, torch.ones(2, 4, dtype=torch.bool)).scores["effort"]
    torch.testing.assert_close(all_seen, reader(b).scores["effort"])


def test_the_loss_falls_and_the_same_seed_gives_the_same_network(people):
    task = Task.of("emotion3", virtual.LABELS, people, SPEC)
    losses, runs = [], []
    recipe = TrainingRecipe(steps=12, batches={"emotion3": 16}, lr=3e-3)
    config = ReaderConfig(dropout=0.0, head_dropout=0.0)
    for _ in range(2):
        reader = fit(config, [task], recipe, 0, lambda _, found: losses.append(found["emotion3"]))
        runs.append(scores(reader, "emotion3", task.sampler, 0, frozen=True)[0])
    assert np.mean(losses[9:12]) < np.mean(losses[:3])
    np.testing.assert_array_equal(runs[0], runs[1])


def test_plain_batches_are_every_labelled_second_once(people):
    sampler = SubjectSampler(people, population(people), SPEC)
    labels = np.concatenate([y for _, y in plain_batches(sampler, 0, frozen=True, chans=np.arange(24))])
    np.testing.assert_array_equal(labels, people[0].label[sampler.seconds[True][0]])

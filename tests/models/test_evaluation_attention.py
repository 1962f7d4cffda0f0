"""Attention is held against the truth, and a map that knows nothing is told from one that does."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from evaluation_people import NAMES, SPEC, planted, quick_reader, study, view

from realtime_mood.models.evaluation import attention
from realtime_mood.models.evaluation.ablations import DE, RAW, variants
from realtime_mood.models.evaluation.compare import Runner, compare
from realtime_mood.models.evaluation.mood_reader import ALL_LEVELS, READOUT, ReaderMethod, batch, with_fewer_labels
from realtime_mood.models.evaluation.splits import plan
from realtime_mood.models.executor import SerialExecutor
from realtime_mood.models.pretraining.encoder import save_encoder
from realtime_mood.models.reader import MoodReader, RawEncoder, ReaderConfig
from realtime_mood.sources.synthetic.person import Script, VirtualPerson


@pytest.fixture(scope="module")
def people():
    return [planted(seed) for seed in range(6)]


def test_agreement_is_a_rank_correlation_and_chance_is_around_nothing():
    rng = np.random.default_rng(0)
    truth = rng.random(19)
    rho, chance = attention.agreement(np.exp(3 * truth), truth, rng)
    assert rho == pytest.approx(1)
    assert abs(chance.mean()) < 0.06
    assert np.abs(chance).max() < 0.95
    assert attention.agreement(-truth, truth, rng)[0] == pytest.approx(-1)
    assert attention.agreement(np.ones(19), truth, rng)[0] == 0


class LooksAt(MoodReader):
    """Its attention is the map it was given; its score leans on the last band of the first electrode."""

    def __init__(self, given: np.ndarray) -> None:
        super().__init__(ReaderConfig(readouts={READOUT: 3}))
        self.given = torch.from_numpy(given.astype(np.float32))

    def forward(self, batch, keep=None):
        out = super().forward(batch)
        score = batch.de[:, :, 0, 4].sum(1)
        scores = torch.stack((score, torch.zeros_like(score), -score), 1)
        return replace(out, scores={READOUT: scores}, attention=self.given.expand(len(batch.de), -1, -1))


def test_a_map_that_points_where_the_effect_was_planted_is_told_from_one_that_does_not(people):
    def found(good: bool):
        rows = []
        for i in range(4):
            seed = 50_000 + i
            brain = VirtualPerson(seed, NAMES, 128.0, Script.parse("rest:60")).brain
            truth = sum(np.abs(brain.planted(s)) for s in ("negative", "neutral", "positive"))
            given = truth if good else np.random.default_rng(i).permuted(truth, axis=0)
            p = replace(people[i], name=f"virtual-{seed}", info=replace(people[i].info, virtual=True))
            p.label[p.label == 1] = 2
            p.label[80:86] = 1
            c = view([p, people[5]]).contexts(p)
            labels = ("negative", "neutral", "positive")
            reader = LooksAt(given).eval()
            rows.append(attention.of_person(reader, READOUT, labels, c, np.random.default_rng(0)))
        return attention.summarised(rows, 0)

    right, wrong = found(True)["planted"], found(False)["planted"]
    assert right["mean"] > 0.6
    assert right["p"] < 0.02
    assert right["interval"][0] > right["by_chance_95"]
    assert abs(wrong["mean"]) < 0.35
    assert wrong["p"] > 0.02


def test_the_gradient_map_is_where_the_answer_comes_from(people):
    c = view(people).contexts(people[4])
    _, leaning = attention.maps(LooksAt(np.ones((6, 5))).eval(), READOUT, c, np.arange(5), 0)
    assert leaning[0, 4] > 0
    leaning[0, 4] = 0
    assert not leaning.any()


# -- ablations --------------------------------------------------------------------------------------------------


def test_a_tenth_of_the_labels_is_one_run_a_label_and_nothing_else_changes(people):
    p = planted(7, n_blocks=8)
    few = with_fewer_labels(p, SPEC, 0.1, 0)
    for y in (0, 1):
        at = np.flatnonzero(few.label == y)
        assert len(at) == round(0.1 * np.sum(p.label == y))
        assert (p.label[at] == y).all()
    assert few.de is p.de
    assert (with_fewer_labels(p, SPEC, 0.1, 0).label == few.label).all()


def test_each_variant_is_without_what_it_says(people, tmp_path):
    shape = ReaderConfig(raw_dim=16, raw_depth=1)
    save_encoder(tmp_path, RawEncoder(shape), shape, {"records_sha256": {}, "virtual_seeds": []})
    small = quick_reader(steps=3)
    whole = ReaderMethod(small.recipe, small.config, (3,), tmp_path)
    found = {m.name: m for m in variants(whole, tmp_path)}
    assert set(found) == {"raw", "de", "blind", "tenth", "scratch", "tenth-scratch", "other"}
    assert (found["raw"].levels, found["de"].levels, found["tenth"].levels) == (RAW, DE, ALL_LEVELS)
    assert found["scratch"].encoder is None
    assert found["scratch"].config.raw_dim == 16  # the same network
    runner, folds = Runner(study(people), None, SerialExecutor(), lambda _: None), plan(6, "groups", 3, 1, 0)
    c, rows = view(people).contexts(people[0]), np.arange(4)
    for name, blind_to in (("raw", "de"), ("de", "patches"), ("blind", "positions")):
        score, b = runner.scorer(found[name], folds[0].split), batch(c, rows)
        before = score.reader(b, score._levels.expand(4, -1)).scores[READOUT]
        changed = replace(b, **{blind_to: getattr(b, blind_to) * 2 + 1})
        torch.testing.assert_close(score.reader(changed, score._levels.expand(4, -1)).scores[READOUT], before)
    assert len(compare(runner, [found["raw"]], folds[:1], choose=False)["raw", "all"]) == 2

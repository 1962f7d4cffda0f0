"""The probe suite finds what only tokens show, keeps people apart, resumes, and refuses what it cannot read."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from io import StringIO
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
import torch
from evaluation_people import NAMES, SPEC, planted, quick_reader
from rich.console import Console
from safetensors.torch import save_file

from realtime_mood.errors import ConfigError, MoodError, WeightsError
from realtime_mood.models.datasets.person import NO_LABEL, SessionTrial
from realtime_mood.models.evaluation import probe as probes
from realtime_mood.models.evaluation import probe_fit, probe_report
from realtime_mood.models.evaluation.probe import ProbeOptions, ProbeStudy, evaluate_probes, row_measures
from realtime_mood.models.evaluation.probe_de_branch import as_person, de_branch
from realtime_mood.models.evaluation.probe_features import PLAIN_ROWS, TokenFeatures
from realtime_mood.models.evaluation.probe_fit import ProbeData, probe
from realtime_mood.models.evaluation.probe_foundation import FoundationFeatures
from realtime_mood.models.evaluation.probe_tasks import TASKS, standardised, units_of
from realtime_mood.models.evaluation.splits import plan
from realtime_mood.models.executor import SerialExecutor
from realtime_mood.models.reader import ReaderConfig

TASK = TASKS["simulated"]
CONFIG = ReaderConfig(raw_dim=16, raw_depth=1, dropout=0.0)


def person_of_waveforms(seed, n_sets=4):
    """Labels 0 and 1 differ in the sign of a waveform, and so not in power."""
    p = planted(seed, effect=0.0)
    wave = 12 * np.sin(2 * np.pi * 9 * np.arange(SPEC.patch_len) / SPEC.patch_sfreq)
    sign = np.where(p.piece == 0, 0, np.where((p.piece + seed) % 2 == 1, 1, -1))
    return replace(p, patches=(p.patches + sign[:, None, None] * wave).astype(np.float16))


@pytest.fixture(scope="module")
def people():
    return [person_of_waveforms(seed) for seed in range(6)]


@pytest.fixture(scope="module")
def study(people):
    units = [unit for p in people for unit in units_of(TASK, p, SPEC)]
    return ProbeStudy(TASK, units, plan(6, "loso", 3, 1, 0), ("a", "b"), 1.0, 0, {"all": NAMES})


def mean_of(rows, key="balanced_accuracy"):
    return float(np.mean([row[key] for row in rows]))


def test_a_class_that_only_tokens_show_is_read_from_tokens_and_not_from_power(study):
    tokens = TokenFeatures("untrained", "untrained", {}, CONFIG, 0)
    assert mean_of(row_measures(study, (tokens, "all"))) > 0.9
    for name in ("bands", "spectrum"):
        assert abs(mean_of(row_measures(study, (PLAIN_ROWS[name], "all"))) - 0.5) < 0.2


def test_windows_stay_in_their_trial_and_do_not_overlap(people):
    (unit,) = units_of(TASK, people[0], SPEC)
    assert (np.diff(unit.ends) >= SPEC.n_patches).all()
    for end, y in zip(unit.ends, unit.target, strict=True):
        seconds = slice(end - SPEC.n_patches + 1, end + 1)
        assert set(people[0].label[seconds]) == {int(y)}
        assert people[0].there[seconds].all()
    assert people[0].rest[unit.reference].all()


def test_features_are_standardised_by_the_reference_alone():
    rng = np.random.default_rng(0)
    features = rng.normal(3, 2, (40, 2, 3))
    features[20:] += 5
    good = np.ones((40, 2), bool)
    good[:, 1] = False
    z = standardised(features, good, np.arange(40) < 20).reshape(40, 2, 3)
    assert np.allclose(z[:20, 0].mean(0), 0, atol=1e-5)
    assert np.allclose(z[:20, 0].std(0, ddof=1), 1, atol=1e-5)
    assert z[20:, 0].mean() > 1
    assert not z[:, 1].any()


def data_of(n_people, rng, effect, n=30):
    data = []
    for i in range(n_people):
        target = np.repeat([0.0, 1.0], n // 2)
        x = rng.standard_normal((n, 5)) + effect * target[:, None]
        data.append(ProbeData(f"p{i}", f"p{i}", x, target, np.arange(n) // 3))
    return data


def test_a_probe_is_never_fitted_to_whom_it_scores_and_uses_the_share_of_labels_asked_for(monkeypatch):
    data, folds = data_of(6, np.random.default_rng(0), 2.0), plan(6, "loso", 3, 1, 0)
    sizes = []
    monkeypatch.setattr(probe_fit, "fitted", lambda few, c, n: sizes.append([len(d.x) for d in few]) or known(few))

    def known(few):
        names = {d.name for d in few}
        return lambda x: np.tile([0.0, float(any(d.name in names for d in data if d.x is x))], (len(x), 1))

    found = probe(data, folds, 2, label_share=0.2)
    assert sorted(found) == list(range(6))
    assert not any(x.any() for x in found.values())
    assert {n for row in sizes for n in row} == {6}  # a fifth of fifteen of each class


def test_a_rating_is_read_by_ridge_regression():
    rng, data = np.random.default_rng(1), []
    for i in range(6):
        rating = rng.permutation(9).repeat(3).astype(float)
        x = rng.standard_normal((27, 4)) + rating[:, None]
        data.append(ProbeData(f"p{i}", f"p{i}", x, rating, np.arange(27) // 3))
    found = probe(data, plan(6, "loso", 3, 1, 0), 0)
    assert probe_fit.scores_of_subject([(data[0], found[0])], 0)["r"] > 0.9


def test_the_de_branch_is_trained_in_the_same_folds(study):
    study = replace(study, units=study.units[:3])
    found = de_branch(TASK, study.units, plan(3, "groups", 3, 1, 0), ("a", "b"), {"all": NAMES}, 1.0, 0, None,
                      SerialExecutor(), lambda _: None, quick_reader(steps=2))  # fmt: skip
    assert [row["person"] for row in found["all"]] == [f"planted-{seed}" for seed in range(3)]
    assert all(0 <= row["balanced_accuracy"] <= 1 and row["windows"] > 20 for row in found["all"])


def test_without_a_baseline_the_de_of_a_session_is_standardised_without_labels(study):
    unit = replace(study.units[0], reference=study.units[0].ends)
    p = as_person(unit, replace(TASK, baseline=False))
    seconds = (unit.ends[:, None] - np.arange(SPEC.n_patches)).ravel()
    assert np.allclose(p.de[seconds].mean(0), 0, atol=1e-5)
    assert not p.rest.any()
    assert set(p.label[seconds]) == {0, 1}
    assert (np.delete(p.label, seconds) == NO_LABEL).all()


def test_the_de_branch_predicts_ratings_of_held_out_subjects_from_thirds_of_the_scale():
    task = TASKS["valence"]
    people = [rated(seed) for seed in range(3)]
    units = [unit for p in people for unit in units_of(task, p, SPEC)]
    assert set(as_person(units[0], task).label) == {NO_LABEL, 0, 2}
    found = de_branch(task, units, plan(3, "groups", 3, 1, 0), (), {"all": NAMES}, 1.0, 0, None,
                      SerialExecutor(), lambda _: None, quick_reader(steps=15))["all"]  # fmt: skip
    assert [row["person"] for row in found] == [f"planted-{seed}" for seed in range(3)]
    assert all(row.keys() == {"person", "windows", "r", "ccc", "mae"} for row in found)
    assert min(row["r"] for row in found) > 0.8


def rated(seed):
    """A planted subject whose pieces are trials, rated 2 or 8 by label."""
    p = planted(seed)
    trial = np.where(p.label == NO_LABEL, NO_LABEL, p.piece - 1)
    of_trial = [p.label[trial == k].max() for k in range(trial.max() + 1)]
    trials = tuple(SessionTrial(k, "", "", {"valence": 2.0 + 6 * y}) for k, y in enumerate(of_trial))
    return replace(p, trial=trial, trials=trials)


# -- the command ---------------------------------------------------------------------------------------------------


@pytest.fixture
def run(people, tmp_path, monkeypatch):
    load = probes.load_people
    monkeypatch.setattr(probes, "load_people", lambda t, *a: people if t.dataset == "virtual" else load(t, *a))
    monkeypatch.setattr(probes, "chosen_channels", lambda *_: {"all": NAMES})

    def go(**changed):
        text = StringIO()
        options = ProbeOptions(tmp_path / "p.json", tmp_path, "simulated,ssvep", "bands,untrained", **changed)
        evaluate_probes(options, ["evaluate", "--probe"], lambda _: None, Console(file=text, width=200))
        return json.loads((tmp_path / "p.json").read_text()), (tmp_path / "p.md").read_text(), text.getvalue()

    return go


def test_the_command_writes_one_table_and_names_the_sets_that_are_not_there(run, monkeypatch):
    found, page, printed = run()
    row = found["tasks"]["simulated"]["sets"]["all"]["untrained"]
    assert row["balanced_accuracy"]["interval"][0] <= row["balanced_accuracy"]["mean"]
    assert set(row["minus_bands"]) == {"mean", "interval"}
    assert "ssvep_exo" in found["tasks"]["ssvep"]["absent"]
    assert "| not available: " in page
    assert "encoder, untrained" in printed
    monkeypatch.setattr(probes, "row_measures", None)  # everything is in the cache
    again, _, _ = run()
    assert again["tasks"] == found["tasks"]


def test_people_whom_an_encoder_has_met_are_counted_whatever_reader_named_them(study):
    rows = [{"person": unit.subject, "balanced_accuracy": 0.5, "auc": 0.5, "windows": 9} for unit in study.units]
    card = {"records_sha256": {"Planted_0": [], "planted-3": [], "other-1": []}}
    found = probes._summary(study, {"all": {"encoder": rows}}, card)
    assert found["seen_in_pretraining"] == 2
    page = probe_report.markdown(
        {"about": {"command": "", "label_share": 1.0}, "rows": {"encoder": "mine"}, "tasks": {"simulated": found}}
    )
    assert "mine (pre-trained on 2 of these people, without labels)" in page


def test_impossible_options_are_refused(run):
    for changed, words in (({"label_share": 0.0}, "label share"), ({"foundation": ("Labram",)}, "CLASS=FOLDER")):
        with pytest.raises(ConfigError, match=words):
            run(**changed)
    with pytest.raises(ConfigError, match="unknown"):
        probes._tasks("faces")


# -- foundation encoders ---------------------------------------------------------------------------------------------


class Foundation(torch.nn.Module):
    """In place of a class of braindecode."""

    def __init__(self, n_chans, n_times, n_outputs, chs_info, sfreq, width=3):
        super().__init__()
        assert [info["ch_name"] for info in chs_info] == list(NAMES)
        self.embed, self.final_layer = torch.nn.Linear(n_times, width), torch.nn.Linear(width, n_outputs)

    def forward(self, x, return_features=False):
        return {"features": self.embed(x), "cls_token": None}


@pytest.fixture
def braindecode(monkeypatch, tmp_path):
    module = ModuleType("braindecode.models")
    module.Foundation = Foundation
    monkeypatch.setitem(sys.modules, "braindecode", SimpleNamespace(models=module))
    monkeypatch.setitem(sys.modules, "braindecode.models", module)
    (tmp_path / "config.json").write_text(json.dumps({"sfreq": 200, "width": 3}))
    weights = {"embed.weight": torch.ones(3, 800), "embed.bias": torch.ones(3), "final_layer.weight": torch.ones(9, 3)}
    save_file(weights, tmp_path / "model.safetensors")
    return tmp_path


def test_an_encoder_of_braindecode_is_given_the_signal_at_its_rate(braindecode, study):
    features = FoundationFeatures(f"Foundation={braindecode}")
    unit = study.units[0]
    found = features(unit, unit.ends, np.arange(len(NAMES)))
    assert found.shape == (len(unit.ends), 1, 3)
    assert np.isfinite(found).all()
    assert len(row_measures(study, (features, "all"))) == 6


def test_foundation_encoders_that_cannot_be_used_are_refused(braindecode, study, monkeypatch):
    with pytest.raises(ConfigError, match="no class Other"):
        FoundationFeatures(f"Other={braindecode}")
    (braindecode / "config.json").write_text(json.dumps({"sfreq": 100}))
    with pytest.raises(WeightsError, match="does not fit"):
        row_measures(study, (features := FoundationFeatures(f"Foundation={braindecode}"), "all"))
    assert "fit 6 electrodes" in probes._row_or_reason(study, (features, "all"))
    (braindecode / "model.safetensors").rename(braindecode / "pytorch_model.bin")
    with pytest.raises(WeightsError, match=r"no model\.safetensors"):
        FoundationFeatures(f"Foundation={braindecode}")
    monkeypatch.setitem(sys.modules, "braindecode.models", None)
    with pytest.raises(MoodError, match="braindecode is not installed"):
        FoundationFeatures(f"Foundation={braindecode}")

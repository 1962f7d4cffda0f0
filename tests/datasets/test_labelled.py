"""Evaluation on a labelled data set: unseen subjects, unseen stimuli, ratings as labels, several processes."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial
from io import StringIO
from pathlib import Path

import numpy as np
import planted_set
import pytest
from rich.console import Console

from realtime_mood.dsp.spec import FeatureSpec
from realtime_mood.errors import ConfigError
from realtime_mood.models.datasets.person import of_clips
from realtime_mood.models.datasets.trials import Segment, Span
from realtime_mood.models.evaluation import labelled, run
from realtime_mood.models.evaluation.controls.rows import ABOVE
from realtime_mood.models.evaluation.labelled import DatasetChoice, clip_groups, load_labelled
from realtime_mood.models.evaluation.run import Options, evaluate
from realtime_mood.models.evaluation.store import digest_of_person
from realtime_mood.models.executor import ProcessesExecutor, SerialExecutor

SPEC = FeatureSpec()


class PlantedReader:
    """Six subjects with one session each, and copies of the first one."""

    info = planted_set.info_of()

    def __init__(self, n_copies: int = 0, **how: bool) -> None:
        self.n_copies, self.how = n_copies, how

    def recordings(self, root: Path):
        found = [planted_set.recording(seed, **self.how) for seed in range(6)]
        return found + [planted_set.recording(6 + i, copy_of=0, **self.how) for i in range(self.n_copies)]


class SmoothedReader:
    """The same subjects, shipped as features that were smoothed over whole trials."""

    info = planted_set.info_of(baseline="none", smoothed=True)

    def recordings(self, root: Path):
        return [replace(planted_set.recording(k), segments=partial(features_of, k), window_s=1.0) for k in range(6)]


def features_of(seed: int):
    rng = np.random.default_rng(seed)
    for trial in planted_set.trials_of(seed):
        level = rng.standard_normal((1, 6, 5)) / 4 + planted_set.LABELS.index(trial.label) * np.eye(5)[3]
        yield Segment((Span(0, 40.0, trial),), de=np.repeat(level, 40, axis=0).astype(np.float32))


@pytest.fixture(autouse=True)
def planted(monkeypatch):
    monkeypatch.setattr(labelled, "reader_of", lambda name: PlantedReader())


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("prepared")


def run_it(tmp_path, cache, monkeypatch, **options):
    monkeypatch.setattr(run.report, "pictures", lambda *_: [])  # tests of the command look at them
    monkeypatch.setattr(labelled, "user_cache_path", lambda _: cache)
    asked = {"readout": "emotion3", "dataset": "planted", "data": tmp_path, "channels": "all", "methods": "lr",
             "n_folds": 3, "n_inner": 1} | options  # fmt: skip
    evaluate(Options(out=tmp_path / "out.json", **asked), [], print, Console(file=StringIO(), width=200))
    return json.loads((tmp_path / "out.json").read_text())


def test_planted_states_are_read_in_unseen_subjects(tmp_path, cache, monkeypatch):
    found = run_it(tmp_path, cache, monkeypatch)
    lr = found["results"]["all"]["lr"]
    assert lr["balanced_accuracy"]["mean"] > 0.8
    assert lr["trial_balanced_accuracy"]["mean"] > 0.8
    assert found["about"]["labels_mean"] == "what the stimulus was meant to evoke"
    rows = found["control_rows"]
    assert list(rows) == list(ABOVE)
    assert rows["permuted"]["balanced_accuracy"]["mean"] < 0.5 < rows["linear"]["balanced_accuracy"]["mean"]
    assert found["claims"][1].endswith("nothing about real people: the data set was simulated")
    text = (tmp_path / "out.md").read_text()
    assert text.startswith("# SIMULATED, Planted, emotion3, track c1, 6 subjects, protocol groups\n")
    assert "| labels permuted by trial: LDA (control) |" in text
    assert not any("recognised" in line or "several names" in line for line in found["warnings"])


def test_planted_states_are_read_in_unseen_stimuli_too(tmp_path, cache, monkeypatch):
    found = run_it(tmp_path, cache, monkeypatch, protocol="subject-clip")
    assert found["results"]["all"]["lr"]["balanced_accuracy"]["mean"] > 0.55  # chance 0.33, four stimuli to learn from
    assert np.isfinite(found["results"]["all"]["lr"]["auc"]["mean"])


def test_a_table_of_smoothed_features_says_that_they_look_ahead(tmp_path, monkeypatch):
    monkeypatch.setattr(labelled, "reader_of", lambda name: SmoothedReader())
    found = run_it(tmp_path, tmp_path / "prepared", monkeypatch, methods="lda,riemann")
    assert found["about"]["looks_ahead"]
    assert (tmp_path / "out.md").read_text().splitlines()[0].endswith(labelled.LOOKS_AHEAD)
    assert found["warnings"][:2] == [
        "left out, for there are features only and no signals: Riemannian tangent space", labelled.LOOKS_AHEAD,
    ]  # fmt: skip
    assert "lda" in found["results"]["all"]
    with pytest.raises(ConfigError, match="features only"):
        run_it(tmp_path, tmp_path / "prepared", monkeypatch, methods="riemann")


def test_a_toml_file_may_name_the_data_set(tmp_path, cache, monkeypatch):
    found = run_it(tmp_path, cache, monkeypatch, dataset="mine.toml", methods="majority")
    assert found["about"]["labels"] == ["negative", "neutral", "positive"]


def test_ratings_serve_as_labels(tmp_path, cache, monkeypatch):
    found = run_it(tmp_path, cache, monkeypatch, readout="valence", felt=True)
    assert found["about"]["labels"] == ["low", "high"]
    assert found["results"]["all"]["lr"]["auc"]["mean"] > 0.9
    assert "reported" in found["about"]["labels_mean"]


def test_two_processes_prepare_the_same_subjects(tmp_path):
    choices = [DatasetChoice("planted", tmp_path, "emotion3", cache=tmp_path / name) for name in ("one", "two")]
    one, _ = load_labelled(choices[0], "c1", SPEC, SerialExecutor(), print)
    two, _ = load_labelled(choices[1], "c1", SPEC, ProcessesExecutor(2), print)
    assert list(map(digest_of_person, one)) == list(map(digest_of_person, two))


def test_groups_of_stimuli_hold_every_label(tmp_path, cache):
    choice = DatasetChoice("planted", tmp_path, "emotion3", cache=cache)
    people, _ = load_labelled(choice, "c1", SPEC, SerialExecutor(), print)
    groups = clip_groups(people, 5, 0)
    assert sorted(clip for group in groups for clip in group) == [f"clip{k}" for k in range(6)]
    assert len(groups) == 2
    for group in groups:
        assert {int(clip[4:]) % 3 for clip in group} == {0, 1, 2}
        assert set(people[0].label[of_clips(people[0], group)]) == {-1, 0, 1, 2}


def test_a_set_without_the_labels_asked_for_is_refused(tmp_path, cache):
    choice = DatasetChoice("planted", tmp_path, "arousal", felt=True, cache=cache)
    with pytest.raises(ConfigError, match="no trial has a felt label of it · use --readout emotion3 or valence"):
        load_labelled(choice, "c1", SPEC, SerialExecutor(), print)


def test_an_order_that_gives_labels_away_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(labelled, "reader_of", lambda name: PlantedReader(same_order=True))
    found = run_it(tmp_path, tmp_path / "prepared", monkeypatch)
    assert found["results"]["all"]["position"]["balanced_accuracy"]["mean"] > 0.9
    assert any("position in the session" in line for line in found["warnings"])
    assert "order of playing gives labels away" in (tmp_path / "out.md").read_text()


def test_stimuli_that_are_recognised_are_named(tmp_path, monkeypatch):
    monkeypatch.setattr(labelled, "reader_of", lambda name: PlantedReader(marked_clips=True))
    found = run_it(tmp_path, tmp_path / "prepared", monkeypatch)
    assert found["clip_identity"]["accuracy"] > 0.9
    assert any("stimulus itself is recognised" in line for line in found["warnings"])


@pytest.mark.parametrize("protocol", ["loso"])
def test_copies_of_a_subject_are_named_and_stay_on_one_side(tmp_path, monkeypatch, protocol):
    monkeypatch.setattr(labelled, "reader_of", lambda name: PlantedReader(n_copies=1))
    found = run_it(tmp_path, tmp_path / "prepared", monkeypatch, protocol=protocol)
    assert any("planted-00, planted-06" in line for line in found["warnings"])
    for left in found["about"]["folds"].values():
        assert len({"planted-00", "planted-06"} & set(left)) in (0, 2)
    assert len(found["results"]["all"]["lr"]["people"]) == 7

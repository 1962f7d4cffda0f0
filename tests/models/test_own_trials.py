"""Track ``l``: what calibrates a subject comes first and is not scored, and corrects what other subjects taught."""

from __future__ import annotations

import json
from dataclasses import replace
from io import StringIO

import numpy as np
import pytest
import torch
from evaluation_people import SPEC, quick_reader, study, view
from rich.console import Console
from trial_people import LABELS, in_sessions, info_of, labelled_seconds_of, with_trials

from realtime_mood.errors import ConfigError
from realtime_mood.models.evaluation import run
from realtime_mood.models.evaluation.baselines import Classical, Majority
from realtime_mood.models.evaluation.compare import Runner, compare
from realtime_mood.models.evaluation.mood_reader import READOUT, FittedReader
from realtime_mood.models.evaluation.own_trials import OwnReadout, PersonalScorer, divided, who_can_be_scored, with_own
from realtime_mood.models.evaluation.report import summary
from realtime_mood.models.evaluation.run import Options, evaluate
from realtime_mood.models.evaluation.splits import plan
from realtime_mood.models.executor import SerialExecutor
from realtime_mood.models.reader import Batch, MoodReader
from realtime_mood.models.subject_sampler import SubjectSampler, describe_subject

SERIAL = SerialExecutor()


@pytest.fixture(scope="module")
def people():
    """In every second subject the same state has the opposite effect, so that others teach the wrong thing."""
    return [with_trials(seed, effect=0.8 if seed % 2 else -0.8) for seed in range(8)]


def study_of(people):
    return replace(study(people, "l"), n_own=2)


def test_calibration_comes_first_and_is_not_scored(people):
    p = people[0]
    d = divided(p, 2, SPEC)
    own, scored = labelled_seconds_of(d.own), labelled_seconds_of(d.scored)
    assert sorted(set(p.trial[own])) == [0, 1, 2, 3]
    assert sorted(set(p.trial[scored])) == [4, 5, 6, 7]
    assert own.max() < scored.min()
    np.testing.assert_array_equal(d.own.label[own], p.label[own])
    np.testing.assert_array_equal(d.scored.label[scored], p.label[scored])


def test_trials_that_come_before_the_last_of_calibration_are_not_scored(people):
    labels = [0, 0, 0, 0, 1, 1, 0, 1]
    trials = [replace(t, label=LABELS[y]) for t, y in zip(people[0].trials, labels, strict=True)]
    p = people[0]
    label = np.where(p.label >= 0, np.array(labels)[np.maximum(p.trial, 0)], p.label)
    d = divided(replace(p, trials=tuple(trials), label=label), 2, SPEC)
    assert sorted(set(p.trial[labelled_seconds_of(d.own)])) == [0, 1, 4, 5]
    assert sorted(set(p.trial[labelled_seconds_of(d.scored)])) == [6, 7]


def test_a_stimulus_of_the_calibration_is_not_scored_again(people):
    p = people[0]
    again = (*p.trials[:5], replace(p.trials[5], stimulus=p.trials[1].stimulus), *p.trials[6:])
    scored = divided(replace(p, trials=again), 2, SPEC).scored
    assert sorted(set(p.trial[labelled_seconds_of(scored)])) == [4, 6, 7]


def test_later_sessions_are_scored_without_the_stimuli_of_the_calibration():
    p = in_sessions(0)  # four stimuli, the same in each of three sessions
    d = divided(p, 1, SPEC)
    used = {p.trials[k].stimulus for k in p.trial[labelled_seconds_of(d.own)]}
    scored = {(p.trials[k].session, p.trials[k].stimulus) for k in p.trial[labelled_seconds_of(d.scored)]}
    assert len(used) == 2
    assert scored == {(s, f"clip{k}") for s in "123" for k in range(4) if f"clip{k}" not in used}


def test_subjects_without_trials_are_divided_by_blocks(people):
    p = replace(people[0], trial=None, trials=(), session=None)
    d = divided(p, 1, SPEC)
    assert sorted(set(p.piece[labelled_seconds_of(d.own)])) == [1, 2]
    assert sorted(set(p.piece[labelled_seconds_of(d.scored)])) == [3, 4, 5, 6, 7, 8]


def test_own_trials_correct_what_other_subjects_taught(people):
    methods = with_own([Majority(), Classical("lr")])
    assert [m.name for m in methods] == ["majority", "lr", "majority+own", "lr+own"]
    folds = plan(8, "groups", 4, 1, 0)
    found = summary(compare(Runner(study_of(people), None, SERIAL, print), methods, folds, choose=False), 0)["all"]
    assert found["majority+own"]["auc"]["mean"] > 0.8  # the personal readout alone
    # With 30 features, the penalty of live use, which is made for hundreds, lets it correct other subjects a little.
    assert found["lr+own"]["auc"]["mean"] > found["lr"]["auc"]["mean"]


def test_later_labels_and_signals_do_not_reach_the_readout(people):
    """Other labels in the later trials of the subjects tested change no score; other labels in the first do."""
    folds = plan(8, "groups", 4, 1, 0)[:1]
    tested = folds[0].split.left

    def logits(changed: slice):
        def flip(p):
            flipped = np.where((p.label >= 0) & np.isin(p.trial, range(8)[changed]), 1 - p.label, p.label)
            return replace(p, label=flipped)

        some = [flip(p) if i in tested else p for i, p in enumerate(people)]
        rows = compare(Runner(study_of(some), None, SERIAL, print), [OwnReadout(Classical("lr"))], folds, choose=False)
        return np.concatenate([row.scores.logits for row in rows["lr+own", "all"]])

    np.testing.assert_array_equal(logits(slice(4, 8)), logits(slice(8, 8)))
    assert not np.array_equal(logits(slice(0, 4)), logits(slice(8, 8)))


def test_the_features_are_those_of_live_calibration(people):
    torch.manual_seed(0)
    reader = MoodReader(replace(quick_reader().config, readouts={READOUT: 2})).eval()
    own, seen = divided(people[1], 2, SPEC).own, view(people, "l")
    x, parts = FittedReader(reader).personal_features(seen.contexts(own))

    @torch.inference_mode()
    def inference(inputs, head):
        out = reader(Batch.of(inputs)).numpy()
        return head(inputs, out), out.attention

    live, _ = describe_subject(inference, SubjectSampler([own], seen.population, SPEC), READOUT)
    np.testing.assert_allclose(x, live, atol=1e-4)
    assert len(parts.scale) == x.shape[1]
    scorer = PersonalScorer(FittedReader(reader), 2)
    assert scorer.personal(seen.contexts(own))(seen.contexts(people[1])).shape[1] == 2


def test_a_network_is_fitted_once_for_both_rows(people, tmp_path):
    method = quick_reader(2)
    fitted = [0]

    def counted(*args):
        fitted[0] += 1
        return type(method).fit(method, *args)

    method.fit = counted
    folds = plan(3, "groups", 3, 1, 0)[:1]
    found = compare(Runner(study_of(people[:3]), tmp_path, SERIAL, print), with_own([method]), folds, choose=False)
    assert set(found) == {("reader", "all"), ("reader+own", "all")}
    assert fitted == [1]


def test_too_few_trials_are_refused(people):
    said = []
    assert len(who_can_be_scored([*people[:3], with_trials(20, 4)], 2, SPEC, said.append)) == 3
    assert "planted-20 left out: 0 of the labels after calibration" in said[0]
    with pytest.raises(ConfigError, match=r"0 of 8 subjects.*fewer --own-trials"):
        who_can_be_scored(people, 4, SPEC, said.append)


def test_the_command_says_what_was_used(people, tmp_path, monkeypatch):
    without_trials = [replace(p, trials=(), trial=None, session=None) for p in people]  # and without control rows
    monkeypatch.setattr(run, "load_labelled", lambda *_: (without_trials, info_of(8)))
    monkeypatch.setattr(run, "labels_of", lambda *_: LABELS)
    monkeypatch.setattr(run.report, "pictures", lambda *_: [])
    options = Options(
        "planted", tmp_path / "out.json", tmp_path, "planted", "groups", "l", "all", "majority", n_folds=4, n_inner=1
    )
    text = StringIO()
    evaluate(options, [], print, Console(file=text, width=200))
    used = json.loads((tmp_path / "out.json").read_text())["own_trials"]
    assert used["trials_per_label"] == 2
    assert used["seconds"] == {"low": 32.0, "high": 32.0}
    assert used["added"]["all"]["majority"]["interval"][0] > 0
    assert "a subject's first 2 trials of each label" in text.getvalue()
    assert "own trials add to majority (all channels): +0." in text.getvalue()

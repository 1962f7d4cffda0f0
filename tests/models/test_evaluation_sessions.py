"""Sessions left out, and sessions or labels that some subjects lack."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from evaluation_people import SPEC
from trial_people import LABELS, in_sessions, info_of, with_trials

from realtime_mood.errors import ConfigError
from realtime_mood.models.datasets.labels import label_of
from realtime_mood.models.datasets.person import NO_LABEL, cut
from realtime_mood.models.datasets.sets import dasps
from realtime_mood.models.datasets.trials import Trial
from realtime_mood.models.evaluation.baselines import Classical
from realtime_mood.models.evaluation.compare import Runner, Study, compare
from realtime_mood.models.evaluation.eegnet import EEGNetMethod
from realtime_mood.models.evaluation.labelled import DatasetChoice, _with_baselines
from realtime_mood.models.evaluation.riemannian import _features
from realtime_mood.models.evaluation.sessions import divide, subject_of
from realtime_mood.models.evaluation.splits import check_apart
from realtime_mood.models.executor import open_executor


@pytest.fixture(scope="module")
def people():
    """Two subjects with three sessions, and one with a single session."""
    single = with_trials(90, 4)
    return [in_sessions(0), in_sessions(1), replace(single, name="planted-90")]


def test_a_session_is_tested_by_fits_that_never_saw_it(people):
    units, folds = divide(people, 4)
    assert [subject_of(p.name) for p in units] == ["planted-00"] * 3 + ["planted-01"] * 3 + ["planted-90"]
    assert len(folds) == 3
    for k, fold in enumerate(folds):
        assert [units[i].name[-1] for i in fold.split.left] == [str(k + 1)] * 2  # never the one with a single session
        assert len(fold.split.train) == 5
        for split, chosen_on in fold.inner:
            assert not {*split.train, *chosen_on} & {*fold.split.left}
    check_apart(units, folds)


def test_results_are_by_subject_over_all_sessions(people):
    units, folds = divide(people, 1)
    channels = people[0].info.ch_names
    study = Study(units, LABELS, SPEC, "c1", channels, {"all": channels}, 0)
    method = Classical("lr")
    method.settings = method.settings[1:3]
    with open_executor(1, None) as executor:
        results = compare(Runner(study, None, executor, lambda _: None), [method], folds)
    rows = results["lr", "all"]
    assert [row.person for row in rows] == ["planted-00", "planted-01"]
    for row, p in zip(rows, people, strict=False):
        assert len(np.unique(row.scores.trials)) == len(p.trials)
        assert (row.scores.logits.argmax(axis=1) == row.scores.labels).mean() > 0.8


def test_two_sessions_are_too_few():
    with pytest.raises(ConfigError, match=r"no subject has more than 2 sessions.*use --protocol groups"):
        divide([in_sessions(0, 2)], 1)


def test_a_session_without_a_baseline_is_left_out_and_named(people):
    p = people[0]
    good = p.good.copy()
    good[p.sessions[1][p.rest[p.sessions[1]]]] = False
    notes: list[str] = []
    kept = _with_baselines(replace(p, good=good), SPEC, notes.append)
    assert len(notes) == 1
    assert "session 2 left out: no baseline" in notes[0]
    assert [int(kept.session[at[0]]) for at in kept.sessions] == [0, 2]
    assert _with_baselines(p, SPEC, notes.append) is p


def test_eegnet_is_fitted_where_a_subject_lacks_a_label(people):
    lacking = replace(people[2], label=np.where(people[2].label == 1, NO_LABEL, people[2].label))
    parts = [cut(people[0], slice(0, 150)), lacking]
    channels = people[0].info.ch_names
    view = Study(parts, LABELS, SPEC, "z", channels, {"all": channels}, 0).view(parts, channels)
    score = EEGNetMethod(steps=(2,)).fit(parts, view, {"steps": 2}, 0)
    assert score(view.contexts(lacking)).shape[1] == len(LABELS)


def test_a_set_says_from_which_rating_on_a_label_is_high():
    info = replace(info_of(), high_from={"valence": 3.0})
    trials = [Trial(0, "a", "", {"valence": x} if x else {}) for x in (2.0, 3.0, None)]
    assert [label_of(t, "valence", info, felt=True) for t in trials] == [0, 1, NO_LABEL]
    choice = DatasetChoice("dasps", Path(), "arousal", felt=True)
    assert choice.meaning(dasps.READER.info).endswith("to have felt (high: 6 or more)")


def test_covariances_are_recentred_on_a_baseline_of_short_pieces():
    p = with_trials(0, 4)
    short = np.arange(len(p.label)) // 4  # contexts are never more than four seconds of ten
    view = Study([p], LABELS, SPEC, "c1", p.info.ch_names, {}, 0).view([p], p.info.ch_names)
    c = view.contexts(replace(p, piece=short))
    (features,) = _features(c, False, None)
    assert len(features) == len(c) > 0
    assert np.isfinite(features).all()

"""The splits of Open EEG Bench: which subjects or sessions are in which part, its windows, and its figure."""

from __future__ import annotations

import json
from dataclasses import replace
from io import StringIO

import numpy as np
import pytest
from evaluation_people import SPEC
from rich.console import Console
from sklearn.metrics import balanced_accuracy_score
from trial_people import LABELS, in_sessions, info_of, labelled_seconds_of, with_trials

from realtime_mood.errors import ConfigError
from realtime_mood.models.evaluation import open_eeg_bench, run
from realtime_mood.models.evaluation.cohorts import records_behind
from realtime_mood.models.evaluation.compare import Row
from realtime_mood.models.evaluation.figures import Scores
from realtime_mood.models.evaluation.open_eeg_bench import BOARDS, Board, board_figures, board_of, divide
from realtime_mood.models.evaluation.run import Options, evaluate
from realtime_mood.models.evaluation.splits import check_apart

SIX = Board(("planted", "emotion3"), 10.0, (("00", "01", "02"), ("03",), ("04", "05")))
SESSIONS = Board(("planted", "emotion3"), 1.0, (("1",), ("2",), ("3",)), by_session=True)


@pytest.fixture(scope="module")
def people():
    return [with_trials(seed) for seed in range(6)]


@pytest.fixture(scope="module")
def sessions():
    return [in_sessions(seed) for seed in range(2)]


def names(divided, fold) -> list[list[str]]:
    parts = (fold.split.train, fold.inner[0][1], fold.split.left)
    return [[divided[i].name.removeprefix("planted-") for i in part] for part in parts]


def test_the_parts_are_those_of_the_board():
    """As in default_configs/datasets.py of version 0.6.0."""
    assert [len(part) for part in BOARDS["faced"].parts] == [80, 20, 23]
    assert [part[0] for part in BOARDS["faced"].parts] == ["000", "080", "100"]
    assert BOARDS["faced"].parts[2][-1] == "122"
    assert [len(part) for part in BOARDS["eegmat"].parts] == [28, 4, 4]
    assert BOARDS["eegmat"].parts[2] == ("32", "33", "34", "35")
    assert BOARDS["seed-v"].parts == (("1",), ("2",), ("3",))
    assert [BOARDS[name].window_s for name in ("faced", "seed-v", "eegmat")] == [10, 1, 5]


def test_training_validation_and_test_are_apart(people):
    divided, (fold,) = divide(people, SIX, info_of(), "z")
    assert names(divided, fold) == [["00", "01", "02"], ["03"], ["04", "05"]]
    assert fold.inner[0][0].train == fold.split.train  # choices cost no training subject, and see no test subject
    check_apart(divided, [fold])
    assert len(labelled_seconds_of(divided[0])) == len(labelled_seconds_of(people[0]))  # training keeps every second


@pytest.mark.parametrize("track", ["z", "c1"])
def test_each_window_is_scored_once_at_its_last_second(people, track):
    divided, (fold,) = divide(people, SIX, info_of(), track)
    p = divided[fold.split.left[0]]
    at = labelled_seconds_of(p)
    within = at - np.searchsorted(p.piece, p.piece[at])
    assert set(within) == ({9, 19} if track == "z" else {19})  # the first ten seconds of a trial have settled or not
    assert len(at) == 8 * len(set(within))
    assert [LABELS[y] for y in p.label[at]] == [p.trials[k].label for k in p.trial[at]]
    assert p.rest.any() == (track == "c1")


def test_rest_is_scored_where_the_board_scores_it(people):
    board = Board(("planted",), 10.0, SIX.parts)
    divided, (fold,) = divide(people, board, replace(info_of(), baseline_label=LABELS[0]), "z")
    p = divided[fold.split.left[0]]
    assert set(p.label[people[4].rest & (p.label >= 0)]) == {0}
    assert (p.label[people[4].rest] >= 0).sum() == 6


def test_sessions_become_parts_of_all_subjects(sessions):
    divided, (fold,) = divide(sessions, SESSIONS, info_of(2), "z")
    assert names(divided, fold) == [[f"{who} session {s}" for who in ("00", "01")] for s in (1, 2, 3)]
    check_apart(divided, [fold])
    whole, part = sessions[0], divided[fold.split.left[0]]
    np.testing.assert_array_equal(part.de, whole.de[whole.sessions[2]])
    assert {part.trials[k].session for k in part.trial if k >= 0} == {"3"}


def test_missing_subjects_and_sessions_are_named(people, sessions):
    with pytest.raises(ConfigError, match=r"all 6 subjects.*4 can be used; missing: 03, 05"):
        divide([*people[:3], people[4]], SIX, info_of(), "z")
    with pytest.raises(ConfigError, match=r"all 6 sessions.*missing: 01 session 1, 01 session 2, 01 session 3"):
        divide(sessions[:1], SESSIONS, info_of(2), "z")


def test_the_figure_is_that_of_all_windows_together(people):
    rng, rows = np.random.default_rng(0), []
    for name, n in (("a", 30), ("b", 7)):
        scores = Scores(rng.standard_normal((n, 3)), rng.integers(3, size=n))
        rows.append(Row(name, "test", {}, 1.0, {1.0: 0.0}, scores))
    labels = np.concatenate([row.scores.labels for row in rows])
    guesses = np.concatenate([row.scores.logits.argmax(axis=1) for row in rows])
    board = board_figures({("lr", "all"): rows}, {"lr": "lr"}, SESSIONS, people[:1], SPEC, 0)
    found = board["balanced_accuracy"]["all"]["lr"]
    assert found["mean"] == pytest.approx(balanced_accuracy_score(labels, guesses), abs=1e-4)
    assert found["interval"][0] <= found["mean"] <= found["interval"][1]
    assert "up to 10 s before the end of a window: more than on the board" in board["lines"][-1]


@pytest.mark.parametrize(
    ("args", "felt", "message"),
    [
        (("dasps", "valence", "z"), False, "no data set 'dasps'"),
        (("faced", "emotion3", "z"), False, "use faced or emotion9"),
        (("faced", "faced", "z"), True, "those of the stimuli"),
        (("faced", "faced", "t"), False, "test windows would be looked at"),
    ],
)
def test_what_is_not_on_the_board_is_refused(args, felt, message):
    with pytest.raises(ConfigError, match=message):
        board_of(*args, felt=felt)
    assert board_of("eegmat", "effort", "c1", felt=False).parts[1] == ("28", "29", "30", "31")


def test_eegmat_as_downloaded_has_no_archive_behind_it(people, tmp_path):
    named = [replace(people[0], name="eegmat-00")]
    assert records_behind(named, tmp_path) == records_behind(named, None) == {}


def test_the_command_reads_what_is_planted_and_prints_the_figure(people, tmp_path, monkeypatch):
    monkeypatch.setattr(run, "load_labelled", lambda *_: (people, info_of()))
    monkeypatch.setattr(run.report, "pictures", lambda *_: [])
    monkeypatch.setitem(open_eeg_bench.BOARDS, "planted", SIX)
    options = Options("emotion3", tmp_path / "out.json", tmp_path, "planted", "open-eeg-bench", "c1", "all", "lr")
    text = StringIO()
    evaluate(options, [], print, Console(file=text, width=200))
    found = json.loads((tmp_path / "out.json").read_text())
    board = found["open_eeg_bench"]
    assert board["scored_windows"] == board["test_windows"] == 16
    assert board["balanced_accuracy"]["all"]["lr"]["mean"] > 0.8
    assert "subjects: 3 for training, 1 for validation, 2 for the test" in text.getvalue()
    assert found["about"]["folds"] == {"test": ["planted-04", "planted-05"]}

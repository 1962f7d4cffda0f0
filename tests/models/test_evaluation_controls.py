"""The controls of labelled data sets expose what is planted, and what may be claimed follows from intervals alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from evaluation_people import NAMES, SPEC, planted, study

from realtime_mood.models.datasets.person import NO_LABEL, Person, SessionTrial
from realtime_mood.models.datasets.sets import reader_of
from realtime_mood.models.evaluation import claims, report
from realtime_mood.models.evaluation.baselines import Classical, Majority
from realtime_mood.models.evaluation.compare import Runner, compare
from realtime_mood.models.evaluation.controls.changed import blocks, first_and_last, permuted, without_signal
from realtime_mood.models.evaluation.controls.clips import clip_identity
from realtime_mood.models.evaluation.controls.rows import ABOVE, WITHOUT_SIGNAL, control_rows, reading
from realtime_mood.models.evaluation.labelled import LOOKS_AHEAD, looks_ahead
from realtime_mood.models.evaluation.splits import plan
from realtime_mood.models.executor import SerialExecutor

N_TRIALS = 8
ABOUT = {
    "readout": "valence", "title": "Planted", "track": "c1", "protocol": "groups", "people": 7, "simulated": False,
    "looks_ahead": False, "every": 1, "labels_mean": "what the stimulus was meant to evoke", "seed": 0,
    "labels": ["a", "b"], "command": "python app.py evaluate",
}  # fmt: skip


def with_trials(seed: int, effect: float = 0.7, names: tuple[str, ...] = NAMES, **more: object) -> Person:
    """Eight trials; label 1 has `effect` more beta on the first two electrodes than rest, label 0 as much less."""
    p = planted(seed, effect, names, N_TRIALS)
    p.de[(p.piece > 0) & ((p.piece + seed) % 2 == 0), :2, 3] -= effect
    order = np.random.default_rng(seed).permutation(N_TRIALS)
    at = np.concatenate([np.flatnonzero(p.piece == 0), *(np.flatnonzero(p.piece == 1 + k) for k in order)])
    arrays = {key: getattr(p, key)[at] for key in ("de", "patches", "there", "good", "label")}
    trials = tuple(SessionTrial(i, f"clip{(k + seed) % N_TRIALS}", session="1") for i, k in enumerate(order.tolist()))
    return replace(p, **arrays, trial=p.piece - 1, trials=trials, **more)


def result_of(people: list[Person], **about: object) -> dict:
    """All that `evaluate` puts into its report, of logistic regression."""
    folds, runner = plan(len(people), "groups", 3, 1, 0), Runner(study(people), None, SerialExecutor(), lambda _: None)
    methods = [Majority(), Classical("lr"), *WITHOUT_SIGNAL]
    results = report.summary(compare(runner, methods, folds, choose=False), 0)
    result = {"about": ABOUT | about, "methods": {m.name: m.title for m in methods}, "results": results}
    result["clip_identity"] = clip_identity(runner.study, folds, 0)
    result["control_rows"] = control_rows(runner, folds, result, lambda _: None)
    return judged(result)


def judged(result: dict) -> dict:
    result["verdicts"] = claims.verdicts(result)
    return result | {"warnings": claims.warnings(result), "claims": claims.sentences(result)}


@pytest.fixture(scope="module")
def on_muscles() -> dict:
    """The effect is on Fp1 and Fp2."""
    return result_of([with_trials(seed) for seed in range(7)])


@pytest.fixture(scope="module")
def on_brain() -> dict:
    return result_of([with_trials(seed, names=("C3", "C4", "Fp1", "Fp2", "O1", "O2")) for seed in range(7)])


# -- changed subjects ----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def two_sessions() -> Person:
    p = with_trials(3)
    return replace(p, session=(p.piece > N_TRIALS // 2).astype(int), there=np.ones(len(p.label), bool))


def labels_of(p: Person, trials: range) -> list[int]:
    return [int(p.label[p.trial == k].max()) for k in trials]


def test_labels_are_permuted_by_whole_trials_within_sessions(two_sessions):
    changed = [permuted(two_sessions, SPEC, np.random.default_rng(k)) for k in range(5)]
    for p in changed:
        for k in range(N_TRIALS):
            assert len(set(p.label[p.trial == k]) - {NO_LABEL}) == 1
        for session in (range(4), range(4, 8)):
            assert sorted(labels_of(p, session)) == sorted(labels_of(two_sessions, session))
    assert len({tuple(labels_of(p, range(N_TRIALS))) for p in changed}) > 1


def test_a_gap_does_not_cut_a_trial_in_two(two_sessions):
    label = two_sessions.label.copy()
    middle = np.flatnonzero(two_sessions.trial == 2)[18:20]
    label[middle] = NO_LABEL
    assert len(blocks(replace(two_sessions, label=label), SPEC)) == N_TRIALS


@pytest.mark.parametrize(("sessions", "n"), [(1, 2), (2, 4)])
def test_the_first_and_last_quarter_of_the_trials_of_each_label_are_compared(two_sessions, sessions, n):
    """With eight trials and two labels, a quarter of the four of a label is one."""
    p = two_sessions if sessions == 2 else replace(two_sessions, session=None)
    changed = first_and_last(p, SPEC)
    found = {k: set(changed.label[changed.trial == k]) - {NO_LABEL} for k in range(N_TRIALS)}
    for y in (0, 1):
        own = [k for k in range(N_TRIALS) if labels_of(p, range(k, k + 1)) == [y]]
        if sessions == 1:
            assert [found[k] for k in own] == [{0}, set(), set(), {1}]
    assert sum(f == {0} for f in found.values()) == sum(f == {1} for f in found.values()) <= n


def test_halves_of_a_trial_are_compared_where_no_label_has_two(two_sessions):
    only = replace(two_sessions, label=np.where(two_sessions.trial == 5, two_sessions.label, NO_LABEL))
    changed = first_and_last(only, SPEC)
    assert list(changed.label[changed.label != NO_LABEL]) == [0] * 8 + [1] * 8


def test_features_are_all_that_is_left_without_the_signal(two_sessions):
    light = without_signal(two_sessions)
    assert light.patches.size == 0
    np.testing.assert_array_equal(light.de, two_sessions.de)


# -- rows ----------------------------------------------------------------------------------------------------------


def test_there_is_a_row_of_every_control_with_its_chance_and_meaning(on_brain):
    rows = on_brain["control_rows"]
    assert list(rows) == list(ABOVE)
    for name, row in rows.items():
        assert row["title"].endswith("(comparison)" if name == "linear" else "(control)")
        assert row["if_above_chance"] == ABOVE[name]
        assert row["chance"] == pytest.approx(0.25 if name == "clip_identity" else 0.5, abs=0.01)
    for name in ("linear", "without_gamma"):  # the effect is in beta
        assert rows[name]["balanced_accuracy"]["interval"][0] > 0.7
    for name in ("permuted", "first_last", "muscle", "position"):
        low, high = rows[name]["balanced_accuracy"]["interval"]
        assert low < 0.55
        assert high < 0.75


def test_the_text_says_on_which_channels_controls_are_computed(on_brain):
    assert len(reading(on_brain)) == 1
    _, line = reading({"results": {"19": {}, "8": {}, "4": {}}})
    assert "for the first channel set only (19), not for 8, 4" in line


def test_what_muscles_and_eyes_alone_give_is_named(on_muscles, on_brain):
    assert on_muscles["control_rows"]["muscle"]["balanced_accuracy"]["mean"] > 0.8
    assert "Fp1 Fp2" in on_muscles["control_rows"]["muscle"]["title"]
    [line] = [line for line in on_muscles["warnings"] if "is not above the control" in line]
    assert line.startswith("logistic regression (all channels) is not above the control “muscles and eyes only")
    assert "95 % CI" in line
    assert "not that it reads the brain: muscles and eyes alone do as well" in on_muscles["claims"][1]
    assert not [line for line in on_brain["warnings"] if "is not above" in line]
    assert "not that it reads the brain" not in on_brain["claims"][1]


def test_a_montage_of_such_electrodes_only_says_so():
    people = [with_trials(seed, names=("AF7", "AF8", "TP9", "TP10")) for seed in range(4)]
    found = result_of(people)
    row = found["control_rows"]["muscle"]
    assert "brain and muscles cannot be separated" in row["not_available"]
    assert "people" not in row
    assert f"not available, {row['not_available']}" in report.markdown(found)


# -- what may be claimed -------------------------------------------------------------------------------------------


def test_what_is_above_chance_and_controls_may_be_claimed_within_limits(on_brain):
    assert on_brain["verdicts"]["all"]["lr"]["above_chance"]
    meaning, claim = on_brain["claims"]
    assert "meant to evoke" in meaning
    assert claim.startswith(
        "logistic regression (all channels): it reads valence of unseen subjects of such recordings better than chance"
    )
    assert "not for stimuli that the training subjects did not see" in claim


@pytest.mark.parametrize(
    ("about", "claim"),
    [
        ({"simulated": True}, "nothing about real people: the data set was simulated"),
        ({"track": "t"}, "not live: the statistics are those of the tested seconds"),
        ({"looks_ahead": True}, f"not live: {LOOKS_AHEAD}"),
        ({"protocol": "sessions"}, "of its training subjects in another session better than chance"),
        ({"protocol": "sessions"}, "not for unseen subjects"),
    ],
)
def test_claims_have_the_limits_of_the_data(on_brain, about, claim):
    found = judged(on_brain | {"about": ABOUT | about})
    assert claim in found["claims"][1]
    assert (LOOKS_AHEAD in found["warnings"]) == about.get("looks_ahead", False)


def test_unseen_stimuli_may_be_claimed_where_they_were_held_out(on_brain):
    assert "did not see" not in judged(on_brain | {"about": ABOUT | {"protocol": "subject-clip"}})["claims"][1]


def test_noise_claims_nothing():
    found = result_of([with_trials(seed, effect=0.0) for seed in range(7)])
    assert not found["verdicts"]["all"]["lr"]["above_chance"]
    assert any("is not above chance: balanced accuracy" in line for line in found["warnings"])
    assert "logistic regression (all channels): nothing: not above chance" in found["claims"][1]
    assert not claims.leaking(found)


def test_permuted_labels_that_are_read_are_an_error_of_the_evaluation(on_brain):
    leaky = {name: dict(row) for name, row in on_brain["control_rows"].items()}
    leaky["permuted"] |= {key: leaky["linear"][key] for key in ("balanced_accuracy", "people")}
    found = judged(on_brain | {"control_rows": leaky})
    assert found["warnings"][0].endswith("the evaluation leaks, and no figure of this table can be trusted")
    assert found["claims"][1].endswith("nothing: labels permuted by trial are read above chance")


# -- the page ------------------------------------------------------------------------------------------------------

FIGURE = {"method": "DAEST", "figure": "88.1 %", "protocol": "10 folds", "source": "arXiv", "chosen_on_test": "yes"}


def test_the_page_has_controls_claims_and_published_figures(on_brain):
    about = ABOUT | {"simulated": True, "looks_ahead": True}
    text = report.markdown(judged(on_brain | {"about": about}) | {"published": [FIGURE]})
    assert text.startswith("# SIMULATED, Planted, valence, track c1, 7 subjects, protocol groups: features look ahead")
    assert "## What may be claimed\n\n- a label says" in text
    assert "not comparable with this table unless the protocol is the same" in text
    assert "- 88.1 % · DAEST · 10 folds · arXiv; checkpoint chosen on the test subject: yes" in text
    table = [line for line in text.splitlines() if line.startswith("|")]
    assert len({line.count("|") for line in table}) == 1
    methods, controls = table[2:4], table[4:]
    assert not [line for line in methods if "(control)" in line]
    assert len(controls) == len(ABOVE)
    assert all(
        f"{row['title']} | " in line for row, line in zip(on_brain["control_rows"].values(), controls, strict=True)
    )


def test_smoothed_features_look_ahead_and_signals_of_the_same_set_do_not(two_sessions):
    info = reader_of("seed").info
    assert not looks_ahead([two_sessions], info)
    assert looks_ahead([replace(two_sessions, raw=False)], info)
    assert not looks_ahead([replace(two_sessions, raw=False)], replace(info, smoothed=False))
    assert not looks_ahead([two_sessions], None)

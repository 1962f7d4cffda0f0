"""Planted looks at an engine, and the words and numbers a screen must make of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from realtime_mood.errors import SourceLost
from realtime_mood.health import Health, Latency, RecordingState, State
from realtime_mood.modalities import EyeInput, EyeState
from realtime_mood.readout import HeldOutResult
from realtime_mood.types import Abstained, Estimate, Fault, Marker, Quality, Reading, Readout, StreamInfo, Why
from realtime_mood.viewmodel.banner import NOTE_S, SETTLE_S
from realtime_mood.viewmodel.state import view

SFREQ = 100.0
NAMES = ("Fz", "Cz", "Pz", "Oz")
EMOTION3 = Readout("emotion3", ("negative", "neutral", "positive"), ((-1, 0), (0, 0), (1, 0)), "virtual")
VIRTUAL = StreamInfo(NAMES, SFREQ, virtual=True)
PERSON = StreamInfo(NAMES, SFREQ)


def quality(**faults: Fault) -> Quality:
    scores = [0.1 if name in faults else 0.9 for name in NAMES]
    return Quality(np.array(scores), tuple(faults.get(name) for name in NAMES))


def estimate(end_s: float, probs=(0.1, 0.2, 0.7), attention=None, calibrated=False, q=None) -> Estimate:
    attention = np.full((4, 5), 0.25) if attention is None else attention
    end = round(end_s * SFREQ)
    return Estimate(
        EMOTION3, probs, max(probs), attention, q or quality(), 1.0, calibrated, max(0, end - 1000), end, 100 + end_s
    )


def abstained(end_s: float, why: Why, probs=None, q=None) -> Abstained:
    return Abstained(why, 0, round(end_s * SFREQ), 100 + end_s, EMOTION3, probs, q)


def look(*readings: Reading, state=State.LIVE, info=VIRTUAL, markers=(), now=None, **health):
    latest = readings[-1] if readings else None
    now = now if now is not None else (latest.t_last if latest else 0.0)
    return view(Health(state, info, **health), latest, readings, markers, now)


def hops(start_s: float, stop_s: float, make) -> list[Reading]:
    return [make(t) for t in np.arange(start_s, stop_s, 0.25)]


def test_an_estimate_has_one_top_bar():
    state = look(estimate(20))
    assert [(b.label, b.prob, b.is_top) for b in state.bars] == [
        ("negative", 0.1, False),
        ("neutral", 0.2, False),
        ("positive", 0.7, True),
    ]
    assert state.headline.text == "positive"
    assert state.headline.role == "label2"


@pytest.mark.parametrize("why", [w for w in Why if w is not Why.UNSURE])
def test_no_answer_is_drawn_as_absence(why):
    state = look(estimate(20), abstained(20.25, why))
    assert all(bar.prob is None and not bar.is_top for bar in state.bars)
    assert state.attention is None
    assert np.isnan(state.course.probs).all(axis=1).any() or why is Why.STALE
    assert "positive" not in state.headline.text


def test_unsure_shows_dimmed_bars_without_a_winner():
    state = look(abstained(20, Why.UNSURE, probs=(0.3, 0.3, 0.4)))
    assert all(bar.dimmed and not bar.is_top for bar in state.bars)
    assert state.bars[2].prob == 0.4
    assert state.banner.text.startswith("Unsure")
    assert np.isnan(state.course.probs).all()


@pytest.mark.parametrize("state", [State.STALLED, State.RECONNECTING, State.ENDED, State.IDLE, State.FAILED])
def test_an_old_estimate_is_not_shown_as_current(state):
    shown = look(estimate(20), state=state, sample_age_ms=2100.0)
    assert all(bar.prob is None for bar in shown.bars)
    assert shown.attention is None
    assert {e.role for e in shown.electrodes} == {"dim"}


def test_a_stall_is_counted_in_the_banner():
    shown = look(estimate(20), state=State.STALLED, sample_age_ms=2100.0)
    assert shown.banner.text == "No data for 2.1 s: no readings until the stream returns"
    assert shown.banner.role == "warn"


def test_a_fault_is_shown_in_its_own_words():
    fault = SourceLost("lsl://Cap", "no sample for 60 s", "switch the headset on")
    shown = look(estimate(20), state=State.FAILED, fault=fault)
    assert shown.banner.text == "lsl://Cap · no sample for 60 s · switch the headset on"
    assert shown.banner.role == "bad"


def test_settling_counts_down_in_stream_time():
    readings = hops(0.25, 5.1, lambda t: abstained(t, Why.SETTLING))
    assert look(*readings[:1]).banner.text == f"Settling: {SETTLE_S:.0f} s left"
    assert look(*readings).banner.text == "Settling: 4 s left"


def test_settling_after_a_hole_counts_from_the_hole():
    before = hops(0.25, 30.1, estimate)
    after = [*hops(35, 37, lambda t: abstained(t, Why.GAP)), *hops(37, 39.1, lambda t: abstained(t, Why.SETTLING))]
    assert look(*before, *after).banner.text == "Settling: 4 s left"


def test_bad_electrodes_are_named_with_their_fault():
    q = quality(Fz=Fault.FLAT, Cz=Fault.LINE)
    shown = look(estimate(20, q=q))
    assert shown.banner.text == "Signal poor on Fz, Cz: left out of the estimate"
    assert [(e.name, e.fault) for e in shown.electrodes if e.is_bad] == [("Fz", "flat"), ("Cz", "mains hum")]
    assert look(abstained(20, Why.BAD_SIGNAL, q=q)).banner.text == "Signal poor on Fz, Cz: check these electrodes"


UNJUDGED = Quality(np.zeros(4), (None,) * 4)


def test_what_is_known_of_an_electrode_outlasts_a_gap():
    q = quality(Fz=Fault.FLAT)
    before = hops(0.25, 30.1, lambda t: estimate(t, q=q))
    gap = hops(31, 35, lambda t: abstained(t, Why.SETTLING, q=UNJUDGED))
    for k in range(1, len(gap)):
        assert [e.role for e in look(*before, *gap[:k]).electrodes] == ["bad", "ok", "ok", "ok"]
    # a fault needs some time to be known again; what has no fault then is in order
    again = hops(35, 38, lambda t: abstained(t, Why.SETTLING, q=quality()))
    roles = [look(*before, *gap, *again[:k]).electrodes[0].role for k in range(1, len(again) + 1)]
    assert roles == ["bad"] * 7 + ["ok"] * 5
    late = abstained(41, Why.SETTLING, q=UNJUDGED)
    assert [e.role for e in look(*before, late).electrodes] == ["dim"] * 4
    assert [e.role for e in look(gap[0]).electrodes] == ["dim"] * 4


def test_what_leaves_this_computer_is_said_as_long_as_it_does():
    note = "other computers can receive readings: --ws 0.0.0.0:8765"
    late = {"now": 10_000.0, "notes": (note,), "leaving": (note,), "noted": 100.0}
    badge = look(estimate(20), **late).badges[0]
    assert (badge.text, badge.role) == ("ON THE NETWORK", "warn")
    assert badge.tip.endswith("--ws 0.0.0.0:8765")
    assert "ON THE NETWORK" not in [it.text for it in look(estimate(20), state=State.ENDED, **late).badges]


def test_a_fair_electrode_is_neither_good_nor_bad():
    q = Quality(np.array([0.9, 0.5, 0.9, 0.9]), (None,) * 4)
    shown = look(estimate(20, q=q))
    assert shown.banner.text == "Signal only fair on Cz"
    assert [e.role for e in shown.electrodes] == ["ok", "warn", "ok", "ok"]


def test_a_long_list_of_electrodes_is_cut():
    names = ("Fz", "Cz", "Pz", "Oz", "C3", "C4", "P3", "P4")
    q = Quality(np.zeros(8), (Fault.LINE,) * 8)
    shown = look(abstained(20, Why.BAD_SIGNAL, q=q), info=StreamInfo(names, SFREQ))
    assert shown.banner.text == "Signal poor on Fz, Cz, Pz, Oz, C3 and 3 more: check these electrodes"


def test_flat_on_all_electrodes_asks_about_the_unit():
    q = Quality(np.zeros(4), (Fault.FLAT, Fault.EXCLUDED, Fault.FLAT, Fault.FLAT))
    assert "unit" in look(abstained(20, Why.BAD_SIGNAL, q=q)).banner.text


def test_a_virtual_readout_on_a_real_person_explains_its_silence():
    shown = look(abstained(20, Why.UNCALIBRATED), info=PERSON)
    assert "trained on simulated subjects" in shown.banner.text
    assert "a personal calibration" in shown.banner.text
    assert [badge.text for badge in shown.badges] == ["not calibrated"]


@pytest.mark.parametrize(
    ("evidence", "virtual", "says"),
    [
        ("real", False, "trained on real subjects"),
        ("real", True, "trained on real subjects"),
        ("virtual", True, "trained on simulated subjects"),
        ("own", False, "personal, from the subject's own calibration"),
        ("own", True, "personal, from the simulated subject's own calibration"),
        ("", False, "training data unknown"),
    ],
)
def test_a_readout_says_whose_it_is(evidence, virtual, says):
    it = estimate(20, calibrated=True)
    it = replace(it, readout=replace(it.readout, evidence=evidence))
    shown = look(it, info=replace(PERSON, virtual=virtual))
    assert shown.readout.text == f"readout {it.readout.name} · {says}"


@pytest.mark.parametrize(
    ("outcome", "text", "tip", "role"),
    [
        ({}, "shown on 40 subjects of FACED", "0.45 (95 % CI 0.41 to 0.49), chance 0.33", "dim"),
        ({"virtual": True}, "shown on 40 simulated subjects in the layout of FACED", "chance 0.33", "dim"),
        ({"above_chance": False}, "NOT SHOWN to work on 40 subjects of FACED", "not above chance", "warn"),
        ({"above_controls": False}, "NOT SHOWN to work on 40 subjects of FACED", "order of trials", "warn"),
        ({"n_subjects": 5}, "NOT SHOWN to work on 5 subjects of FACED", "too few subjects", "warn"),
    ],
)
def test_a_readout_of_a_data_set_says_on_whom_it_was_shown(outcome, text, tip, role):
    shown = replace(HeldOutResult("FACED", 40, False, 0.45, 0.41, 0.49, 0.33, True, True), **outcome)
    it = estimate(20)
    view = look(replace(it, readout=replace(it.readout, evidence="real", held_out=shown)), info=PERSON)
    assert view.readout.text == f"readout {it.readout.name} · {text}"
    assert tip in view.readout.tip
    assert view.readout.role == role


def test_badges():
    assert [b.text for b in look(estimate(20)).badges] == ["SIMULATED", "not calibrated"]
    assert look(estimate(20, calibrated=True), info=PERSON).badges == ()


def test_time_course_breaks_where_there_was_no_answer():
    readings = [
        *hops(0.25, 8, lambda t: abstained(t, Why.SETTLING)),
        *hops(8, 12, estimate),
        *hops(12, 14, lambda t: abstained(t, Why.BAD_SIGNAL)),
        *hops(14, 16.1, estimate),
    ]
    course = look(*readings).course
    assert [g.text for g in course.gaps] == ["settling", "poor signal"]
    assert course.gaps[1].t0 == pytest.approx(-4.25)
    assert course.gaps[1].t1 == pytest.approx(-2.25)
    inside = (course.t > course.gaps[1].t0) & (course.t <= course.gaps[1].t1)
    assert inside.sum() == 8
    assert np.isnan(course.probs[inside]).all()
    assert np.isfinite(course.probs[-1]).all()
    assert course.chance == pytest.approx(1 / 3)


def test_time_course_breaks_over_missing_readings():
    course = look(*hops(8, 12, estimate), *hops(20, 24.1, estimate)).course
    assert [g.text for g in course.gaps] == ["no data"]
    assert course.gaps[0].t1 - course.gaps[0].t0 == pytest.approx(8.0)
    hole = np.flatnonzero(np.isnan(course.probs[:, 0]))
    assert len(hole) == 1
    assert 0 < hole[0] < len(course.t) - 1


def test_a_stall_grows_on_the_time_course_though_stale_readings_take_no_stream_time():
    readings = [*hops(8, 12, estimate), *(abstained(11.75, Why.STALE) for _ in range(8))]
    course = look(*readings, state=State.STALLED, now=100 + 11.75 + 3.0, sample_age_ms=3000.0).course
    assert [(round(g.t0, 6), g.t1, g.text) for g in course.gaps] == [(-3.0, 0.0, "no data")]
    assert course.t[-1] == pytest.approx(-3.0)
    frozen = look(*readings, state=State.ENDED, now=100 + 500.0).course
    assert frozen.t[-1] == pytest.approx(0.0)


def test_the_last_minute_only():
    course = look(*hops(8, 90.1, estimate)).course
    assert course.t[0] >= -60
    assert len(course.t) == 241


def test_true_states_of_a_virtual_person_only():
    markers = (Marker(0, "neutral"), Marker(1000, "positive"), Marker(1500, "rest"), Marker(9999, "negative"))
    truth = look(estimate(20), markers=markers).course.truth
    assert [(s.text, s.t0, s.t1) for s in truth] == [("neutral", -20, -10), ("positive", -10, -5)]
    assert look(estimate(20), markers=markers, info=PERSON).course.truth == ()


def test_attention_is_a_log_ratio_to_an_even_share_of_the_good_electrodes():
    attention = np.tile(np.array([[0.0], [0.5], [0.25], [0.25]]), (1, 5))
    shown = look(estimate(20, attention=attention, q=quality(Fz=Fault.FLAT)))
    assert shown.attention.shape == (4, 5)
    assert np.isnan(shown.attention[0]).all()
    assert shown.attention_span == 2
    np.testing.assert_allclose(shown.attention[1:, 0], [np.log2(1.5), np.log2(0.75), np.log2(0.75)])


def test_attention_widens_its_scale_rather_than_clip():
    attention = np.tile(np.array([[0.91], [0.03], [0.03], [0.03]]), (1, 5))
    shown = look(estimate(20, attention=attention))
    assert shown.attention_span == 4
    assert shown.attention[0, 0] < 1


def test_what_was_left_out_is_not_counted_among_the_good():
    shown = look(estimate(20, q=quality().without(frozenset({1}))))
    assert shown.banner.text == "Signal good on all 3 electrodes, Cz left out"
    assert shown.electrodes[1].excluded
    assert shown.electrodes[1].role == "dim"


def test_strip_numbers_and_warnings():
    shown = look(
        *hops(8, 20, estimate), samples=900, lost=100, skipped=2, latency=Latency(40, 900, 990), sample_age_ms=1500.0
    )
    strip = {name: (say.text, say.role) for name, say in shown.strip}
    assert strip == {
        "newest sample": ("1.5 s", "warn"),
        "filters": ("75 ms", "text"),
        "context": ("10 s", "text"),
        "to reading": ("40 / 900 ms", "warn"),
        "paint": ("–", "dim"),
        "longest wait": ("–", "dim"),
        "readings": ("4.0 /s", "text"),
        "skipped": ("2", "warn"),
        "lost": ("100 (10.00 %)", "warn"),
        "samples": ("900", "text"),
        "markers": ("0", "text"),
    }


def test_nothing_yet():
    shown = look(state=State.CONNECTING, info=None)
    assert shown.banner.text == "Connecting to the source"
    assert (shown.bars, shown.electrodes, len(shown.course.t)) == ((), (), 0)
    assert look(state=State.LIVE).banner.text == "Waiting for the first reading"


def test_a_fresh_note_comes_first_and_then_makes_room():
    fresh = look(estimate(20), notes=("OSC failed and was removed",), noted=119.0)
    assert fresh.banner.text == "OSC failed and was removed"
    old = look(abstained(20, Why.UNSURE, (0.3, 0.3, 0.4)), notes=("x",), noted=120.0 - NOTE_S - 1)
    assert old.banner.text.startswith("Unsure")


def test_every_state_and_reason_has_words():
    for state in State:
        assert look(state=state, info=None).state.text
    for why in Why:
        shown = look(abstained(20, why, probs=(0.3, 0.3, 0.4)))
        assert shown.headline.text
        assert shown.banner.text


def test_a_recording_says_that_it_runs_and_when_it_is_incomplete():
    good = look(estimate(20), recording=RecordingState("a.xdf", 2_500_000))
    assert (good.badges[0].text, good.badges[0].role) == ("REC", "ok")
    assert good.badges[0].tip == "2.5 MB in a.xdf"
    bad = look(estimate(20), recording=RecordingState("a.xdf", 2_500_000, "the disk is full"))
    assert (bad.badges[0].text, bad.badges[0].role) == ("REC INCOMPLETE", "bad")
    assert "The disk is full" in bad.badges[0].tip


def test_other_markers_do_not_end_a_true_state():
    markers = (Marker(0, "neutral"), Marker(500, "key 1"), Marker(1000, "positive"))
    spans = look(*hops(1, 20, estimate), markers=markers).course.truth
    assert [s.text for s in spans] == ["neutral", "positive"]


def test_the_window_says_whether_eyes_take_part():
    def seen(state: EyeState | None) -> Reading:
        return replace(estimate(20), eye=state and EyeInput(state))

    badges = {state: {b.text: b.role for b in look(seen(state)).badges} for state in (None, *EyeState)}
    assert badges[EyeState.USED]["EEG + EYES"] == "ok"
    assert badges[EyeState.STARTING]["EEG ALONE"] == "info"
    assert badges[EyeState.LOST]["EEG ALONE"] == badges[EyeState.UNSEEN]["EEG ALONE"] == "warn"
    assert not [text for text in badges[None] if text.startswith("EEG")]
    assert look(seen(EyeState.LOST)).banner.text.startswith("The eye tracker sends nothing: estimates rest on the EEG")
    assert look(seen(EyeState.UNSEEN)).banner.role == "warn"
    assert look(seen(EyeState.USED)).banner.text == look(estimate(20)).banner.text

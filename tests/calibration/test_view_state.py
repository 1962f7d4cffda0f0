"""What the calibration window says and allows, without a window."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tiny_plan import tiny

from realtime_mood.calibration.progress import CalibrationProgress
from realtime_mood.calibration.session import Look
from realtime_mood.calibration.view import state, words
from realtime_mood.calibration.view.state import Page, Stage
from realtime_mood.dsp.spec import FeatureSpec
from realtime_mood.errors import ProfileError
from realtime_mood.estimator import NO_READOUT
from realtime_mood.health import Health, RecordingState, State
from realtime_mood.profile import PersonalReadout, Profile, ValidationResult
from realtime_mood.types import Abstained, Fault, Quality, StreamInfo, Why
from realtime_mood.viewmodel.state import view

INFO = StreamInfo(("Fp1", "Fp2", "C3", "C4", "O1", "O2"), 100.0, "planted", virtual=True)
LIVE = Health(State.LIVE, INFO)


def reading(end_s: float, faults: dict[str, Fault] | None = None, why: Why = Why.UNCALIBRATED) -> Abstained:
    found = tuple((faults or {}).get(name) for name in INFO.ch_names)
    quality = Quality(np.array([0.0 if fault else 1.0 for fault in found]), found)
    return Abstained(why, 0, round(100 * end_s), end_s, NO_READOUT, None, quality)


def readings(seconds: float, **how) -> list[Abstained]:
    return [reading(10 + k / 4, **how) for k in range(round(4 * seconds) + 1)]


def gate(them: list[Abstained], health: Health = LIVE, anyway: bool = False) -> state.Gate:
    look = Look(None, health, them[-1] if them else None, held=True)
    return state.gate_of(look, view(health, look.latest, them, (), 0.0), them, anyway)


def at(seconds: float, plan=None, health: Health = LIVE) -> Look:
    """A look at a progress so far on."""
    progress, _ = CalibrationProgress.of(plan or tiny(), 100.0).advance(0, round(100 * seconds))
    return Look(progress, health, reading(seconds))


# -- which page -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("stage", "look", "page"),
    [
        (Stage.WELCOME, None, Page.WELCOME),
        (Stage.OPENING, None, Page.GATE),
        (Stage.RUNNING, None, Page.GATE),
        (Stage.RUNNING, replace(at(1), held=True), Page.GATE),
        (Stage.RUNNING, at(1), Page.CUE),
        (Stage.RUNNING, at(13.5), Page.RATING),
        (Stage.STOPPING, at(1), Page.BUSY),
        (Stage.FITTING, at(1), Page.BUSY),
        (Stage.OVER, at(1), Page.ENDING),
    ],
)
def test_the_page_follows_from_where_everything_stands(stage, look, page):
    assert state.page_of(stage, look) is page


def test_nobody_is_asked_while_the_headset_is_away_or_all_is_paused():
    look = at(13.5, health=replace(LIVE, state=State.RECONNECTING))
    assert state.page_of(Stage.RUNNING, look) is Page.CUE
    paused, _ = at(13.5).progress.pause("paused", 0)
    assert state.page_of(Stage.RUNNING, replace(at(13.5), progress=paused)) is Page.CUE


# -- the gate ---------------------------------------------------------------------------------------------------


def test_the_gate_opens_when_all_electrodes_were_good_for_two_seconds():
    assert not gate(readings(1.75)).may_begin
    assert gate(readings(1.75)).sentence.text == "Good so far. Please wait a moment."
    assert gate(readings(2)).may_begin
    assert gate(readings(2)).sentence.text == "All 6 electrodes are good"


def test_a_bad_moment_starts_the_two_seconds_anew():
    them = readings(3)
    them[-5] = reading(them[-5].end / 100, {"O1": Fault.FLAT})
    assert not gate(them).may_begin


def test_the_gate_names_what_to_fix_in_one_sentence():
    shut = gate(readings(3, faults={"O1": Fault.FLAT}))
    assert shut.sentence.text == "Fix O1: flat"
    assert shut.sentence.role == "bad"
    assert shut.hint == words.REMEDIES[Fault.FLAT]
    assert (shut.may_begin, shut.offers_anyway) == (False, True)
    two = gate(readings(3, faults={"O1": Fault.FLAT, "O2": Fault.FLAT, "C3": Fault.LINE}))
    assert two.sentence.text == "Fix O1, O2: flat; C3: mains hum"


def test_one_may_begin_anyway_once_that_is_ticked():
    assert gate(readings(3, faults={"O1": Fault.FLAT}), anyway=True).may_begin
    assert "20 good seconds" in words.cost()


def test_nobody_begins_while_the_filters_settle_or_the_headset_is_away():
    settling = gate(readings(3, why=Why.SETTLING), anyway=True)
    assert settling.sentence.text.startswith("Settling: ")
    away = gate(readings(3), replace(LIVE, state=State.STALLED, sample_age_ms=2000.0), anyway=True)
    assert away.sentence.text.startswith("No data for 2.0 s")
    for shut in (settling, away, gate([], anyway=True), state.gate_of(None, None, (), True)):
        assert not shut.may_begin
        assert not shut.offers_anyway


def test_a_sentence_names_no_more_than_five_electrodes():
    many = gate(readings(3, faults=dict.fromkeys(INFO.ch_names, Fault.FLAT)))
    assert many.sentence.text == "Fix Fp1, Fp2, C3, C4, O1 and 1 more: flat"


def test_every_fault_has_words_on_what_to_do():
    assert set(words.REMEDIES) == set(Fault)


# -- the steps --------------------------------------------------------------------------------------------------


def test_a_rest_with_closed_eyes_has_no_dot_and_ends_in_a_tone():
    rest, after = state.cue_of(at(1), tiny()), state.cue_of(at(6.5), tiny())
    assert (rest.text, rest.where, rest.clock) == ("Close your eyes.", "Rest 1 of 1", "0:05")
    assert (rest.dot, rest.eyes_closed, rest.key) == (False, True, "rest/1/1")
    assert after.where == "Block 1 of 4"
    assert after.key == ""  # nothing is learnt from a washout
    assert state.rings(rest, after)
    assert state.rings(rest, None)
    assert not state.rings(rest, rest)
    assert not state.rings(after, rest)


def test_eyes_that_are_closed_are_called_when_the_headset_is_lost():
    away = at(1, health=replace(LIVE, state=State.RECONNECTING))
    cue = state.cue_of(away, tiny())
    assert cue.text == "Headset connection lost. Paused until it is back."
    assert (cue.clock, cue.key, cue.media) == ("", "", ())
    assert state.rings(state.cue_of(at(1), tiny()), cue)


def test_a_block_has_a_dot_unless_something_is_shown():
    plan = tiny()
    block = state.cue_of(at(9), plan)
    assert (block.dot, block.key, block.elapsed_s, block.seconds) == (True, "block/1/1", 1.0, 5)
    steps = tuple(replace(s, media=("a.png",) if s.kind == "block" else ()) for s in plan.steps)
    pictured = replace(plan, steps=steps)
    assert state.cue_of(at(9, pictured), pictured).media == ("a.png",)
    assert not state.cue_of(at(9, pictured), pictured).dot
    assert state.cue_of(at(7, pictured), pictured).media == ()


def test_what_was_spoiled_says_so_and_counts_down_to_another_try():
    progress, _ = at(9).progress.invalidate("samples lost", 900)
    cue = state.cue_of(replace(at(9), progress=progress), tiny())
    assert (cue.text, cue.note) == ("Get ready", "This step will be repeated: samples lost")
    assert (cue.clock, cue.key, cue.may_repeat) == ("0:03", "", False)


def test_a_pause_says_how_to_go_on_and_what_will_be_done_anew():
    progress, _ = at(9).progress.pause("paused", 900)
    cue = state.cue_of(replace(at(9), progress=progress), tiny())
    assert (cue.text, cue.note) == ("Paused", "This step will be repeated. Press Space to continue.")
    assert cue.paused
    told = state.cue_of(replace(at(9), progress=progress), tiny(), "Cannot show a.png: no such file.")
    assert told.note.startswith("Cannot show a.png: no such file.")
    assert told.role == "warn"


def test_what_is_wrong_meanwhile_stands_below():
    look = replace(at(9), latest=reading(9, {"O2": Fault.RAILED}))
    seen = view(LIVE, look.latest, (), (), 0.0)
    assert state.cue_of(look, tiny(), view=seen).trouble.text == "Fix O2: out of range"
    full = replace(look, health=replace(LIVE, recording=RecordingState("x", 0, "not recording: the disk is full")))
    assert state.cue_of(full, tiny(), view=seen).trouble.text == "Not recording: the disk is full"


def test_the_badge_stays_when_the_stream_is_gone():
    seen = view(LIVE, reading(9), (), (), 0.0)
    assert [badge.text for badge in state.badges_of(True, seen)] == ["SIMULATED"]
    assert [badge.text for badge in state.badges_of(True, None)] == ["SIMULATED"]
    assert state.badges_of(False, None) == ()


# -- the end ----------------------------------------------------------------------------------------------------


def verdict(passed: bool) -> ValidationResult:
    return ValidationResult(
        balanced_accuracy=0.83, interval=(0.72, 0.95), chance=1 / 3, p=0.005, ece=0.05, time_only=0.3,
        blocks=(5, 5, 5), seconds=210, confusion=((0.8, 0.1, 0.1), (0.1, 0.8, 0.1), (0.1, 0.2, 0.7)), passed=passed,
        text="" if passed else "it is of no use", advice=() if passed else ("sit still",),
    )  # fmt: skip


def baseline() -> Profile:
    return Profile.from_steps(
        INFO, FeatureSpec(), np.random.default_rng(0).normal(size=(58, 6, 5)), np.ones((58, 6)) > 0
    )


def test_a_readout_that_passed_shows_its_figures():
    own = PersonalReadout(
        name="emotion3", labels=("negative", "neutral", "positive"), coordinates=((0, 0),) * 3, base="", weights="w",
        weights_sha256="", head_sha256="", temperature=1, least_confidence=0.4, verdict=verdict(True),
    )  # fmt: skip
    it = words.fitted(baseline().model_copy(update={"own": own}), "Saved: p.json", Path("s.xdf"))
    assert it.lines[0] == "Held-out balanced accuracy .83 (95 % CI .72 to .95; chance .33)"
    assert "negative 80 %, neutral 80 %, positive 70 %" in it.lines[1]
    assert it.lines[-1] == "Saved: p.json"
    assert it.kept


def test_a_readout_that_was_refused_says_why_and_what_to_try():
    it = words.fitted(baseline().model_copy(update={"refused": verdict(False)}), "Saved: p.json", Path("s.xdf"))
    assert "It is of no use." in it.lines
    assert "Your baseline can be used: it is based on 58 s of usable rest." in it.lines
    assert it.advice == ("Sit still",)
    assert it.kept


def test_a_baseline_says_how_many_seconds_it_rests_on():
    assert "58 s of usable rest" in words.fitted(baseline(), "", Path("s.xdf")).lines[0]


def test_an_error_is_told_in_its_own_words_with_the_recording():
    it = words.failed(ProfileError("a baseline", "3 s", "record longer"), Path("s.xdf"), "No profile")
    assert it.lines == ("A baseline", "3 s", "Record longer")
    assert it.recording == "s.xdf"
    assert words.failed(RuntimeError("odd"), None, "Error").lines == ("odd",)


def test_a_sitting_that_was_stopped_says_what_is_kept():
    progress, _ = at(14).progress.stop(1400)
    it = words.cut_short(progress, Path("s.xdf"))
    assert it.headline == "Session stopped"
    assert "1 of 1 rest period, 1 of 4 blocks" in it.lines[0]
    assert it.may_fit
    no_rest = words.cut_short(replace(progress, skipped=(0,)), Path("s.xdf"))
    assert "0 of 1 rest period, 1 of 4 blocks" in no_rest.lines[0]
    nothing, _ = CalibrationProgress.of(tiny(), 100.0).stop(0)
    assert not words.cut_short(nothing, Path("s.xdf")).may_fit
    assert words.cut_short(at(14).progress, None).headline == "The source ended before the last step"


def test_pictures_share_a_block_evenly():
    assert state.share_s(("a.png", "b.png", "c.png"), 18) == 6
    assert state.is_picture("a.JPG")
    assert not state.is_picture("a.mp4")


def test_the_package_comes_without_qt():
    code = "import sys, realtime_mood.calibration.view.state; sys.exit('PyQt6.QtCore' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parents[2]).returncode == 0

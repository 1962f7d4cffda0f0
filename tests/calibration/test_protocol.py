"""The state machine, told nothing but samples and wishes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_plan import TWO

from realtime_mood.calibration.progress import HOLE_LEAD_S, MOST_TRIES, CalibrationProgress, Mode
from realtime_mood.calibration.protocol import LEAD_S, Protocol, draw

FS = 100.0
PLAN = draw(Protocol.model_validate(TWO), 0)
ASKS = draw(Protocol.model_validate(TWO | {"self_report": True}), 0)


def run(sitting, cuts):
    """Advance to each of `cuts`, from 0."""
    events, first = [], 0
    for end in cuts:
        sitting, more = sitting.advance(first, end)
        events, first = events + list(more), end
    return sitting, events


def to(sitting, kind, number, first=0):
    """Go on, a sample at a time, until a step has begun; the sitting and the next sample."""
    at = first
    while not (sitting.begun and sitting.step.kind == kind and sitting.step.number == number):
        sitting, _ = sitting.advance(at, at + 1)
        at += 1
    return sitting, at


def test_a_plan_without_mishaps_is_gone_through_to_the_sample():
    sitting, events = run(CalibrationProgress.of(PLAN, FS), [20_000])
    assert sitting.mode is Mode.DONE
    assert sitting.progress == 1
    at = 0
    for step in PLAN.steps:
        begin, end = events.pop(0), events.pop(0)
        assert begin.text.startswith(f"{step.kind}/{step.number}/1/begin")
        assert end.text == f"{step.kind}/{step.number}/1/end"
        assert (begin.index, end.index) == (at, at + step.seconds * FS - 1)
        at = end.index + 1
    assert not events


@given(st.lists(st.integers(1, 9_000), max_size=40))
def test_cutting_the_stream_otherwise_changes_nothing(cuts):
    whole = run(CalibrationProgress.of(PLAN, FS), [9_000])
    pieces = run(CalibrationProgress.of(PLAN, FS), [*sorted(set(cuts) - {9_000}), 9_000])
    assert pieces == whole


def test_a_hole_has_the_step_done_anew_and_a_bridged_one_does_not():
    sitting, at = to(CalibrationProgress.of(PLAN, FS), "block", 2)
    sitting, events = sitting.advance(at + 25, at + 50, lost=25)
    assert not events
    assert sitting.attempt == 1
    lost, left = 300, sitting.left
    sitting, events = sitting.advance(at + 350, at + 360, lost=lost)
    assert [e.text for e in events] == ["block/2/1/cancelled/samples lost"]
    assert (sitting.begun, sitting.attempt, sitting.lead) == (False, 2, HOLE_LEAD_S * FS - 10)
    sitting, events = sitting.advance(at + 360, at + 360 + round(HOLE_LEAD_S * FS))
    assert [e.text for e in events] == [f"block/2/2/begin/{sitting.step.label}"]
    assert sitting.left == 8 * FS - 10 > left - 300


def test_a_step_is_given_up_after_some_tries():
    sitting, at = to(CalibrationProgress.of(PLAN, FS), "block", 1)
    for attempt in range(1, MOST_TRIES + 1):
        assert sitting.attempt == attempt
        sitting, _ = sitting.spoil("poor signal", at)
        if attempt < MOST_TRIES:
            sitting, at = to(sitting, "block", 1, at)
    assert sitting.skipped == 1
    assert (sitting.step.kind, sitting.step.number) == ("washout", 2)


def test_a_pause_stands_still_and_is_no_try_the_less():
    sitting, at = to(CalibrationProgress.of(PLAN, FS), "block", 1)
    for _ in range(MOST_TRIES + 2):
        sitting, events = sitting.pause("a sip of water", at)
        assert events[-1].text == "pause/a sip of water"
        still, none = sitting.advance(at, at + 5000)
        assert (still, none) == (sitting, ())
        sitting, _ = sitting.resume(at + 5000)
        assert sitting.lead == LEAD_S * FS
        sitting, at = to(sitting, "block", 1, at + 5000)
    assert sitting.attempt == 1


def test_a_washout_goes_on_after_a_pause():
    sitting, at = to(CalibrationProgress.of(PLAN, FS), "washout", 2)
    left = sitting.left
    sitting, _ = sitting.pause("paused", at)
    sitting, _ = sitting.resume(at)
    assert sitting.left == left
    assert sitting.begun


def test_a_report_waits_for_its_answer_however_long():
    sitting, at = to(CalibrationProgress.of(ASKS, FS), "report", 1)
    sitting, events = sitting.advance(at, at + 100_000)
    assert not events
    sitting, events = sitting.answer(0.5, -0.25, at + 100_000)
    assert events[0].text == "report/1/1/answer/0.50,-0.25"
    assert sitting.step.kind == "washout"
    sitting, at = to(sitting, "report", 2, at + 100_000)
    _, events = sitting.answer(None, None, at)
    assert events[0].text == "report/2/1/answer/none"


def test_stopping_is_final():
    sitting, at = to(CalibrationProgress.of(PLAN, FS), "block", 1)
    sitting, events = sitting.stop(at)
    assert events[-1].text == "stop"
    assert sitting.over
    assert sitting.step is None
    for same, none in (sitting.advance(at, at + 10), sitting.resume(at), sitting.stop(at), sitting.spoil("x", at)):
        assert (same, none) == (sitting, ())


def test_a_pause_in_the_last_try_begins_that_try_anew():
    sitting, at = to(CalibrationProgress.of(PLAN, FS), "block", 1)
    for _ in range(MOST_TRIES - 1):
        sitting, _ = sitting.spoil("poor", at)
        sitting, at = to(sitting, "block", 1, at)
    sitting, events = sitting.pause("paused", at)
    assert [event.text for event in events] == [f"block/1/{MOST_TRIES}/cancelled/paused", "pause/paused"]
    sitting, _ = sitting.resume(at)
    assert sitting.left == round(sitting.step.seconds * FS)
    assert not sitting.begun
    assert sitting.skipped == 0


@given(
    st.lists(st.sampled_from(["on", "hole", "pause", "resume", "spoil", "answer"]), max_size=200), st.integers(20, 900)
)
def test_whatever_happens_what_ended_had_begun_and_the_plan_comes_to_its_end(wishes, n):
    sitting, at, begun, ended, cancelled = CalibrationProgress.of(ASKS, FS), 0, [], [], []
    for wish in [*wishes, *["resume", "answer", "on"] * 3000]:
        if sitting.over:
            break
        match wish:
            case "hole":
                sitting, events = sitting.advance(at + 100, at + 100 + n, lost=100)
                at += 100 + n
            case "pause":
                sitting, events = sitting.pause("paused", at)
            case "resume":
                sitting, events = sitting.resume(at)
            case "spoil":
                sitting, events = sitting.spoil("poor", at)
            case "answer":
                sitting, events = sitting.answer(0.0, 0.0, at)
            case _:
                sitting, events = sitting.advance(at, at + n)
                at += n
        for event in events:
            key = "/".join(event.text.split("/")[:3])
            into = {"begin": begun, "end": ended, "cancelled": cancelled}
            for word, row in into.items():
                if f"/{word}" in event.text:
                    row.append((key, event.index))
    assert sitting.mode is Mode.DONE
    starts = {}
    for key, index in begun:
        starts[key] = index
    blocks = {s.number for s in ASKS.steps if s.kind == "block"}
    done = {key for key, _ in ended if key.startswith("block")}
    assert len(done) + sitting.skipped >= len(blocks)
    for key, index in ended:
        step = next(s for s in ASKS.steps if key.startswith(f"{s.kind}/{s.number}/"))
        if step.counts:  # of a whole step there is every sample, one after the other
            assert index - starts[key] == pytest.approx(step.seconds * FS, abs=25)
